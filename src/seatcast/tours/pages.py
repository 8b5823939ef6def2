"""The built front end (`web/`) and the API's documentation, served from this origin alone."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from seatcast.text import text
from seatcast.tours import openapi
from seatcast.tours.problems import language
from seatcast.tours.web_file import WebFile

WEB = Path(str(files("seatcast"))) / "web"

_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " connect-src 'self' ws: wss:; frame-ancestors 'self'; base-uri 'none'; form-action 'self'; object-src 'none'"
)
_SECURE = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_ALWAYS_ASK = {"Cache-Control": "no-cache"}
_FOR_EVER = {
    "Cache-Control": "public, max-age=31536000, immutable"
}  # their names hold a hash of their content
_FOR_ANY_PAGE = _ALWAYS_ASK | {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

WIDGET = "widget.js"
"""The one file that pages of other origins load (docs/widget.md)."""

_DOCS = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Seatcast API</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body><div id="api"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
"""
_DOCS_START = (
    'SwaggerUIBundle({url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null});\n'
)


def page_routes(web: Path = WEB, *, live: bool = False) -> list[HTTPRouteHandler]:
    """Return the routes of the pages: `/`, every built file, `/docs`, and the page itself for deep links.

    `live`: a gateway answers on the same port, and is described in the documentation.
    """
    known = {file.relative_to(web).as_posix(): WebFile(file) for file in web.rglob("*") if file.is_file()}

    def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        if "index.html" not in known:
            message = text(language(request), "page.not_built").encode()
            return Response(message, status_code=503, media_type="text/plain")
        return known["index.html"].answer(request, _SECURE | _ALWAYS_ASK)

    @get("/", sync_to_thread=False, include_in_schema=False)
    def index(request: Request[Any, Any, Any]) -> Response[bytes]:
        return page(request)

    @get("/{path:path}", sync_to_thread=False, include_in_schema=False)
    def file(request: Request[Any, Any, Any], path: FromPath[str]) -> Response[bytes]:
        name = str(path).lstrip("/")
        # Looked up, never joined onto a folder: there is no path to climb out by.
        if name in known:
            return known[name].answer(request, _SECURE | _sharing(name))
        if name.startswith(("api/", "assets/", "docs/", "health/")) or "." in name:
            raise NotFoundException
        return page(request)

    @get("/docs", sync_to_thread=False, include_in_schema=False)
    def docs() -> Response[str]:
        return Response(_DOCS, media_type="text/html", headers=_SECURE | _ALWAYS_ASK)

    @get("/docs/start.js", sync_to_thread=False, include_in_schema=False)
    def docs_start() -> Response[str]:
        return Response(_DOCS_START, media_type="text/javascript", headers=_SECURE | _ALWAYS_ASK)

    @get("/openapi.json", sync_to_thread=False, include_in_schema=False)
    def description(request: Request[Any, Any, Any]) -> Response[bytes]:
        text = openapi.document(request.app, live=live)
        return Response(text, media_type="application/json", headers=_ALWAYS_ASK)

    return [index, file, docs, docs_start, description]


def _sharing(name: str) -> dict[str, str]:
    """Return who may keep a file for how long, and which pages may load it."""
    if name == WIDGET:
        return _FOR_ANY_PAGE
    return _FOR_EVER if name.startswith("assets/") else _ALWAYS_ASK
