"""Who is in a room: news is passed on once, and who is gone is not there."""

from seatcast.gateway.awareness import MAX_CLIENTS, MAX_OF_ONE_PEER, MAX_STATE_BYTES, Awareness
from seatcast.yjs import Presence, awareness_update, read_awareness


def says(*states):
    return awareness_update([Presence(*state) for state in states])


def told(awareness):
    here, elsewhere = awareness.take()
    return [None if update is None else {(one.client, one.clock, one.state) for one in read_awareness(update)}
            for update in (here, elsewhere)]  # fmt: skip


def test_news_is_told_here_and_elsewhere_once():
    awareness = Awareness()
    assert awareness.hear("ana", says((1, 0, "{}")))
    assert awareness.news
    assert told(awareness) == [{(1, 0, "{}")}, {(1, 0, "{}")}]
    assert not awareness.news
    assert told(awareness) == [None, None]


def test_what_comes_from_elsewhere_is_told_here_alone():
    awareness = Awareness()
    assert awareness.hear("second", says((1, 0, "{}")), local=False)
    assert told(awareness) == [{(1, 0, "{}")}, None]


def test_what_stock_clients_send_back_is_no_news():
    awareness = Awareness()
    awareness.hear("ana", says((1, 5, '"a"')))
    awareness.hear("bob", says((2, 0, '"b"')))
    told(awareness)
    assert not awareness.hear("bob", says((1, 5, '"a"')))
    assert not awareness.hear("bob", says((1, 4, '"older"'), (2, 0, '"b"')))
    awareness.leave("bob")
    assert told(awareness)[0] == {(2, 0, "null")}


def test_who_leaves_takes_its_clients_along():
    awareness = Awareness()
    awareness.hear("ana", says((1, 3, "{}")))
    awareness.hear("second", says((2, 7, "{}")), local=False)
    told(awareness)
    assert awareness.leave("ana")
    assert told(awareness) == [{(1, 3, "null")}, {(1, 3, "null")}]
    assert awareness.leave("second", local=False)
    assert told(awareness) == [{(2, 7, "null")}, None]
    assert not awareness.leave("ana")
    assert (len(awareness), awareness.everybody()) == (0, None)


def test_who_says_goodbye_is_gone():
    awareness = Awareness()
    awareness.hear("ana", says((1, 3, "{}")))
    assert awareness.hear("ana", says((1, 3, "null")))
    assert len(awareness) == 0
    assert not awareness.hear("ana", says((1, 3, "null")))


def test_an_old_goodbye_is_nothing():
    awareness = Awareness()
    awareness.hear("ana", says((1, 3, "{}")))
    assert not awareness.hear("bob", says((1, 2, "null")))
    assert len(awareness) == 1


def test_a_client_that_comes_over_from_another_gateway_belongs_here():
    awareness = Awareness()
    awareness.hear("second", says((1, 3, "{}")), local=False)
    awareness.hear("ana", says((1, 3, "{}")))
    awareness.leave("second", local=False)
    assert len(awareness) == 1
    awareness.leave("ana")
    assert len(awareness) == 0


def test_everybody_can_be_asked_for_by_whom_they_belong_to():
    awareness = Awareness()
    awareness.hear("ana", says((1, 3, "{}")))
    awareness.hear("second", says((2, 7, "{}")), local=False)
    assert {one.client for one in read_awareness(awareness.everybody())} == {1, 2}
    local = awareness.everybody(lambda owner: owner == "ana")
    assert {one.client for one in read_awareness(local)} == {1}


def test_what_one_may_say_is_bounded():
    awareness = Awareness()
    awareness.hear("ana", says(*((number, 0, "{}") for number in range(MAX_OF_ONE_PEER + 9))))
    assert len(awareness) == MAX_OF_ONE_PEER
    assert not awareness.hear("bob", says((99, 0, '"' + "x" * MAX_STATE_BYTES + '"')))
    for peer in range(MAX_CLIENTS):
        awareness.hear(peer, says((1_000 + peer, 0, "{}")))
    assert len(awareness) == MAX_CLIENTS
