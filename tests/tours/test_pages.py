"""The built pages: from this origin alone, cached where their name says so, and nothing else of the disk."""

import httpx
import pytest
from litestar import Litestar

from seatcast.text import text
from seatcast.tours.pages import page_routes
from seatcast.tours.problems import HANDLERS


@pytest.fixture
def web(tmp_path):
    """A folder as the front end's build leaves it, with a secret beside it."""
    folder = tmp_path / "web"
    (folder / "assets").mkdir(parents=True)
    (folder / "docs").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Seatcast é</title>")
    (folder / "assets" / "index-4f3a.js").write_text("start()")
    (folder / "assets" / "index-4f3a.css").write_text("body{}")
    (folder / "assets" / "seat-91.woff2").write_bytes(b"\0font")
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "widget.js").write_text("define();" * 1_000)
    (folder / "docs" / "swagger-ui.css").write_text("a{}")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
async def browse(web):
    """`await browse(path, **headers)`: GET a page of the folder above."""
    app = Litestar(page_routes(web), exception_handlers=HANDLERS, logging_config=None)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tours") as client:

        async def get(path, method="GET", **headers):
            return await client.request(
                method, httpx.URL("http://tours", raw_path=path.encode()), headers=headers
            )

        yield get


async def test_the_page_is_asked_for_again_each_time(browse):
    answer = await browse("/")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    assert "Seatcast é" in answer.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/assets/index-4f3a.js", "text/javascript; charset=utf-8"),
        ("/assets/index-4f3a.css", "text/css; charset=utf-8"),
        ("/assets/seat-91.woff2", "font/woff2"),
    ],
)
async def test_files_named_after_their_content_are_kept_for_ever(browse, path, kind):
    answer = await browse(path)

    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_other_files_are_asked_for_again(browse):
    answer = await browse("/icon.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["cache-control"] == "no-cache"
    assert (await browse("/docs/swagger-ui.css")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/", "/assets/index-4f3a.js", "/icon.svg", "/docs", "/docs/start.js", "/tours/paris"]
)
async def test_nothing_is_loaded_from_elsewhere_guessed_at_or_framed_by_strangers(browse, path):
    headers = (await browse(path)).headers

    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws: wss:"
    assert (policy["frame-ancestors"], policy["object-src"], policy["base-uri"]) == (
        "'self'",
        "'none'",
        "'none'",
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/tours/paris", "/anything", "/a/b/c", "/bookings/", "/?lang=en"])
async def test_a_deep_link_gives_the_page(browse, path):
    answer = await browse(path)
    assert answer.status_code == 200
    assert "Seatcast" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/missing.js",
        "/assets/old-1.js",
        "/assets/x",
        "/docs/nothing",
        "/api/nothing",
        "/health/x",
        "/favicon.ico",
    ],
)
async def test_a_file_that_is_not_there_is_not_found_rather_than_the_page(browse, path):
    answer = await browse(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
        "/assets/%2e%2e/%2e%2e/secret.txt", "/....//secret.txt", "/..\\secret.txt", "//secret.txt",
        "/assets/index-4f3a.js%00.txt", "/%00", "/etc/passwd%00.html",
    ],
)  # fmt: skip
async def test_there_is_no_way_out_of_the_folder(browse, path):
    answer = await browse(path)
    assert answer.text != "secret"
    assert answer.status_code in {404, 200}
    assert answer.status_code == 404 or "Seatcast" in answer.text


async def test_files_that_come_later_are_not_served(browse, web):
    """What is served is what was built; nobody who can write there adds to it while it runs."""
    (web / "late.js").write_text("late()")
    assert (await browse("/late.js")).status_code == 404


async def test_any_page_may_load_the_widget_and_only_that(browse):
    answer = await browse("/widget.js", origin="https://elsewhere.example")

    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    others = (await browse("/assets/index-4f3a.js", origin="https://elsewhere.example")).headers
    assert "access-control-allow-origin" not in others
    assert "cross-origin-resource-policy" not in others


async def test_who_has_a_file_is_not_sent_it_again(browse, web):
    first = await browse("/widget.js")
    again = await browse("/widget.js", **{"If-None-Match": f'"other", {first.headers["etag"]}'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == "no-cache"
    assert (await browse("/icon.svg")).headers["etag"] != first.headers["etag"]
    assert (await browse("/widget.js", **{"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize(
    ("path", "coding", "gzipped"),
    [
        ("/widget.js", "br, gzip", True),
        ("/widget.js", "br;q=1.0, gzip; q=0.8", True),
        ("/widget.js", "gzip;q=0", False),
        ("/widget.js", "gzip; q=0.000", False),
        ("/widget.js", "identity", False),
        ("/icon.svg", "gzip", False),  # shorter than a packet
    ],
)
async def test_long_texts_come_in_gzip_to_whoever_takes_it(browse, web, path, coding, gzipped):
    answer = await browse(path, **{"Accept-Encoding": coding})

    assert ("content-encoding" in answer.headers) == gzipped
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == (web / path.lstrip("/")).read_bytes()


async def test_only_reading_is_allowed(browse):
    for method in ("POST", "PUT", "DELETE"):
        assert (await browse("/index.html", method)).status_code == 405


async def test_without_built_pages_it_says_so_in_the_callers_language(tmp_path):
    app = Litestar(page_routes(tmp_path / "nothing"), exception_handlers=HANDLERS, logging_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tours") as client:
        for path in ("/", "/tours/paris"):
            for language in ("fr", "en"):
                answer = await client.get(path, params={"lang": language})
                assert answer.status_code == 503
                assert answer.headers["content-type"].startswith("text/plain")
                assert answer.text == text(language, "page.not_built")
        assert (await client.get("/docs")).status_code == 200


async def test_the_service_itself_serves_them_beside_its_routes(service):
    answer = await service.client.get("/")
    assert answer.status_code in {200, 503}  # built or not, never an error of ours
    assert (await service.client.get("/api/tours")).headers["content-type"] == "application/json"
    assert (await service.client.get("/health/live")).json() == {"status": "ok"}
