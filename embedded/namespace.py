"""The namespace of Legation on a Temporal server: made fit at bootstrap, checked at every start-up.

The development server keeps closed runs for 24 hours unless told otherwise, and a delegation's truth is its history:
so retention is set explicitly before the first workflow starts, and a worker refuses to start when it is too short.
"""

from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from embedded.server import SEARCH_ATTRIBUTES


class NamespaceUnfit(Exception):
    """The namespace is missing, forgets closed runs too early, or lacks a search attribute."""


async def prepare_namespace(client: Client, retention: timedelta) -> None:
    """Registers the client's namespace, or raises its retention to at least `retention`; adds search attributes.

    Idempotent. Never shortens a retention that somebody set longer.
    """
    kept = await _retention(client)
    wanted = Duration(seconds=int(retention.total_seconds()))
    if kept is None:
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(namespace=client.namespace, workflow_execution_retention_period=wanted)
        )
    elif kept < retention:
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=client.namespace, config=NamespaceConfig(workflow_execution_retention_ttl=wanted)
            )
        )
    missing = set(SEARCH_ATTRIBUTES) - set(await _search_attributes(client))
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes={name: _indexed_type(SEARCH_ATTRIBUTES[name]) for name in sorted(missing)},
            )
        )
    await check_namespace(client, retention)


async def check_namespace(client: Client, retention: timedelta) -> None:
    """Refuses (`NamespaceUnfit`, one sentence) when the namespace would lose or hide what Legation stores in it."""
    kept = await _retention(client)
    if kept is None:
        raise NamespaceUnfit(f"The Temporal server has no namespace {client.namespace!r}.")
    if kept < retention:
        raise NamespaceUnfit(
            f"The namespace {client.namespace!r} keeps closed runs for {_written(kept)}, and Legation needs "
            f"{_written(retention)}: raise its retention period."
        )
    registered = await _search_attributes(client)
    for name, kind in SEARCH_ATTRIBUTES.items():
        if name not in registered:
            raise NamespaceUnfit(f"The namespace {client.namespace!r} lacks the search attribute {name} ({kind}).")
        if registered[name] != _indexed_type(kind):
            raise NamespaceUnfit(f"The search attribute {name} of {client.namespace!r} is not of type {kind}.")


def _written(time: timedelta) -> str:
    """Whole days, or hours where it is not a number of days."""
    hours = int(time.total_seconds()) // 3600
    return f"{hours} hours" if hours % 24 else f"{hours // 24} days"


async def _retention(client: Client) -> timedelta | None:
    try:
        described = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace)
        )
    except RPCError as refused:
        if refused.status == RPCStatusCode.NOT_FOUND:
            return None
        raise
    return described.config.workflow_execution_retention_ttl.ToTimedelta()


async def _search_attributes(client: Client) -> dict[str, "IndexedValueType.ValueType"]:
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return dict(listed.custom_attributes)


def _indexed_type(kind: str) -> "IndexedValueType.ValueType":
    return IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind.upper()}")
