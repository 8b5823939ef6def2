"""The chat's rules, without a database: texts, recipients, marks, and who has a conversation."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatcast import chat
from seatcast.chat import MAX_MESSAGE_CHARACTERS, SUPPORT, Conversation
from seatcast.domain import (
    ConversationTaken,
    DomainError,
    Forbidden,
    MessageEmpty,
    MessageNotFound,
    MessageNotText,
    MessageTooLong,
)
from seatcast.wire_messages import ChatMessage

NOW, LATER = "2026-06-01T10:00:00.000Z", "2026-06-01T10:00:01.000Z"


@pytest.mark.parametrize(
    "message",
    ["a", " a ", "two\nlines\n", "\tindented", "<b>&amp;</b>", "é" * MAX_MESSAGE_CHARACTERS,
     "👩‍👩‍👧", "\N{RIGHT-TO-LEFT MARK}שלום", "0"],
)  # fmt: skip
def test_text_is_a_message(message):
    chat.check_text(message)


@pytest.mark.parametrize(
    "message", ["", " ", "\n\t\n", "\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}", "\N{WORD JOINER} \n"]
)
def test_what_shows_nothing_is_no_message(message):
    with pytest.raises(MessageEmpty):
        chat.check_text(message)


@given(st.text(max_size=60), st.text("\n\t \N{ZERO WIDTH SPACE}a", max_size=6))
def test_every_message_that_is_accepted_comes_back_as_it_was(text, end):
    message = text + end
    try:
        chat.check_text(message)
    except DomainError:
        return
    body = {"type": "CHAT_MESSAGE", "from": "a", "to": "b", "message": message, "timestamp": NOW}
    read = msgspec.json.decode(json.dumps(body | {"conversationId": "a"}), type=ChatMessage)
    assert read.message == message


@pytest.mark.parametrize("character", ["\x00", "\x07", "\r", "\x1b", "\x7f", "\x85", "\ud800"])
def test_control_characters_are_refused_and_named(character):
    with pytest.raises(MessageNotText) as refusal:
        chat.check_text(f"ok {character}")

    assert refusal.value.details == {"character": f"U+{ord(character):04X}", "place": 3}


def test_one_character_too_many_is_refused_whatever_it_is():
    with pytest.raises(MessageTooLong) as refusal:
        chat.check_text(" " * (MAX_MESSAGE_CHARACTERS + 1))

    assert refusal.value.details == {"characters": 4_097, "most": 4_096}


@pytest.mark.parametrize("to", [SUPPORT, "ana"])
@pytest.mark.parametrize("agent", [True, False])
def test_everybody_writes_to_the_team_in_their_own_conversation(to, agent):
    assert chat.conversation_of("ana", to, agent=agent) == "ana"
    assert chat.side_of("ana", "ana") == "traveller"
    assert chat.recipient("ana", "ana") == SUPPORT


def test_only_agents_write_to_others():
    assert chat.conversation_of("sam", "ana", agent=True) == "ana"
    assert chat.side_of("sam", "ana") == "support"
    assert chat.recipient("sam", "ana") == "ana"
    with pytest.raises(Forbidden) as refusal:
        chat.conversation_of("bob", "ana", agent=False)
    assert refusal.value.details == {"role": "support"}


@pytest.mark.parametrize("to", [SUPPORT, "ana"])
@pytest.mark.parametrize("agent", [True, False])
def test_a_user_with_the_name_of_the_team_cannot_pass_for_it(to, agent):
    with pytest.raises(Forbidden):
        chat.conversation_of(SUPPORT, to, agent=agent)


def test_a_message_is_unread_by_the_other_side():
    first = chat.said(None, "ana", "ana", "m1", 7, NOW)
    second = chat.said(first, "ana", "sam", "m2", 9, LATER)

    assert first == Conversation("ana", 1, NOW, None, "m1", 7, support_unread=1)
    assert second == Conversation("ana", 2, LATER, None, "m2", 9, traveller_unread=1, support_unread=1)


# A history of one conversation: ("say", who), ("mark", who, kind, number of a message), ("take"/"release", agent)
_people = st.sampled_from(["ana", "sam", "kim"])
_agents = st.sampled_from(["sam", "kim"])
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("say"), _people),
        st.tuples(st.just("mark"), _people, st.sampled_from(["delivered", "read"]), st.integers(1, 12)),
        st.tuples(st.just("take"), _agents),
        st.tuples(st.just("release"), _agents, st.booleans()),
    ),
    max_size=40,
)


@given(_steps)
def test_any_history_of_a_conversation_keeps_its_promises(steps):
    now = chat.said(None, "ana", "ana", "m1", 1, NOW)
    senders = {"m1": "ana"}
    places = {"m1": 1}
    for step in steps:
        before = now
        if step[0] == "say":
            number = len(places) + 1
            places[f"m{number}"], senders[f"m{number}"] = number, step[1]
            now = chat.said(now, "ana", step[1], f"m{number}", number, LATER)
        elif step[0] == "mark":
            _, who, kind, number = step
            side, mine = chat.side_of(who, "ana"), f"m{number}"
            behind = [m for m, place in places.items() if place > number]
            unread = sum(chat.side_of(senders[m], "ana") != side for m in behind)
            if mine in places:
                now = chat.marked(now, side, kind, mine, places, unread, LATER)
            else:
                with pytest.raises(MessageNotFound):
                    chat.marked(now, side, kind, mine, places, unread, LATER)
        elif step[0] == "take":
            if before.taken_by in (None, step[1]):
                now = chat.taken(now, step[1], LATER)
                assert now.taken_by == step[1]
            else:
                with pytest.raises(ConversationTaken):
                    chat.taken(now, step[1], LATER)
        else:
            if step[2] or before.taken_by in (None, step[1]):
                now = chat.released(now, step[1], LATER, anyones=step[2])
                assert now.taken_by is None
            else:
                with pytest.raises(Forbidden):
                    chat.released(now, step[1], LATER, anyones=False)
        assert now.version == before.version + (now != before)
        for side in ("traveller", "support"):
            for kind in ("delivered", "read"):
                old, new = chat.mark_of(before, side, kind), chat.mark_of(now, side, kind)
                assert places.get(new, 0) >= places.get(old, 0)
            read = places.get(chat.mark_of(now, side, "read"), 0)
            assert places.get(chat.mark_of(now, side, "delivered"), 0) >= read
            theirs = [m for m, who in senders.items() if chat.side_of(who, "ana") != side]
            assert chat.unread_of(now, side) == sum(places[m] > read for m in theirs)


def test_marks_are_cumulative_and_never_go_back():
    talk = chat.said(chat.said(None, "ana", "sam", "m1", 1, NOW), "ana", "sam", "m2", 2, NOW)
    places = {"m1": 1, "m2": 2}

    read = chat.marked(talk, "traveller", "read", "m2", places, 0, LATER)

    assert (read.traveller_delivered, read.traveller_read, read.traveller_unread) == ("m2", "m2", 0)
    for mark in ("delivered", "read"):
        assert chat.marked(read, "traveller", mark, "m1", places, 1, LATER) is read
    assert chat.mark_of(read, "support", "read") is None


def test_the_first_who_takes_a_conversation_has_it_until_it_is_released():
    talk = chat.said(None, "ana", "ana", "m1", 1, NOW)
    hers = chat.taken(talk, "sam", LATER)

    assert (hers.taken_by, hers.version) == ("sam", 2)
    assert chat.taken(hers, "sam", LATER) is hers
    with pytest.raises(ConversationTaken) as refusal:
        chat.taken(hers, "kim", LATER)
    assert refusal.value.details == {"takenBy": "sam"}
    with pytest.raises(Forbidden):
        chat.released(hers, "kim", LATER, anyones=False)
    free = chat.released(hers, "kim", LATER, anyones=True)
    assert (free.taken_by, free.version) == (None, 3)
    assert chat.released(free, "kim", LATER, anyones=False) is free
    assert chat.taken(free, "kim", LATER).taken_by == "kim"


def test_no_agent_looks_after_their_own_conversation():
    with pytest.raises(Forbidden):
        chat.taken(chat.said(None, "sam", "sam", "m1", 1, NOW), "sam", LATER)
