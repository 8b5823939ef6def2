"""RabbitMQ over TLS, as docs/deployment.md says."""

import pytest

from seatcast.broker import BrokerUnavailable, Message
from seatcast.broker.rabbitmq import RabbitBroker
from seatcast.broker.rabbitmq_connection import RabbitConnection

from .contract import KEYS, take


async def test_events_pass_over_tls_where_its_authority_is_named(private_rabbitmq):
    url = f"{private_rabbitmq.tls_url}/?cafile={private_rabbitmq.certificate}"
    async with RabbitBroker(url) as broker, broker.subscribe("tls", KEYS) as subscription:
        [outcome] = await broker.publish([Message(KEYS[0], b"over TLS")])
        assert outcome is None
        assert [delivery.body for delivery in await take(subscription, 1)] == [b"over TLS"]


async def test_a_server_that_nobody_vouches_for_is_refused_in_one_line(private_rabbitmq):
    with pytest.raises(BrokerUnavailable, match="CERTIFICATE_VERIFY_FAILED") as refused:
        await RabbitConnection.open(private_rabbitmq.tls_url, "tls")
    assert "\n" not in str(refused.value)
    assert "guest" not in str(refused.value)
