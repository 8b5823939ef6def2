"""What frames, events and REST bodies are made of: ids, bounded numbers, and the seats of a tour."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from seatcast.domain import MAX_DEPARTURE_SEATS, MAX_TOUR_SEATS

Id = Annotated[str, Meta(min_length=1, max_length=128)]
RequestId = Annotated[str, Meta(max_length=128)] | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""A client's own mark on a request, echoed in the answer; a number of at most 64 bits."""

DepartureSeats = Annotated[int, Meta(ge=0, le=MAX_DEPARTURE_SEATS)]
TourSeats = Annotated[int, Meta(ge=0, le=MAX_TOUR_SEATS)]
Version = Annotated[int, Meta(ge=0, le=2**53)]
"""At most 2**53, the largest whole number that a browser holds exactly."""


class Departure(Struct, frozen=True, rename="camel"):
    """One dated departure inside a frame or event; absent on undated tours."""

    id: Id
    starts_at: str
    available_seats: DepartureSeats
    capacity: DepartureSeats
    held: DepartureSeats
    version: Version


class Availability(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """The seats of one tour and, on a dated tour, of one departure of it. Kind: latest value.

    Top-level numbers are always the tour's. `tour_name`, `capacity` and `held` are unknown (absent)
    only where the tour comes from a publisher that does not tell them.
    """

    tour_id: Id
    available_seats: TourSeats
    timestamp: str
    tour_name: str | UnsetType = UNSET
    capacity: TourSeats | UnsetType = UNSET
    held: TourSeats | UnsetType = UNSET
    version: Version
    departure: Departure | UnsetType = UNSET
