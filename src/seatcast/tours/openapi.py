"""The API's description (OpenAPI 3.1), with the request bodies that the routes decode themselves."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from seatcast import __version__
from seatcast.tours.api import BODY

CONFIG = OpenAPIConfig(
    title="Seatcast",
    version=__version__,
    description="Tours, departures and bookings. Live numbers come over the WebSocket gateway.",
    components=Components(
        security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
    ),
)


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
    kinds = sorted(set(bodies.values()), key=lambda kind: str(kind.__name__))
    references, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
    for (path, method), kind in bodies.items():
        operation: dict[str, Any] = schema["paths"][path][method]
        content = {"application/json": {"schema": references[kinds.index(kind)]}}
        operation["requestBody"] = {"required": True, "content": content}
        # A token is never required to book; the operators' routes say 403 for themselves.
        operation["security"] = [{"bearer": []}] if "403" in operation["responses"] else [{}, {"bearer": []}]
    return msgspec.json.encode(schema)
