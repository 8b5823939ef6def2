"""Every sentence a user reads from the server, from one catalogue per language (`locale/*.json`).

Log lines, command-line help and ERROR frames are English and are not here.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from typing import Final, Literal

Language = Literal["fr", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")
"""The first is the default."""


@functools.cache
def catalogue(language: str) -> dict[str, str]:
    """Return one language's catalogue: key to sentence, where `{name}` is a value."""
    file = importlib.resources.files("seatcast") / "locale" / f"{language}.json"
    sentences: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return sentences


def text(language: str, key: str, **values: object) -> str:
    """Return the sentence of a key with its values filled in. Raises `KeyError` for an unknown key or value."""
    sentence = catalogue(language if language in LANGUAGES else LANGUAGES[0])[key]
    return sentence.format(**values) if values else sentence


def counted(language: str, key: str, count: int, **values: object) -> str:
    """Return the sentence of a key in the form for `count`, which is also its value: `<key>.one` or `<key>.other`.

    French says one thing of 0 and 1, English of 1 alone. Raises as `text` does.
    """
    english = language == "en"
    one = count == 1 or (count == 0 and not english)
    written = f"{count:,}" if english else f"{count:,}".replace(",", "\u202f")
    return text(language, f"{key}.{'one' if one else 'other'}", count=written, **values)


def language_of(accept_language: str | None, query: str | None) -> Language:
    """Return the caller's language: `?lang=` first, then the header's best offer, then French."""
    for language in LANGUAGES:
        if query is not None and query.lower() == language:
            return language
    if not accept_language:
        return LANGUAGES[0]
    return _best(accept_language[:1000])


# Browsers send few different ones.
@functools.lru_cache(maxsize=256)
def _best(accept_language: str) -> Language:
    # Sorting is stable, so equal weights keep the caller's order.
    offers = sorted(map(_offer, accept_language.split(",")), key=lambda offer: -offer[1])
    for tag, weight in offers:
        for language in LANGUAGES:
            if weight > 0 and tag == language:
                return language
    return LANGUAGES[0]


def _offer(part: str) -> tuple[str, float]:
    """Return the primary language of one `Accept-Language` part and its weight (RFC 9110, 12.5.4)."""
    tag, *parameters = part.split(";")
    weight = 1.0
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            try:
                weight = float(value)
            except ValueError:
                weight = 0.0
    return tag.strip().lower().partition("-")[0], weight
