"""The API's description (OpenAPI 3.1), with the request bodies that the routes decode themselves."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from seatcast import __version__, rest
from seatcast.rights import NEEDS, ROUTES, Rule
from seatcast.tours.api import BODY, REFUSALS
from seatcast.tours.book_route import PATH


def config() -> OpenAPIConfig:
    """Return how the framework describes the routes, for one application.

    Its own pages are not there: they lack the bodies that `document` adds, and load scripts from other origins.
    """
    hidden = Router("/schema", route_handlers=[], include_in_schema=False, guards=[_not_there])
    return OpenAPIConfig(
        title="Seatcast",
        version=__version__,
        description="Tours, departures, bookings and messages. Live numbers come over the WebSocket gateway.",
        components=Components(
            security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
        ),
        openapi_router=hidden,
        render_plugins=[JsonRenderPlugin()],
    )


def _not_there(connection: object, handler: object) -> None:
    raise NotFoundException


_OUTSIDE = (rest.BookRequest, rest.BookResponse, rest.Live, rest.Problem)
"""Bodies of routes that are outside the framework."""


References = dict[str, dict[str, Any]]
"""Where each struct is described, by its name."""


def _json(references: References, kind: str) -> dict[str, Any]:
    return {"application/json": {"schema": references[kind]}}


def _parameter(name: str, where: str, schema: dict[str, Any], meaning: str) -> dict[str, Any]:
    required = where == "path"
    return {"name": name, "in": where, "required": required, "schema": schema, "description": meaning}


def _refusals(references: References, meanings: dict[int, str]) -> dict[str, Any]:
    return {
        str(status): {"description": meaning, "content": _json(references, "Problem")}
        for status, meaning in meanings.items()
    }


def _book(references: References) -> dict[str, Any]:
    """Return the description of the booking route, which is outside the framework (`book_route.py`)."""
    key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"}
    meanings = {status: REFUSALS[status].description for status in (400, 401, 404, 409, 413, 500, 503)}
    return {
        "summary": "Book",
        "operationId": "ApiToursTourIdBook",
        "description": "Book seats of a departure, or of the tour's only open one.",
        "parameters": [
            _parameter("tour_id", "path", {"type": "string"}, "The tour"),
            _parameter("Idempotency-Key", "header", key, "Makes a retry safe: one key, one booking"),
        ],
        "requestBody": {"required": True, "content": _json(references, "BookRequest")},
        "responses": {"200": {"description": "Booked", "content": _json(references, "BookResponse")}}
        | _refusals(references, meanings),
    }


def _live(references: References) -> dict[str, Any]:
    """Return the descriptions of the routes of the gateway in the same process (`gateway/fallbacks.py`)."""
    text = {"type": "string"}
    tours = _parameter(
        "tours", "query", text, "Ids of tours, with commas between them; without it, every tour"
    )
    token = _parameter("token", "query", text, "A token, where no header can be sent")
    since = _parameter(
        "since", "query", text, "The cursor of the answer before: only what is new is answered"
    )
    wait = {"type": "number", "minimum": 0, "maximum": 1_000_000, "default": 0}
    refused = _refusals(
        references,
        {
            400: REFUSALS[400].description,
            401: REFUSALS[401].description,
            403: "Pages of this origin may not ask",
            429: "Too many requests or connections of this address or user",
            503: "Draining or full; try again",
        },
    )
    known = _parameter("If-None-Match", "header", text, "The ETag of an answer that is kept")
    resumed = _parameter("Last-Event-ID", "header", text, "As `since`; browsers send it by themselves")
    events = {"text/event-stream": {"schema": {"type": "string"}}}
    poll = {
        "summary": "Poll",
        "operationId": "ApiToursAvailability",
        "description": "The seats of every tour as they are now, or what is new since a cursor. A cursor that means"
        " nothing here gets everything.",
        "parameters": [
            tours, since, _parameter("wait", "query", wait, "How many seconds to wait for something new, at most 50"),
            token, known,
        ],
        "responses": {
            "200": {"description": "The messages of the WebSocket, and a cursor", "content": _json(references, "Live")},
            "304": {"description": "The same as in the answer that is kept"},
        } | refused,
    }  # fmt: skip
    stream = {
        "summary": "Stream",
        "operationId": "ApiToursAvailabilityStream",
        "description": "Server-Sent Events: the messages of the WebSocket as they come, each the data of an event.",
        "parameters": [tours, since, token, resumed],
        "responses": {"200": {"description": "Events, until either side ends it", "content": events}}
        | refused,
    }
    return {rest.LIVE_PATH: {"get": poll}, rest.LIVE_STREAM_PATH: {"get": stream}}


def document(app: Litestar, *, live: bool) -> bytes:
    """Return the description of an application's routes as JSON; `live`: and of a gateway's in front of it."""
    schema = app.openapi_schema.to_schema()
    bodies = {
        (route.path_format, method.lower()): handler.opt[BODY]
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler) and BODY in handler.opt
        for method in handler.http_methods
    }
    kinds = sorted({*bodies.values(), *_OUTSIDE}, key=lambda kind: str(kind.__name__))
    found, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    references = {kind.__name__: reference for kind, reference in zip(kinds, found, strict=True)}
    schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
    for (path, method), kind in bodies.items():
        operation: dict[str, Any] = schema["paths"][path][method]
        content = {"application/json": {"schema": references[kind.__name__]}}
        operation["requestBody"] = {"required": True, "content": content}
    schema["paths"][PATH] = {"post": _book(references)}
    if live:
        schema["paths"] |= _live(references)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            operation["security"] = _security(ROUTES[f"{method.upper()} {path}"])
    return msgspec.json.encode(schema)


def _security(rule: Rule) -> list[dict[str, Any]]:
    """Return what an operation says of tokens; a role that it takes is told as a scope (OpenAPI 3.1)."""
    needed = NEEDS[rule.own]
    if needed == "anybody":
        return [{}, {"bearer": []}]
    return [{"bearer": [] if needed == "user" else [needed]}]
