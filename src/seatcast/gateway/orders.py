"""What clients may ask for that changes something: the one table from a command to the request that carries it out.

Synchronous, without loop or sockets: `commands.py` sends the requests. A new command is a row of `COMMANDS` here and of
`rights.COMMANDS`, a struct in `wire.ClientFrame` and a route of the tour service.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Struct

from seatcast import chat
from seatcast.gateway.channels import SUPPORT, document_channel
from seatcast.rights import COMMANDS as RULES
from seatcast.rights import Act, may
from seatcast.tokens import Identity
from seatcast.wire_documents import DocumentEdit, EditDocument
from seatcast.wire_messages import (
    ChatMessage,
    ConversationUpdate,
    MarkChat,
    ReleaseChat,
    SendChat,
    TakeChat,
    TypeChat,
)

Command = SendChat | MarkChat | TakeChat | ReleaseChat | EditDocument

Answer = ChatMessage | ConversationUpdate | DocumentEdit


class Request(NamedTuple):
    """A request to the tour service; `body` is encoded as JSON, None: there is none."""

    method: Literal["POST", "PUT", "DELETE"]
    path: str
    body: dict[str, object] | None = None


class Sender(NamedTuple):
    """Who gave a command, and which channels they follow: what is done may be told to them anyway."""

    user: str | None
    channels: frozenset[str]


class Row(NamedTuple):
    """One command."""

    needs: Callable[[Any, Identity], Act]
    """Returns what it takes of this sender."""
    request: Callable[[Any], Request]
    answer: Callable[[Any, bytes, Sender], Answer | None]
    """Returns what its sender alone is told, given the body of the answer. Raises `ValueError` for a body that is none
    of ours."""


class _Sent(Struct):
    message: ChatMessage
    repeated: bool = False


_sent = msgspec.json.Decoder(_Sent).decode
_conversation = msgspec.json.Decoder(ConversationUpdate).decode


def _takes(command: Command | TypeChat, *, own: bool) -> Act:
    rule = RULES[str(type(command).__struct_config__.tag)]
    return rule.own if own or rule.others is None else rule.others


def writing_needs(command: SendChat | TypeChat, identity: Identity) -> Act:
    """Return what writing to somebody takes."""
    return _takes(command, own=chat.traveller(identity.user, command.to) == identity.user)


def _marking_needs(command: MarkChat, identity: Identity) -> Act:
    return _takes(command, own=command.conversation_id == identity.user)


def _taking_needs(command: TakeChat, identity: Identity) -> Act:
    return _takes(command, own=True)


def _releasing_needs(command: ReleaseChat, identity: Identity) -> Act:
    # Who has the conversation is known to the tour service alone.
    others = _takes(command, own=False)
    return others if may(identity, others) else _takes(command, own=True)


def _editing_needs(command: EditDocument, identity: Identity) -> Act:
    return _takes(command, own=True)


def _path(conversation_id: str, *rest: str) -> str:
    return "/".join(("/api/conversations", quote(conversation_id, safe=""), *rest))


def _send(command: SendChat) -> Request:
    # With a mark of ours where the sender has none: should the request be repeated, it has one effect.
    id = secrets.token_urlsafe(12) if command.id is UNSET else command.id
    return Request("POST", _path(command.to, "messages"), {"message": command.message, "id": id})


def _stored(command: SendChat, body: bytes, sender: Sender) -> ChatMessage | None:
    """Return the stored message where its stream does not bring it, or brought it when it was sent before."""
    answer = _sent(body)
    heard = answer.message.conversation_id == sender.user or SUPPORT in sender.channels
    return answer.message if answer.repeated or not heard else None


def _mark(command: MarkChat) -> Request:
    return Request(
        "POST",
        _path(command.conversation_id, "marks"),
        {"messageId": command.message_id, "mark": command.mark},
    )


def _take(command: TakeChat) -> Request:
    return Request("PUT", _path(command.conversation_id, "agent"))


def _release(command: ReleaseChat) -> Request:
    return Request("DELETE", _path(command.conversation_id, "agent"))


def _stands(
    command: MarkChat | TakeChat | ReleaseChat, body: bytes, sender: Sender
) -> ConversationUpdate | None:
    """Return how the conversation stands, for a sender who marked the request."""
    return None if command.id is UNSET else msgspec.structs.replace(_conversation(body), id=command.id)


class _Edited(DocumentEdit, frozen=True, tag=False):
    repeated: bool = False


_edited = msgspec.json.Decoder(_Edited).decode


def _edit(command: EditDocument) -> Request:
    body: dict[str, object] = {"changes": command.changes}
    if command.base_version is not UNSET:
        body["baseVersion"] = command.base_version
    # As with a message: a request that is repeated has one effect.
    body["id"] = secrets.token_urlsafe(12) if command.id is UNSET else command.id
    return Request("POST", f"/api/documents/{command.document_id}/edits", body)


def _done(command: EditDocument, body: bytes, sender: Sender) -> DocumentEdit | None:
    """Return the edit where the channel of its document does not bring it, or brought it before."""
    answer = _edited(body)
    if document_channel(command.document_id) in sender.channels and not answer.repeated:
        return None
    return DocumentEdit(
        document_id=answer.document_id,
        user_id=answer.user_id,
        changes=answer.changes,
        timestamp=answer.timestamp,
        version=answer.version,
        id=command.id,
    )


COMMANDS: Final[dict[type[Command], Row]] = {
    SendChat: Row(writing_needs, _send, _stored),
    MarkChat: Row(_marking_needs, _mark, _stands),
    TakeChat: Row(_taking_needs, _take, _stands),
    ReleaseChat: Row(_releasing_needs, _release, _stands),
    EditDocument: Row(_editing_needs, _edit, _done),
}
