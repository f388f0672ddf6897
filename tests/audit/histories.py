"""Histories taken from a real server, and ways to damage a copy of one."""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from temporalio.client import Client, WorkflowHistory

Document = dict[str, Any]


async def all_runs(client: Client, delegation: str) -> list[WorkflowHistory]:
    """The histories of every run of a delegation, in the order of the server's list (the newest first)."""
    runs = [one async for one in client.list_workflows(f"WorkflowId = '{delegation}'")]
    return [await client.get_workflow_handle(one.id, run_id=one.run_id).fetch_history() for one in runs]


def decisions(document: Document) -> list[Document]:
    """The markers of decisions in a history's JSON."""
    return [event for event in document["events"] if event["eventType"] == "EVENT_TYPE_MARKER_RECORDED"]


def changed(history: WorkflowHistory, change: Callable[[Document], None]) -> WorkflowHistory:
    """A copy with something changed in its JSON."""
    document = deepcopy(history.to_json_dict())
    change(document)
    return WorkflowHistory.from_json(history.workflow_id, document)


def with_sealed(history: WorkflowHistory, seq: int, change: Callable[[Document], None]) -> WorkflowHistory:
    """A copy in which the sealed event `seq` is changed as it stands in its decision's marker."""

    def change_one(document: Document) -> None:
        for marker in decisions(document):
            payload = marker["markerRecordedEventAttributes"]["details"]["result"]["payloads"][0]
            decision = json.loads(base64.b64decode(payload["data"]))
            for event in decision["events"]:
                if event["seq"] == seq:
                    change(event)
            payload["data"] = base64.b64encode(json.dumps(decision).encode()).decode()

    return changed(history, change_one)
