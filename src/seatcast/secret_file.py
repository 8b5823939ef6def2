"""The secret that is made when none is configured, kept in the data folder."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from seatcast.config import SettingsError

SECRET_FILE: Final = "seatcast.secret"  # noqa: S105 - a file name


def generated_secret(data_dir: Path) -> str:
    """Return the secret in the data folder, made on first use, readable by its owner alone.

    Raises `SettingsError` when it can be neither read nor made.
    """
    path = data_dir / SECRET_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            made = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
            # Written aside and linked: of two processes that start together one wins, and nobody reads half.
            descriptor, aside = tempfile.mkstemp(dir=data_dir, prefix=SECRET_FILE)
            try:
                with os.fdopen(descriptor, "w") as file:
                    file.write(made + "\n")
                with contextlib.suppress(FileExistsError):
                    os.link(aside, path)
            finally:
                Path(aside).unlink()
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(f"the secret {path} cannot be read or made: {reason}") from None
    if len(secret) < 16:
        raise SettingsError(f"the secret {path} is too short: delete the file to have a new one made")
    return secret
