"""The checklist of a file: what is to be done, by whom, by which day. The office's own list, and no part of the trail.

Days move with the visit: an entry keeps how far before or after it stands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path
from pydantic import BaseModel, Field

from api.access import BEARER, STAFF, Actor, GuardedRoute
from api.bodies import IdempotencyKey, Strictly
from api.files import KnownFile
from api.installation import At, Installation
from api.problems import Problem
from domain.bilingual import Bilingual
from domain.checklist import ChecklistTemplate, Due, Pressing, pressing
from domain.sign_in import Acting
from domain.state import RESTING
from domain.values import BusinessText, Slug, Value, business_date
from storage.checklist_templates import shipped_templates
from storage.checklists import Entry
from storage.metadata import utc_now
from storage.queries import File
from storage.register_log import ChangeRefused

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["checklists"])

EntryId = Annotated[str, Path(pattern=r"^chk_[a-z0-9]{8,64}$", description="The entry's id.")]

AHEAD = timedelta(days=14)

ENTRY = {
    "title": "Đặt hoa đón trưởng đoàn",
    "due": {"anchor": "arrival", "side": "before", "offset": 3, "unit": "working_days"},
    "assignee": "lan",
}


class ChosenTemplate(Value):
    """Which list is taken over."""

    template: Slug


class NewEntry(Value):
    """What is to be done, by when relative to the visit, and by which account. No personal data in the title."""

    title: BusinessText
    due: Due | None = None
    assignee: Slug | None = None


class ChangedEntry(NewEntry):
    """What an entry says from now on; `version` is the one that was read."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class Ticked(Value):
    """Whether it is done."""

    done: bool


class EntryView(BaseModel):
    """An entry. `due_on` is the day in the file's zone; `title` is null where it was erased.

    `pressing` says how the day presses today. Instants are wall time in UTC, `done_by` and the like are accounts.
    """

    id: str
    template: str | None
    title: Bilingual | None
    due: Due | None
    due_on: date | None
    pressing: Pressing
    assignee: str | None
    version: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    done_at: datetime | None
    done_by: str | None


class Checklist(BaseModel):
    """The entries of a file, what comes first on top, undated ones last; and what was chosen, if anything was.

    `templates` are the ids of those that fit the delegation.
    """

    items: tuple[EntryView, ...]
    chosen: str | None
    templates: tuple[str, ...]


class TemplateList(BaseModel):
    """What may be taken over."""

    items: tuple[ChecklistTemplate, ...]


class TaskOfMine(BaseModel):
    """Something that somebody has yet to do, with the file it is for."""

    delegation: str
    file: str
    entry: EntryView


class TasksOfMine(BaseModel):
    """What comes first on top."""

    items: tuple[TaskOfMine, ...]


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except ChangeRefused as refused:
        raise Problem(refused.code) from None


@router.get("/checklist-templates")
async def list_checklist_templates() -> TemplateList:
    """List what is usually to be done, by direction and grade of the guests."""
    return TemplateList(items=shipped_templates())


@router.get("/me/tasks")
async def list_own_tasks(actor: Actor, at: At) -> TasksOfMine:
    """List what one has yet to do within the next 14 days, or should have done, over all open files in reach."""
    return TasksOfMine(items=await tasks_of(at, actor))


@router.get("/delegations/{delegation}/checklist")
async def show_checklist(file: KnownFile, at: At) -> Checklist:
    """Show the checklist of a file."""
    return await checklist_of(at, file)


@router.put("/delegations/{delegation}/checklist")
async def choose_checklist_template(
    file: KnownFile,
    body: Annotated[ChosenTemplate, Strictly(ChosenTemplate), Body(examples=[{"template": "inbound-general"}])],
    actor: Actor,
    at: At,
) -> Checklist:
    """Take a list over into the file, once; from then on it is the file's own."""
    template = next((one for one in shipped_templates() if one.id == body.template), None)
    if template is None:
        raise Problem("checklist_template_unknown")
    with _answered():
        await at.checklists.choose(file.state.id, template, by=actor.id)
    return await checklist_of(at, file)


