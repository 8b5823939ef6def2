"""What is shipped: a wheel, in an empty environment, on a machine without Node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from .conftest import ROOT

UV = str(Path(sys.executable).parent / "uv")


def _uv(*arguments: str) -> None:
    subprocess.run([UV, "-q", *arguments], cwd=ROOT, check=True, timeout=300)


async def test_the_wheel_serves_the_demo_without_node(world, tmp_path, free_port, eventually):
    """Installed into an empty environment it has the page, the catalogues and the migrations, and serves."""
    _uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(tmp_path))
    [wheel] = tmp_path.glob("seatcast-*.whl")
    environment = tmp_path / "environment"
    _uv("venv", "--python", sys.executable, str(environment))
    python = str(environment / "bin/python")
    _uv("pip", "install", "--python", python, "--constraint", "requirements.lock", str(wheel))

    port, api_port = free_port(), free_port()
    arguments = [
        "--demo",
        "--port",
        str(port),
        "--api-port",
        str(api_port),
        "--data-dir",
        str(tmp_path / "data"),
    ]
    running = world.run(
        str(environment / "bin/seatcast"), "serve", *arguments, PATH="/nonexistent", PYTHONPATH=""
    )
    running.line("Seatcast is listening")

    with httpx.Client(base_url=f"http://127.0.0.1:{api_port}") as api:
        page = api.get("/")
        assert page.status_code == 200
        assert '<div id="root">' in page.text
        script = page.text.split('src="')[1].split('"')[0]
        assert api.get(script).headers["content-type"].startswith("text/javascript")
        assert api.get("/docs/swagger-ui-bundle.js").status_code == 200
        widget = api.get("/widget.js")
        assert widget.headers["content-type"].startswith("text/javascript")
        assert "tour-availability" in widget.text
        tours = {tour["id"] for tour in api.get("/api/tours").json()}
        assert {"tour_paris", "tour_london", "tour_rome"} < tours
    follower = world.node("follow.mjs", f"ws://127.0.0.1:{port}")
    await eventually(lambda: {"tour_paris", "tour_rome"} <= {f.get("tourId") for f in follower.printed()})
    assert running.stop() == 0
