"""What is to be done for a visit, and what was noted beside its file: a page for each, and a summary of both."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from api.access import STAFF, Actor
from api.checklists import (
    ChangedEntry,
    Checklist,
    ChosenTemplate,
    EntryId,
    EntryView,
    NewEntry,
    Ticked,
    add_checklist_entry,
    change_checklist_entry,
    checklist_of,
    choose_checklist_template,
    may_tick,
    remove_checklist_entry,
    tick_checklist_entry,
)
from api.desks import PageQuery
from api.files import KnownFile
from api.installation import At, Installation
from api.notes import (
    ChangedNote,
    NoteId,
    NoteList,
    change_note,
    list_note_versions,
    list_notes,
    write_note,
)
from api.pages.answering import answering
from api.pages.forms import Form, FormRefused, all_errors, done, key_of, read, said
from api.pages.frame import show_part
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.typed import Typed, number_of
from api.problems import Problem
from api.texts import WrittenText
from domain.sign_in import Acting
from locales import Translator, mark, translator
from storage.checklist_templates import shipped_templates
from storage.queries import File
from words.checklist import due_words

router = APIRouter(route_class=PageRoute, include_in_schema=False)

SAID = {
    "chosen": mark("The list was taken over. It is this file’s own now: add, change and remove what you like."),
    "added": mark("The task was added."),
    "changed": mark("The task was changed."),
    "removed": mark("The task was taken off the list."),
    "ticked": mark("The task is done."),
    "unticked": mark("The task waits again."),
    "noted": mark("The note was written."),
    "renoted": mark("The note was changed; what it said before stays to be read."),
}

WHEN = (
    ("arrival.before", mark("before the first day")),
    ("arrival.after", mark("after the first day")),
    ("departure.before", mark("before the last day")),
    ("departure.after", mark("after the last day")),
)
UNITS = (("working_days", mark("working days")), ("days", mark("calendar days")))

PLACES = {"account_unknown": "assignee", "checklist_entry_changed": ""}

SUMMARY_TASKS = 5
SUMMARY_NOTES = 2


@router.get("/delegations/{delegation}/checklist")
async def show_checklist_page(
    file: KnownFile, request: Request, actor: Actor, at: At, edit: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """Show what is to be done for the visit, what is due first on top. `edit` names the entry whose form is open."""
    return await _checklist(request, at, file, actor, editing=edit)


@router.post("/delegations/{delegation}/checklist")
async def change_checklist_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Take a list over, or put something on it."""
    typed: Typed = request.state.form
    _require_staff(actor)
    path = f"/delegations/{file.state.id}/checklist"
    try:
        if typed.get("form") == "choose":
            with answering(request, {"checklist_template_unknown": "template"}):
                await choose_checklist_template(file, read(request, ChosenTemplate, typed), actor, at)
            return done(path, "chosen")
        body = read(request, NewEntry, typed, {"due": _due(typed)})
        with answering(request, PLACES):
            await add_checklist_entry(file, body, key_of(typed), actor, at)
        return done(path, "added")
    except FormRefused as wrong:
        name, model = ("choose", ChosenTemplate) if typed.get("form") == "choose" else ("add", NewEntry)
        return await _checklist(request, at, file, actor, form=wrong.form(name, model, typed), status=wrong.status)


