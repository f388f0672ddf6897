"""A namespace that forgets closed runs too early is refused."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.service import RPCError

from embedded.namespace import NamespaceUnfit, check_namespace
from tests.temporal import Connect


async def test_a_retention_below_the_setting_is_refused_and_both_are_named(connect: Connect) -> None:
    """What the namespace keeps, and what is needed, to the hour; one that keeps enough is not refused for it."""
    name = f"short-{uuid4().hex[:8]}"
    client = await connect(namespace=name)
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=36 * 3600))
    )
    async with asyncio.timeout(30):
        while True:
            try:
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
                break
            except RPCError:
                await asyncio.sleep(0.05)
    with pytest.raises(NamespaceUnfit) as refused:
        await check_namespace(client, timedelta(days=3650))
    assert str(refused.value) == (
        f"The namespace '{name}' keeps closed runs for 36 hours, and Legation needs 3650 days: "
        "raise its retention period."
    )
    with pytest.raises(NamespaceUnfit, match="search attribute"):
        await check_namespace(client, timedelta(hours=36))
