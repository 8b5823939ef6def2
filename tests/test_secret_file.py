"""A secret is made once, privately, however many processes start together."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from seatcast.config import SettingsError
from seatcast.secret_file import SECRET_FILE, generated_secret


def test_it_is_made_on_first_use_and_stays(tmp_path):
    made = generated_secret(tmp_path / "deep" / "data")
    assert len(made) == 43
    assert generated_secret(tmp_path / "deep" / "data") == made
    assert stat.S_IMODE((tmp_path / "deep" / "data" / SECRET_FILE).stat().st_mode) == 0o600


def test_several_that_start_together_agree(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: generated_secret(tmp_path), range(32)))
    assert len(found) == 1
    assert [file.name for file in tmp_path.iterdir()] == [SECRET_FILE]


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40])
def test_a_file_that_is_no_secret_is_refused_and_not_replaced(tmp_path, content):
    (tmp_path / SECRET_FILE).write_bytes(content)
    with pytest.raises(SettingsError, match=SECRET_FILE):
        generated_secret(tmp_path)
    assert (tmp_path / SECRET_FILE).read_bytes() == content