@router.post("/delegations/{delegation}/checklist/{entry}")
async def change_checklist_entry_by_page(
    entry: EntryId, file: KnownFile, request: Request, actor: Actor, at: At
) -> Response:
    """Tick an entry or take the tick back, change it, or take it off the list."""
    typed: Typed = request.state.form
    path = f"/delegations/{file.state.id}/checklist"
    act = typed.get("act", "")
    try:
        if act in ("tick", "untick"):
            with answering(request):
                await tick_checklist_entry(file, entry, Ticked(done=act == "tick"), actor, at)
            return done(path, f"{act}ed", entry)
        _require_staff(actor)
        if act == "remove":
            with answering(request):
                await remove_checklist_entry(file, entry, actor, at)
            return done(path, "removed")
        body = read(request, ChangedEntry, typed, {"due": _due(typed)})
        with answering(request, PLACES):
            await change_checklist_entry(file, entry, body, actor, at)
        return done(path, "changed", entry)
    except FormRefused as wrong:
        now = next((one for one in (await checklist_of(at, file)).items if one.id == entry), None)
        # Whoever sees what others made of it meanwhile, and saves again, means it; what is gone is added anew.
        form = wrong.form("change", ChangedEntry, typed | {"version": str(now.version)}) if now else None
        form = form or wrong.form("add", NewEntry, typed)
        return await _checklist(request, at, file, actor, form=form, editing=entry, status=wrong.status)


