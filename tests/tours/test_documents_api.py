"""The routes of shared documents: whom they let in, what they take, and what a tour's page reads of them."""

from base64 import b64decode, b64encode

import pytest
from pycrdt import Doc, Text

from seatcast import wire_events

from .test_replica import typed

pytestmark = pytest.mark.asyncio(loop_scope="module")


def sent(update, **more):
    return {"update": b64encode(update).decode(), **more}


async def post(shop, path, body, headers=None):
    return await shop.client.post(f"/api/documents/{path}", json=body, headers=headers or shop.staff)


ROUTES = [
    ("GET", "doc", None),
    ("GET", "doc/updates", None),
    ("POST", "doc/updates", {"updates": [sent(b"\0\0")]}),
    ("POST", "doc/edits", {"changes": {"field": "description", "value": "x"}}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
async def test_only_staff_may(shop, bearer, method, path, body):
    for headers, status in (
        ({}, 401),
        (bearer("ana"), 403),
        (bearer("ada", "admin"), 403),
        (shop.staff, 200),
    ):
        answer = await shop.client.request(method, f"/api/documents/{path}", json=body, headers=headers)
        assert answer.status_code == status, (headers, answer.text)


async def test_a_document_is_edited_and_read(shop, tour_id):
    body = {"changes": {"field": "description", "value": "Paris"}, "id": "e1"}
    edited = await post(shop, f"{tour_id}/edits", body)
    again = await post(shop, f"{tour_id}/edits", body)
    assert edited.status_code == again.status_code == 200
    assert edited.json() | {"repeated": True} == again.json()
    assert edited.json()["version"] == 1
    shown = (await shop.client.get(f"/api/documents/{tour_id}", headers=shop.staff)).json()
    assert (shown["version"], shown["head"]) == (1, 1)
    assert shown["fields"]["description"]["value"] == "Paris"
    assert shown["fields"]["description"]["userId"] == "olga"


async def test_an_edit_that_comes_too_late_is_told_what_the_field_says(shop, tour_id):
    await post(shop, f"{tour_id}/edits", {"changes": {"field": "description", "value": "one"}})
    late = {"changes": {"field": "description", "value": "two"}, "baseVersion": 0}
    answer = await post(shop, f"{tour_id}/edits", late)
    assert (answer.status_code, answer.json()["code"]) == (409, "DOCUMENT_CONFLICT")
    assert answer.json()["details"] == {"field": "description", "value": "one", "version": 1}


async def test_updates_are_taken_for_whom_their_tokens_speak_and_refused_one_by_one(shop, bearer, tour_id):
    def token(*who):
        return bearer(*who)["Authorization"].removeprefix("Bearer ")

    parts = [
        sent(typed(Doc(), 0, "a", "one"), token=token("ana", "staff")),
        sent(typed(Doc(), 0, "b", "two"), token=token("bob")),
        sent(typed(Doc(), 0, "c", "three"), token="nonsense"),
        sent(b"junk", token=token("ana", "staff")),
        sent(typed(Doc(), 0, "d", "four")),
    ]
    answer = await post(shop, f"{tour_id}/updates", {"updates": parts})
    assert answer.status_code == 200
    assert answer.json()["head"] == 1
    assert answer.json()["refused"] == [
        {"index": 1, "code": "FORBIDDEN"},
        {"index": 2, "code": "UNAUTHENTICATED"},
        {"index": 3, "code": "DOCUMENT_UPDATE_INVALID"},
    ]
    fields = (await shop.client.get(f"/api/documents/{tour_id}", headers=shop.staff)).json()["fields"]
    assert {name: (f["value"], f["userId"]) for name, f in fields.items()} == {
        "one": ("a", "ana"),
        "four": ("d", "olga"),
    }


async def test_updates_are_read_from_any_number_on(shop, tour_id):
    writer = Doc()
    for number in range(3):
        await post(shop, f"{tour_id}/updates", {"updates": [sent(typed(writer, number, str(number)))]})
    read = await shop.client.get(f"/api/documents/{tour_id}/updates?since=1", headers=shop.staff)
    assert read.json()["head"] == 3
    assert len(read.json()["updates"]) == 2
    doc = Doc()
    read = await shop.client.get(f"/api/documents/{tour_id}/updates", headers=shop.staff)
    for update in read.json()["updates"]:
        doc.apply_update(b64decode(update))
    assert str(doc.get("description", type=Text)) == "012"


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("a%2Fb/edits", {"changes": {"field": "description", "value": "x"}}, None),
        ("-a/edits", {"changes": {"field": "description", "value": "x"}}, "path.document_id"),
        ("a/edits", {"changes": {"field": "", "value": "x"}}, "body.changes.field"),
        ("a/edits", {"changes": {"field": "a b", "value": "x"}}, "body.changes.field"),
        ("a/edits", {"changes": {"field": "a", "value": "x\0"}}, "body.changes.value"),
        ("a/edits", {"changes": {"field": "a"}}, "body.changes"),
        ("a/edits", {"changes": {"field": "a", "value": "x"}, "baseVersion": -1}, "body.baseVersion"),
        ("a/updates", {"updates": []}, "body.updates"),
        ("a/updates", {"updates": [{"update": "%"}]}, "body.updates[0].update"),
    ],
)
async def test_what_cannot_be_understood_is_refused_with_the_place(shop, path, body, where):
    answer = await post(shop, path, body)
    assert answer.status_code == (404 if where is None else 400), answer.text
    if where is not None:
        assert where in answer.json()["details"]


async def test_a_tours_description_is_everybodys_to_read(shop, tour_id):
    await shop.create(tour_id, 5)
    assert "description" not in (await shop.client.get(f"/api/tours/{tour_id}")).json()
    await post(shop, f"{tour_id}/edits", {"changes": {"field": "notes", "value": "for us"}})
    await post(shop, f"{tour_id}/edits", {"changes": {"field": "description", "value": "Nice"}})
    tour = (await shop.client.get(f"/api/tours/{tour_id}")).json()
    assert (tour["description"], tour["descriptionVersion"]) == ("Nice", 2)
    listed = [t for t in (await shop.client.get("/api/tours")).json() if t["id"] == tour_id]
    assert [t.get("descriptionVersion") for t in listed] == [2]
    assert "description" not in listed[0]


async def test_changes_reach_the_broker_in_order(shop, tour_id, eventually):
    for number in range(5):
        await post(shop, f"{tour_id}/edits", {"changes": {"field": "description", "value": f"text {number}"}})

    def edits():
        kind = wire_events.DocumentEdited
        told = [e for e in shop.told if isinstance(e, kind) and e.document_id == tour_id]
        assert len(told) == 5
        return told

    told = await eventually(edits)
    assert [edit.changes.value for edit in told] == [f"text {number}" for number in range(5)]
    assert [edit.version for edit in told] == [1, 2, 3, 4, 5]
