"""The API's description (OpenAPI 3.1), with the request bodies that the routes decode themselves."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from seatcast import __version__, rest
from seatcast.tours.api import BODY, REFUSALS
from seatcast.tours.book_route import PATH

CONFIG = OpenAPIConfig(
    title="Seatcast",
    version=__version__,
    description="Tours, departures and bookings. Live numbers come over the WebSocket gateway.",
    components=Components(
        security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
    ),
)

_BOOKING = (rest.BookRequest, rest.BookResponse, rest.Problem)


def _book(references: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the description of the booking route, which is outside the framework (`book_route.py`)."""

    def body(kind: str) -> dict[str, Any]:
        return {"application/json": {"schema": references[kind]}}

    def parameter(name: str, where: str, schema: dict[str, Any], meaning: str) -> dict[str, Any]:
        required = where == "path"
        return {"name": name, "in": where, "required": required, "schema": schema, "description": meaning}

    key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"}
    answers = {
        str(status): {"description": REFUSALS[status].description, "content": body("Problem")}
        for status in (400, 401, 404, 409, 413, 500, 503)
    }
    return {
        "summary": "Book",
        "operationId": "ApiToursTourIdBook",
        "description": "Book seats of a departure, or of the tour's only open one.",
        "parameters": [
            parameter("tour_id", "path", {"type": "string"}, "The tour"),
            parameter("Idempotency-Key", "header", key, "Makes a retry safe: one key, one booking"),
        ],
        "requestBody": {"required": True, "content": body("BookRequest")},
        "responses": {"200": {"description": "Booked", "content": body("BookResponse")}} | answers,
        "security": [{}, {"bearer": []}],
    }


def document(app: Litestar) -> bytes:
    """Return the description of an application's routes as JSON."""
    schema = app.openapi_schema.to_schema()
    bodies = {
        (route.path_format, method.lower()): handler.opt[BODY]
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler) and BODY in handler.opt
        for method in handler.http_methods
    }
    kinds = sorted({*bodies.values(), *_BOOKING}, key=lambda kind: str(kind.__name__))
    found, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    references = {kind.__name__: reference for kind, reference in zip(kinds, found, strict=True)}
    schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
    for (path, method), kind in bodies.items():
        operation: dict[str, Any] = schema["paths"][path][method]
        content = {"application/json": {"schema": references[kind.__name__]}}
        operation["requestBody"] = {"required": True, "content": content}
        operation["security"] = [{"bearer": []}]
    schema["paths"][PATH] = {"post": _book(references)}
    return msgspec.json.encode(schema)