@router.get("/delegations/{delegation}/notes")
async def show_notes_page(
    file: KnownFile,
    request: Request,
    actor: Actor,
    at: At,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    edit: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Show what was noted beside the file, the last on top. `edit` names the note whose form is open."""
    return await _notes(request, at, file, actor, cursor=cursor, editing=edit)


@router.post("/delegations/{delegation}/notes")
async def write_note_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Write a note."""
    typed: Typed = request.state.form
    try:
        body = read(request, WrittenText, typed)
        with answering(request):
            note = await write_note(file, body, key_of(typed), actor, at)
        return done(f"/delegations/{file.state.id}/notes", "noted", note.id)
    except FormRefused as wrong:
        form = wrong.form("write", WrittenText, typed)
        return await _notes(request, at, file, actor, form=form, status=wrong.status)


@router.get("/delegations/{delegation}/notes/{note}")
async def show_note_page(note: NoteId, file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show every version of a note."""
    versions = (await list_note_versions(file, note, at)).items
    names = await _names(request, at, {one.author for one in versions})
    return await show_part(request, at, file, actor, "note.html", "", versions=versions[::-1], called=names)


@router.post("/delegations/{delegation}/notes/{note}")
async def change_note_by_page(note: NoteId, file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Write one's own note anew."""
    typed: Typed = request.state.form
    try:
        body = read(request, ChangedNote, typed)
        with answering(request):
            await change_note(file, note, body, actor, at)
        return done(f"/delegations/{file.state.id}/notes", "renoted", note)
    except FormRefused as wrong:
        now = (await list_note_versions(file, note, at)).items[-1]
        form = wrong.form("rewrite", ChangedNote, typed | {"version": str(now.version)})
        return await _notes(request, at, file, actor, form=form, editing=note, status=wrong.status)


async def work_of(request: Request, at: Installation, file: File, actor: Acting) -> dict[str, Any]:
    """Return what `checklist_part.html` and `notes_part.html` show on another page of a file.

    Nothing for those who see no personal data: the parts are then left out.
    """
    if not reader_of(request).sees_personal_data:
        return {}
    checklist = await checklist_of(at, file)
    notes = await list_notes(file, PageQuery(limit=SUMMARY_NOTES), at)
    accounts = {one.assignee for one in checklist.items if one.assignee} | {one.author for one in notes.items}
    return {
        "checklist": checklist,
        "next_tasks": [one for one in checklist.items if one.done_at is None][:SUMMARY_TASKS],
        "file_notes": notes,
        "called": await at.accounts.names(accounts),
    }


async def _checklist(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    *,
    form: Form | None = None,
    editing: str = "",
    status: int = 200,
) -> Response:
    checklist, words = await checklist_of(at, file), translator(reader_of(request).language)
    forms = {one.name: one for one in _forms(checklist, editing, words)} | ({form.name: form} if form else {})
    known = {account.id: account.name for account in await at.accounts.actors()}
    people = {one for entry in checklist.items for one in (entry.assignee, entry.done_by) if one}
    return await show_part(
        request,
        at,
        file,
        actor,
        "checklist.html",
        "",
        status=status,
        checklist=checklist,
        open_tasks=[one for one in checklist.items if one.done_at is None],
        done_tasks=[one for one in checklist.items if one.done_at is not None],
        due_on_words={one.id: due_words(**one.due.model_dump(), words=words) for one in checklist.items if one.due},
        may_change=_is_staff(actor),
        may_tick={one.id for one in checklist.items if may_tick(actor, one.assignee)},
        called=known | {one: name for one, name in (await at.accounts.names(people)).items() if one not in known},
        accounts=sorted(known.items(), key=lambda one: one[1]),
        templates=[(one.id, one.title.text(words.language)) for one in _templates(checklist)],
        when=[(code, words.tr(sentence)) for code, sentence in WHEN],
        units=[(code, words.tr(sentence)) for code, sentence in UNITS],
        editing=editing,
        forms=forms,
        errors=all_errors([form] if form else []),
        said=said(request, SAID),
    )


def _forms(checklist: Checklist, editing: str, words: Translator) -> Iterable[Form]:
    yield Form("choose", ChosenTemplate, {"template": checklist.templates[-1] if checklist.templates else ""})
    yield Form("add", NewEntry, {"due.unit": "working_days", "due.when": "arrival.before"})
    entry = next((one for one in checklist.items if one.id == editing), None)
    yield Form("change", ChangedEntry, _typed(entry, words) if entry else {})


def _typed(entry: EntryView, words: Translator) -> dict[str, str]:
    due = entry.due
    return {
        "title": entry.title.text(words.language) if entry.title else "",
        "assignee": entry.assignee or "",
        "version": str(entry.version),
        "due.offset": str(due.offset) if due else "",
        "due.unit": due.unit if due else "working_days",
        "due.when": f"{due.anchor}.{due.side}" if due else "arrival.before",
    }


def _templates(checklist: Checklist) -> list[Any]:
    """Those that fit first: of a template for a grade and one for any, the more particular one."""
    fitting = [one for one in shipped_templates() if one.id in checklist.templates]
    return [*reversed(fitting), *(one for one in shipped_templates() if one not in fitting)]


def _due(typed: Typed) -> dict[str, Any] | None:
    """Return the day as it was typed; None where no number of days was. What is no number is judged by the body."""
    text = typed.get("due.offset", "").strip()
    if not text:
        return None
    anchor, _, side = typed.get("due.when", "").partition(".")
    number = number_of(text)
    return {
        "anchor": anchor,
        "side": side,
        "offset": text if number is None else number,
        "unit": typed.get("due.unit", ""),
    }


async def _notes(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    *,
    cursor: str | None = None,
    form: Form | None = None,
    editing: str = "",
    status: int = 200,
) -> Response:
    notes: NoteList = await list_notes(file, PageQuery(limit=20, cursor=cursor), at)
    own = next((one for one in notes.items if one.id == editing and one.author == actor.id), None)
    forms = {
        "write": Form("write", WrittenText),
        "rewrite": Form("rewrite", ChangedNote, {"text": own.text or "", "version": str(own.version)} if own else {}),
    } | ({form.name: form} if form else {})
    return await show_part(
        request,
        at,
        file,
        actor,
        "notes.html",
        "",
        status=status,
        file_notes=notes,
        called=await _names(request, at, {one.author for one in notes.items}),
        editing=editing if own or form else "",
        me=actor.id,
        forms=forms,
        errors=all_errors([form] if form else []),
        said=said(request, SAID),
    )


async def _names(request: Request, at: Installation, accounts: set[str]) -> Mapping[str, str]:
    return await at.accounts.names(accounts) if reader_of(request).sees_personal_data else {}


def _is_staff(actor: Acting) -> bool:
    return not set(STAFF).isdisjoint(actor.roles)


def _require_staff(actor: Acting) -> None:
    if not _is_staff(actor):
        raise Problem("role_not_allowed")
