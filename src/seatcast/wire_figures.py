"""Live figures of the whole shop, as the wire has them: what is booked, what it is worth, and who is there."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from seatcast.wire_parts import Id

Count = Annotated[int, Meta(ge=0, le=2**53)]
Money = Annotated[float, Meta(ge=0)]
"""A decimal number of a currency's units; whoever adds up does so in hundredths before it becomes one."""


class GatewayFigures(Struct, frozen=True):
    """One gateway (each worker of several is one): its connections and the different users among them."""

    id: Id
    connections: Count
    users: Count


class ShopFigures(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """How the shop stands, but for who is there. Publishers that are not ours may know no more than the first three."""

    active_bookings: Count
    """Confirmed ones of departures that have not started, and of undated tours."""
    total_revenue: Money
    """What all confirmed bookings cost, in `currency`; past departures too."""
    timestamp: str
    currency: str | UnsetType = UNSET
    revenue: dict[str, Money] | UnsetType = UNSET
    """By currency, where there is more than one: nothing adds up different ones."""
    seats_sold: Count | UnsetType = UNSET
    """Of the open departures, as `seats_held`."""
    seats_held: Count | UnsetType = UNSET
    bookings_per_minute: Count | UnsetType = UNSET
    """Bookings made in the last 60 s, whatever became of them."""
    gateways: list[GatewayFigures] | UnsetType = UNSET


class Figures(ShopFigures, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """How the shop stands. Kind: latest value, newer by `timestamp`."""

    active_users: Count
    """Different users, and connections without one, over all gateways."""


class MetricsUpdate(
    Figures, frozen=True, rename="camel", omit_defaults=True, tag="METRICS_UPDATE", kw_only=True
):
    """Latest value."""
