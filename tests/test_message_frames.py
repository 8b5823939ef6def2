"""What readers get of a message: a sentence in their language, and of their own marks only their own."""

import pytest
from msgspec import UNSET

from seatcast import wire_events, wire_messages
from seatcast.message_frames import message_frame

BOOKING = {
    "event_id": "msg_1",
    "message_id": "msg_1",
    "user_id": "ana",
    "timestamp": "2026-06-01T10:00:00.000Z",
    "seq": 1,
    "booking_id": "bkg_1",
    "tour_name": "Le {Louvre}, la nuit",
    "tour_id": "louvre",
}


def _sentence(kind, language, **more):
    event = kind(**BOOKING | more)
    return message_frame(event, language=language, reader="ana").message


@pytest.mark.parametrize(
    ("kind", "language", "seats", "expected"),
    [
        (wire_events.BookingConfirmedEvent, "fr", 1, "Votre réservation est confirmée\u00a0: Le {Louvre}, la nuit, 1\u00a0place"),
        (wire_events.BookingConfirmedEvent, "fr", 2, "Votre réservation est confirmée\u00a0: Le {Louvre}, la nuit, 2\u00a0places"),
        (wire_events.BookingConfirmedEvent, "fr", 1200, "Votre réservation est confirmée\u00a0: Le {Louvre}, la nuit, 1\u202f200\u00a0places"),
        (wire_events.BookingConfirmedEvent, "en", 1, "Your booking is confirmed: Le {Louvre}, la nuit, 1 seat"),
        (wire_events.BookingConfirmedEvent, "en", 1200, "Your booking is confirmed: Le {Louvre}, la nuit, 1,200 seats"),
        (wire_events.BookingCancelledEvent, "fr", 2, "Votre réservation est annulée\u00a0: Le {Louvre}, la nuit, 2\u00a0places"),
        (wire_events.BookingCancelledEvent, "en", 2, "Your booking is cancelled: Le {Louvre}, la nuit, 2 seats"),
        (wire_events.HoldExpiredEvent, "fr", 1, "Vos places ne sont plus retenues\u00a0: Le {Louvre}, la nuit, 1\u00a0place"),
        (wire_events.HoldExpiredEvent, "en", 3, "Your seats are no longer held: Le {Louvre}, la nuit, 3 seats"),
        (wire_events.BookingConfirmedEvent, "de", UNSET, "Votre réservation est confirmée\u00a0: Le {Louvre}, la nuit"),
    ],
)  # fmt: skip
def test_a_notification_speaks_the_readers_language(kind, language, seats, expected):
    assert _sentence(kind, language, seats=seats) == expected


def test_a_sentence_of_another_publisher_stands():
    assert _sentence(wire_events.BookingConfirmedEvent, "en", message="C’est bon !") == "C’est bon !"


def test_a_notification_says_what_its_event_says():
    event = wire_events.BookingCancelledEvent(**BOOKING, seats=2, departure_id="dep_1")

    frame = message_frame(event, language="en", reader="ana")

    assert isinstance(frame, wire_messages.BookingCancelled)
    for name in ("booking_id", "tour_name", "tour_id", "timestamp", "seats", "departure_id", "message_id"):
        assert getattr(frame, name) == getattr(event, name)


def test_the_mark_of_a_chat_message_is_told_to_its_sender_alone():
    event = wire_events.ChatMessageSent(
        event_id="msg_2", message_id="msg_2", user_id="ana", timestamp="2026-06-01T10:00:00.000Z", seq=2,
        support_seq=9, sender="ana", to="support", message="Bonjour", conversation_id="ana", id="k1",
    )  # fmt: skip

    own, others = (message_frame(event, language="fr", reader=reader) for reader in ("ana", "olga"))

    assert own == wire_messages.ChatMessage(
        sender="ana", to="support", message="Bonjour", timestamp=event.timestamp, message_id="msg_2",
        conversation_id="ana", id="k1",
    )  # fmt: skip
    assert others.id is UNSET
