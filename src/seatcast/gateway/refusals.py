"""How a client is told what cannot be done: every ERROR is made here."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from seatcast import wire


class _Marked(Struct):
    id: wire.RequestId | UnsetType = UNSET


_marked = msgspec.json.Decoder(_Marked)


def error_frame(
    code: wire.ErrorCode,
    detail: str,
    id: wire.RequestId | UnsetType = UNSET,
    *,
    retry_after_ms: int | UnsetType = UNSET,
    details: dict[str, Any] | UnsetType = UNSET,
) -> wire.Error:
    """Return the ERROR that answers what cannot be done; `id` is the request's own mark."""
    return wire.Error(
        message=f"{wire.ERROR_MESSAGES[code]}: {detail}",
        code=code,
        id=id,
        retry_after_ms=retry_after_ms,
        details=details,
    )


def too_many(most: int, id: wire.RequestId | UnsetType = UNSET) -> wire.Error:
    return error_frame("TOO_MANY_SUBSCRIPTIONS", f"at most {most}", id)


def short(detail: str) -> str:
    """Return a text of bounded size that keeps its end, where the field is named."""
    return detail if len(detail) <= 300 else f"{detail[:200]}...{detail[-90:]}"


def mark_of(message: bytes) -> wire.RequestId | UnsetType:
    """Return the mark of a request that is otherwise wrong, so that its sender knows which one."""
    try:
        return _marked.decode(message).id
    except (ValueError, RecursionError):
        return UNSET
