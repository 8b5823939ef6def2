"""Sentences for users: French by default, English by choice, never a key without a sentence."""

from __future__ import annotations

import string

import pytest

from seatcast import domain
from seatcast.text import LANGUAGES, catalogue, language_of, text


def _values(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_language_has_the_same_keys_with_the_same_values():
    french, english = (catalogue(language) for language in LANGUAGES)
    assert set(french) == set(english)
    for key in french:
        assert _values(french[key]) == _values(english[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_are_in_alphabetical_order(language):
    keys = list(catalogue(language))
    assert keys == sorted(keys)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_domain_error_has_a_sentence(language):
    for error in domain.DomainError.__subclasses__():
        assert text(language, f"error.{error.code.lower()}")


def test_the_sentences_that_older_clients_compare_are_exact():
    assert text("fr", "error.tour_not_found") == "Tour non trouvé"
    assert text("fr", "error.not_enough_seats") == "Pas assez de places disponibles"
    assert text("fr", "error.internal") == "Erreur serveur"


def test_an_unknown_language_reads_french():
    assert text("de", "error.tour_not_found") == "Tour non trouvé"


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        (None, None, "fr"),
        ("", None, "fr"),
        ("en", None, "en"),
        ("en-GB,en;q=0.9", None, "en"),
        ("de, en;q=0.5, fr;q=0.4", None, "en"),
        ("en;q=0.4, fr;q=0.5", None, "fr"),
        ("en;q=0, fr;q=0.1", None, "fr"),
        ("en;q=nonsense", None, "fr"),
        (";;,=,", None, "fr"),
        ("fr", "en", "en"),
        ("en", "fr", "fr"),
        ("en", "xx", "en"),
        ("*", None, "fr"),
    ],
)
def test_the_query_wins_then_the_header_then_french(accept, query, expected):
    assert language_of(accept, query) == expected
