"""The final report of a file: when it is due, what the file itself says for it, what is written, who accepted it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from api.access import Actor
from api.documents import list_documents
from api.files import KnownFile
from api.installation import At, Installation
from api.pages.acts import DONE
from api.pages.forms import Form, FormRefused, attached, done, must_write, read, said, send, write
from api.pages.frame import head_of, show_part
from api.pages.offers import BY_NAME, bar_of, refusal_of
from api.pages.possible import why_not
from api.pages.reader import Reader, reader_of
from api.pages.route import PageRoute
from api.pages.stateline import edition_words, is_late
from api.pages.words import left
from domain.commands import FileReport
from domain.events import Right
from domain.sign_in import Acting
from domain.state import Delegation
from domain.values import days_between
from locales import translator
from storage.queries import File

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ACT = BY_NAME["file_report"]
ITS_DOCUMENTS = ("final_report", "annex")


@dataclass(frozen=True)
class Compiled:
    """What the file itself says for its report, in numbers; it is part of what is signed."""

    delegates: int
    left: int
    countries: tuple[str, ...]
    days: int
    held: tuple[tuple[str, int], ...]
    cancelled: int
    formalities: int


@dataclass(frozen=True)
class Returned:
    """Why a report came back, from whom, and when."""

    number: int
    at: Any
    actor: str
    right: Right | None
    reason: str | None


@router.get("/delegations/{delegation}/report")
async def show_report_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show the report of a file, and how to file it to whoever may."""
    return await _page(request, at, file, actor, await _form(request, at, file.state))


@router.post("/delegations/{delegation}/report")
async def file_report_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """File the report. Sent again, the same form files it once."""
    typed, state = request.state.form, file.state
    if "again" in typed:
        return await _page(request, at, file, actor, Form("report", FileReport, typed))
    try:
        annexes = attached(request, typed, "annexes")
        more = {
            "results": (await must_write(request, at, state.id, "results", typed, actor)).model_dump(),
            "recommendations": (
                written.model_dump()
                if (written := await write(request, at, state.id, "recommendations", typed, actor))
                else None
            ),
            "annexes": [one.model_dump() for one in annexes] or None,
        }
        command = read(request, FileReport, typed, more)
        await send(request, at, state.id, [command], typed, actor)
    except FormRefused as wrong:
        now = await at.queries.get(state.id) or file
        form = wrong.form("report", FileReport, typed)
        return await _page(request, at, now, actor, form, status=wrong.status)
    return done(f"/delegations/{state.id}/report", "file_report")


async def _form(request: Request, at: Installation, state: Delegation) -> Form:
    """Return the form as it begins: with what the last report said, since it is rarely written anew."""
    report, typed = state.report, dict[str, str | Sequence[str]]()
    if report is not None and reader_of(request).sees_personal_data:
        texts = await _texts(at, state, reader_of(request))
        typed["results"] = texts.get(report.results.ref, "")
        if report.recommendations:
            typed["recommendations"] = texts.get(report.recommendations.ref, "")
        typed["annexes"] = [f"{one.digest} {one.size} {one.media_type}" for one in report.annexes]
    return Form("report", FileReport, typed)


async def _texts(at: Installation, state: Delegation, reader: Reader) -> Mapping[str, str]:
    report = state.report
    if report is None or not reader.sees_personal_data:
        return {}
    return await at.texts.read_many([one.ref for one in (report.results, report.recommendations) if one])


async def _page(
    request: Request, at: Installation, file: File, actor: Acting, form: Form, *, status: int = 200
) -> Response:
    state, reader = file.state, reader_of(request)
    head = await head_of(request, at, file, actor)
    words, rules = translator(reader.language), edition_words(head.edition, reader.language)
    satisfying = {(one.id, one.version) for one in head.edition.deadlines if one.satisfied_by == "report_filed"}
    due = next((one for one in state.deadlines.values() if (one.rule.rule, one.rule.version) in satisfying), None)
    refusal = refusal_of(ACT, head.possible)
    report = state.report
    returned = await _returned(at, state, reader)
    accounts = (
        {one for one in (report.filed_by, report.accepted_by, report.right and report.right.on_behalf_of) if one}
        if report
        else set[str]()
    )
    accounts |= {one.actor for one in returned}
    known = await at.accounts.names(accounts) if reader.sees_personal_data else {}
    bar = bar_of(head.possible)
    accepting = next((one for one in (bar.next, *bar.more) if one and one.act.name == "accept_report"), None)
    documents = (await list_documents(file, at)).items
    return await show_part(
        request,
        at,
        file,
        actor,
        "report.html",
        "/report",
        status=status,
        head=head,
        said=said(request, DONE),
        form=form,
        may=refusal is None,
        why_not=why_not(request, refusal, rules),
        due=due,
        late=due is not None and is_late(due, head.today),
        left=left(head.today, due.due_on, head.edition, words) if due else "",
        duty=rules.duty(due.what, due.rule.model_dump()) if due else "",
        compiled=compiled(state),
        report=report,
        texts=await _texts(at, state, reader),
        returned=returned,
        accepting=accepting,
        titles=head.titles,
        names={account: known.get(account, account) for account in accounts},
        documents=[one for one in documents if one.kind in ITS_DOCUMENTS],
    )


async def _returned(at: Installation, state: Delegation, reader: Reader) -> tuple[Returned, ...]:
    """Return every return of a report, the newest first."""
    if state.report is None:
        return ()
    events = await at.queries.events(state.id, types=("ReportReturned",))
    wanted = [one.data["reason"]["ref"] for one in events]
    texts = await at.texts.read_many(wanted) if wanted and reader.sees_personal_data else {}
    return tuple(
        Returned(
            number=one.data["report"],
            at=one.instant,
            actor=one.actor,
            right=Right.model_validate(one.data["right"]) if one.data.get("right") else None,
            reason=texts.get(one.data["reason"]["ref"]),
        )
        for one in reversed(events)
    )


def compiled(state: Delegation) -> Compiled:
    """Return what the file itself says for its report."""
    delegates = [one for one in state.people.values() if one.delegate]
    items = state.items.values()
    return Compiled(
        delegates=state.head_count,
        left=sum(not one.active for one in delegates),
        countries=tuple(dict.fromkeys(one.country for one in state.delegates if one.country)),
        days=days_between(state.starts, state.ends),
        held=tuple(Counter(one.kind for one in items if not one.cancelled).most_common()),
        cancelled=sum(one.cancelled for one in items),
        formalities=len(state.standing_formalities),
    )
