"""The environment of the Python peers: their own packages, in a `.venv` beside them."""

from __future__ import annotations

import subprocess
import sys

from bench.parts import StackFailed
from bench.stacks import ROOT

FOLDER = ROOT / "bench" / "peers" / "python"
PYTHON = FOLDER / ".venv" / "bin" / "python"
_STAMP = FOLDER / ".venv" / "requirements.txt"


def install() -> None:
    """Install the packages of `requirements.txt`, once."""
    wanted = (FOLDER / "requirements.txt").read_text()
    if _STAMP.exists() and _STAMP.read_text() == wanted:
        return
    print("bench: installing the Python peers' packages", flush=True)
    uv = ROOT / ".venv" / "bin" / "uv"
    for command in (
        [str(uv), "venv", "-q", "--clear", "--python", sys.executable, str(FOLDER / ".venv")],
        [
            str(uv),
            "pip",
            "install",
            "-q",
            "--require-hashes",
            "--python",
            str(PYTHON),
            "-r",
            "requirements.txt",
        ],
    ):
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise StackFailed(f"{' '.join(command[:4])}: {done.stderr[-2_000:]}")
    _STAMP.write_text(wanted)
