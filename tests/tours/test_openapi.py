"""The description of the API: it is whole, it is true of whatever a stranger sends, and its page loads from here."""

import asyncio
import json
import re
import warnings

import pytest

from seatcast import rest
from seatcast.http_server import serve_http

EXAMPLES = 10
"""Requests per route and kind; more find no more here, and a build waits for them."""


@pytest.fixture
async def document(service):
    answer = await service.client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def test_every_route_is_described_with_what_it_takes_and_answers(document):
    described = {
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    }
    assert described == {
        "GET /api/tours", "POST /api/tours", "GET /api/tours/{tour_id}", "PATCH /api/tours/{tour_id}",
        "POST /api/tours/{tour_id}/book", "POST /api/tours/{tour_id}/departures",
        "PATCH /api/tours/{tour_id}/departures/{departure_id}",
        "GET /api/bookings", "GET /api/bookings/{booking_id}", "DELETE /api/bookings/{booking_id}",
        "GET /api/config", "GET /api/messages", "GET /api/conversations",
        "GET /api/conversations/{conversation_id}/messages", "POST /api/conversations/{conversation_id}/messages",
        "POST /api/conversations/{conversation_id}/marks",
        "PUT /api/conversations/{conversation_id}/agent", "DELETE /api/conversations/{conversation_id}/agent",
        "GET /api/metrics",
        "GET /api/documents/{document_id}", "GET /api/documents/{document_id}/updates",
        "POST /api/documents/{document_id}/updates", "POST /api/documents/{document_id}/edits",
    }  # fmt: skip
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary") or operation.get("description"), (method, path)
            assert ("requestBody" in operation) == (method in {"post", "patch"}), (method, path)
            assert {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"} == set(
                re.findall(r"{(\w+)}", path)
            )


async def test_a_token_is_asked_for_where_one_is_needed(document):
    def security(method, path):
        return document["paths"][path][method].get("security")

    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert security("post", "/api/tours") == [{"bearer": ["staff"]}]
    assert security("get", "/api/bookings") == [{"bearer": []}]
    assert security("get", "/api/tours") == [{}, {"bearer": []}]
    assert security("post", "/api/tours/{tour_id}/book") == [{}, {"bearer": []}]


async def test_the_bodies_are_described_as_they_are_decoded(document):
    schemas = document["components"]["schemas"]
    assert schemas["BookRequest"]["required"] == ["seatsToBook"]
    assert schemas["BookRequest"]["properties"]["seatsToBook"] == {
        "type": "integer", "minimum": 1, "maximum": 100_000,
    }  # fmt: skip
    assert set(schemas["Problem"]["properties"]) == set(rest.Problem.__struct_fields__)
    text = json.dumps(document)
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert reference in schemas


def _try_everything(document, base_url, headers, known):
    """Send what the description allows, and what it does not, and believe it in each answer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its libraries', about each other
        import schemathesis
        from hypothesis import HealthCheck, Phase, given, settings
        from schemathesis import GenerationMode
        from schemathesis.checks import not_a_server_error
        from schemathesis.specs.openapi.checks import (
            content_type_conformance,
            response_headers_conformance,
            response_schema_conformance,
            status_code_conformance,
        )

        checks = [
            not_a_server_error, status_code_conformance, content_type_conformance,
            response_headers_conformance, response_schema_conformance,
        ]  # fmt: skip
        asked = 0
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            operation = found.ok()
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                names = re.findall(r"{(\w+)}", operation.path)
                real = {name: known[name] for name in names if name in known}
                for ids in (real, {}) if real and len(real) == len(names) else ({},):
                    fixed = {"path_parameters": ids} if ids else {}

                    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
                    @settings(
                        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
                        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
                    )  # fmt: skip
                    def attempt(case):
                        nonlocal asked
                        asked += 1
                        case.call_and_validate(base_url=base_url, headers=headers, checks=checks)

                    try:
                        attempt()
                    except Exception as error:
                        # Nothing to generate: a route without parameters has no wrong ones.
                        if type(error).__name__ not in {"Unsatisfiable", "SkipTest"}:
                            raise
        return asked


@pytest.mark.timeout(100)
async def test_no_request_gets_an_answer_that_is_not_described(clean_postgres_url, running, bearer):
    """On PostgreSQL, which is the more particular of the two about what it takes."""
    async with running(clean_postgres_url) as service:
        await service.create("louvre", 10_000)
        everybody = bearer("olga", "staff", "support", "admin")
        await service.client.post(
            "/api/conversations/support/messages", json={"message": "?"}, headers=bearer("ana")
        )
        document = (await service.client.get("/openapi.json")).json()
        async with serve_http(service.app, "127.0.0.1", 0, name="REST") as port:
            asked = await asyncio.to_thread(
                _try_everything,
                document,
                f"http://127.0.0.1:{port}",
                everybody,
                {"tour_id": "louvre", "conversation_id": "ana"},
            )
    assert asked > 100


async def test_the_page_refers_to_no_other_origin(service):
    page = await service.client.get("/docs")

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(named) >= 3
    for address in named:
        assert address.startswith(("/docs/", "data:,")), address
    start = await service.client.get("/docs/start.js")
    assert start.headers["content-type"].startswith("text/javascript")
    assert "/openapi.json" in start.text