@router.post("/delegations/{delegation}/checklist", status_code=201)
async def add_checklist_entry(
    file: KnownFile,
    body: Annotated[NewEntry, Strictly(NewEntry), Body(examples=[ENTRY])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> EntryView:
    """Put one more thing on the list."""
    with _answered():
        entry = await at.checklists.add(file.state.id, body.title, body.due, body.assignee, by=actor.id, key=key)
    return (await views_of(at, file, [entry]))[0]


@router.put("/delegations/{delegation}/checklist/{entry}")
async def change_checklist_entry(
    file: KnownFile,
    entry: EntryId,
    body: Annotated[ChangedEntry, Strictly(ChangedEntry), Body(examples=[ENTRY | {"version": 1}])],
    actor: Actor,
    at: At,
) -> EntryView:
    """Let an entry say something else, be due another day, or be somebody else's."""
    with _answered():
        changed = await at.checklists.change(
            file.state.id,
            entry,
            body.version,
            title=body.title,
            due=body.due,
            assignee=body.assignee,
            by=actor.id,
        )
    return (await views_of(at, file, [changed]))[0]


@router.post("/delegations/{delegation}/checklist/{entry}/done")
async def tick_checklist_entry(
    file: KnownFile,
    entry: EntryId,
    body: Annotated[Ticked, Strictly(Ticked), Body(examples=[{"done": True}])],
    actor: Actor,
    at: At,
) -> EntryView:
    """Note that something is done, or not after all: a coordinator, or whoever it is assigned to."""
    with _answered():
        before = await at.checklists.get(file.state.id, entry)
        if not may_tick(actor, before.assignee):
            raise Problem("checklist_entry_not_yours")
        after = await at.checklists.tick(file.state.id, entry, done=body.done, by=actor.id)
    return (await views_of(at, file, [after]))[0]


@router.delete("/delegations/{delegation}/checklist/{entry}", status_code=204)
async def remove_checklist_entry(file: KnownFile, entry: EntryId, actor: Actor, at: At) -> None:
    """Take an entry off the list."""
    with _answered():
        await at.checklists.remove(file.state.id, entry, by=actor.id)


def may_tick(actor: Acting, assignee: str | None) -> bool:
    """Return whether somebody may say that an entry is done."""
    return assignee == actor.id or not set(STAFF).isdisjoint(actor.roles)


async def checklist_of(at: Installation, file: File) -> Checklist:
    """Return the checklist of a file as it stands."""
    entries = await at.checklists.of(file.state.id)
    return Checklist(
        items=tuple(sorted(await views_of(at, file, entries), key=_order)),
        chosen=next((one.template for one in entries if one.template), None),
        templates=tuple(one.id for one in shipped_templates() if one.fits(file.state.direction, file.state.grade)),
    )


async def views_of(at: Installation, file: File, entries: list[Entry]) -> list[EntryView]:
    """Return entries of a file with the days that they come to, in their order."""
    state, edition = file.state, await at.editions.get(file.state.edition)
    # In the demo a file's clock is ahead of the wall's: its last event says how late it is there.
    today = business_date(max(utc_now(), file.updated_at), state.zone)
    found = []
    for one in entries:
        due_on = one.due.day(state.starts, state.ends, edition.work_calendar) if one.due else None
        more = {"due_on": due_on, "pressing": pressing(due_on, today, done=one.done_at is not None)}
        found.append(EntryView.model_validate({**vars(one), **more}))
    return found


async def tasks_of(at: Installation, actor: Acting) -> tuple[TaskOfMine, ...]:
    """Return what somebody has yet to do within the next 14 days, or should have done, in open files in reach."""
    entries = await at.checklists.waiting_for(actor.id)
    if not entries:
        return ()
    files = await at.queries.of(sorted({one.delegation for one in entries}))
    within = None if actor.organisation is None else await at.institution.subtree(actor.organisation, utc_now())
    found = []
    for file in files:
        state = file.state
        if state.phase in RESTING or (within is not None and state.organisation not in within):
            continue
        today = business_date(max(utc_now(), file.updated_at), state.zone)
        for view in await views_of(at, file, [one for one in entries if one.delegation == state.id]):
            near = view.due_on is None or view.due_on <= today + AHEAD
            found += [TaskOfMine(delegation=state.id, file=state.title, entry=view)] if near else []
    return tuple(sorted(found, key=lambda one: (_order(one.entry), one.delegation)))


def _order(one: EntryView) -> tuple[bool, bool, date]:
    return one.done_at is not None, one.due_on is None, one.due_on or date.max
