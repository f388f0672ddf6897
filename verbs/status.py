"""`legation status`: the parts of the running stack and their health, asked of the parts themselves."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from embedded.folder import StackRecord
from embedded.health import Health, archive, check_of
from embedded.ports import HOST
from locales import Translator
from verbs.language import translator_of
from verbs.options import options
from verbs.running import running


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Show the parts and their health. The exit code is 0 if all are ready, else 1."""
    settings = options(context).settings()
    record, translator = running(settings), translator_of(settings)
    found, kept = asyncio.run(_ask(record))
    if as_json:
        typer.echo(json.dumps(_document(record, found, kept), indent=2, ensure_ascii=False))
    else:
        Console().print(_table(record, found, kept, translator))
        if not record.complete:
            Console().print(translator.tr("Legation is still starting."))
    if not _ready(record, found, kept):
        raise typer.Exit(1)


async def _ask(record: StackRecord) -> tuple[dict[str, Health], Health | None]:
    """Ask each part, and the API for what it says of the archive, which is no process."""
    checks = {
        name: check_of(
            name,
            record.ports,
            record.temporal_namespace,
            record.temporal_task_queue,
            own_server=record.has_own_server,
        )
        for name in record.parts
    }
    asked = asyncio.gather(*(check(record.parts[name].pid) for name, check in checks.items()))
    answers, kept = await asyncio.gather(asked, archive(record.ports.api))
    return dict(zip(checks, answers, strict=True)), kept


def _ready(record: StackRecord, found: dict[str, Health], kept: Health | None) -> bool:
    return record.complete and all(each.ready for each in (*found.values(), *([kept] if kept else ())))


def _document(record: StackRecord, found: dict[str, Health], kept: Health | None) -> dict[str, object]:
    return {
        "profile": record.profile,
        "started_at": record.started_at.isoformat(),
        "ready": _ready(record, found, kept),
        "archive": None if kept is None else {"ready": kept.ready, "detail": kept.detail},
        "parts": [
            {
                "name": name,
                "ready": health.ready,
                "detail": health.detail,
                "address": _address(record, name),
                "pid": record.parts[name].pid,
                "started_at": record.parts[name].started_at.isoformat(),
                "restarts": record.parts[name].restarts,
            }
            for name, health in found.items()
        ],
    }


def _table(record: StackRecord, found: dict[str, Health], kept: Health | None, translator: Translator) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(translator.tr("Part"))
    table.add_column(translator.tr("Health"))
    table.add_column(translator.tr("Address"))
    table.add_column(translator.tr("Process"), justify="right")
    table.add_column(translator.tr("Restarts"), justify="right")
    for name, health in found.items():
        part = record.parts[name]
        style = "green" if health.ready else "red"
        table.add_row(
            name,
            f"[{style}]{translator.tr(health.detail)}[/]",
            _address(record, name) or "",
            str(part.pid),
            str(part.restarts),
        )
    if kept is not None:
        style = "green" if kept.ready else "red"
        table.add_row("archive", f"[{style}]{translator.tr(kept.detail)}[/]", "", "", "")
    return table


def _address(record: StackRecord, name: str) -> str | None:
    match name:
        case "api":
            return record.api_url
        case "temporal":
            return record.temporal_address
        case "mailbox":
            return f"http://{HOST}:{record.ports.webmail}"
        case _:
            return None
