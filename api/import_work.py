"""Reading tables for the directory, and entering them, beside the requests that asked for it.

Every step begins from what the register of uploads says and ends with what it then says. So closing a page stops
nothing, and a step that a stop of the process cut off is begun again: by whoever looks at it, or by itself within two
minutes of the next start.
"""

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from storage.directory_imports import Choice, DirectoryImports, Does, Preview, PreviewSuperseded, RowVerdict, Verdict
from storage.directory_rows import RowProblem
from storage.directory_uploads import Upload, Uploads
from storage.errors import StoreUnavailable
from storage.likeness import Likeness
from storage.media_types import AttachmentRefused
from storage.workbook import SpreadsheetRefused

log = structlog.get_logger()

COUNTED: tuple[Verdict, ...] = ("new", "similar", "known", "bad")
DOING: tuple[Does, ...] = ("enter", "name", "leave")

EVERY = timedelta(minutes=1)
"""How often what waits is looked for, and how long it has to have waited: longer than any table takes."""

PATIENCE = 1.0
"""Seconds that a request waits for work that it began: most tables are read in less."""


class ImportWork:
    """Works on one table at a time, in this process."""

    def __init__(self, uploads: Uploads, imports: DirectoryImports) -> None:
        self._uploads = uploads
        self._imports = imports
        self._turn = asyncio.Semaphore()
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._failed: set[tuple[str, str]] = set()
        self._watch: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """See every minute to what a stop cut off, whoever's it is, until closed."""
        self._watch = asyncio.create_task(self._watching())

    async def resume(self) -> None:
        """Go on with the tables that have waited for EVERY; not with those in which something broke in this process."""
        for place in await self._uploads.waiting(EVERY):
            if place not in self._failed and (found := await self._uploads.get(*place)) is not None:
                await self.go_on(place[0], found)

    async def go_on(self, account: str, upload: Upload, *, patience: float = 0) -> None:
        """See to it that a table is read or entered if that is what it waits for; wait for it at most so long.

        `patience` is in seconds of the event loop's clock; what is not done by then goes on by itself.
        """
        if upload.state not in ("sent", "accepted"):
            return
        place = (account, upload.id)
        task = self._tasks.get(place)
        if task is None:
            self._tasks[place] = task = asyncio.create_task(self._work(account, upload.id))
            task.add_done_callback(lambda done: self._over(place, done))
        if patience:
            await asyncio.wait([task], timeout=patience)

    async def close(self) -> None:
        """Stop; what was not finished is begun again later."""
        tasks = [*self._tasks.values(), *([self._watch] if self._watch else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _over(self, place: tuple[str, str], done: asyncio.Task[None]) -> None:
        self._tasks.pop(place, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            self._failed.add(place)
            # Its kind alone: what it says may repeat a row.
            log.error("directory_import_failed", upload=place[1], reason=type(error).__name__)

    async def _watching(self) -> None:
        while True:
            try:
                await self.resume()
            except StoreUnavailable:
                log.warning("directory_imports_not_looked_for")
            await asyncio.sleep(EVERY.total_seconds())

    async def _work(self, account: str, upload: str) -> None:
        async with self._turn:
            try:
                while (found := await self._uploads.get(account, upload)) and found.state in ("sent", "accepted"):
                    await (self._read(account, found) if found.state == "sent" else self._enter(account, found))
            except StoreUnavailable:
                log.warning("directory_import_interrupted", upload=upload)

    async def _read(self, account: str, upload: Upload) -> None:
        content = await self._content(account, upload)
        try:
            preview, names = await self._imports.preview_with_names(content, choices_of(upload))
        except (SpreadsheetRefused, AttachmentRefused) as no:
            params = no.params if isinstance(no, SpreadsheetRefused) else {}
            await self._uploads.move(account, upload.id, "sent", "refused", said={"code": no.code, "params": params})
            return
        said = upload.said | written(preview, names)
        await self._uploads.move(account, upload.id, "sent", "read", said=said, digest=preview.digest)

    async def _enter(self, account: str, upload: Upload) -> None:
        content = await self._content(account, upload)
        try:
            await self._imports.accept(upload.digest or "", content, account, choices_of(upload))
        except (PreviewSuperseded, SpreadsheetRefused, AttachmentRefused):
            kept = {"superseded": True, "choices": upload.said.get("choices", {})}
            await self._uploads.move(account, upload.id, "accepted", "sent", said=kept)
            return
        await self._uploads.move(account, upload.id, "accepted", "entered", said={})

    async def _content(self, account: str, upload: Upload) -> bytes:
        content = await self._uploads.content(account, upload.id)
        if content is None:
            raise LookupError("a table that waits has no content")
        return content


def written(preview: Preview, names: dict[int, str]) -> dict[str, Any]:
    """Return a preview as the register of uploads keeps it: counts, and every row that is not simply new."""
    return {
        "encoding": preview.encoding,
        "separator": preview.separator,
        "counts": {verdict: preview.count(verdict) for verdict in COUNTED},
        "does": {does: preview.doing(does) for does in DOING},
        # What does not fit the directory any more is not chosen any more.
        "choices": {str(row.line): row.choice for row in preview.rows if row.choice is not None},
        "unfit": sorted(preview.unfit),
        "rows": [
            {
                "line": row.line,
                "verdict": row.verdict,
                "alike": [[one.entry, one.score, list(one.reasons)] for one in row.alike],
                "problems": [
                    [problem.column, problem.field, problem.code, dict(problem.context)] for problem in row.problems
                ],
                "name": names.get(row.line, ""),
                "nameable": list(row.nameable),
                "choice": row.choice,
            }
            for row in preview.rows
            if row.verdict != "new" or row.choice is not None
        ],
    }


def row_of(said: dict[str, Any]) -> RowVerdict:
    """Return a row as the register of uploads kept it."""
    line = said["line"]
    return RowVerdict(
        line,
        said["verdict"],
        tuple(Likeness(entry, score, tuple(reasons)) for entry, score, reasons in said["alike"]),
        tuple(RowProblem(line, column, field, code, context) for column, field, code, context in said["problems"]),
        tuple(said.get("nameable", ())),
        said.get("choice"),
    )


def choices_of(upload: Upload) -> dict[int, Choice]:
    """Return what its sender chose for rows of a table, by their lines."""
    return {int(line): choice for line, choice in upload.said.get("choices", {}).items()}
