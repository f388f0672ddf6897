"""The way of a file through its desks: who signed what by which right, who is to sign, what came back and why."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response

from api.access import Actor
from api.files import KnownFile
from api.installation import At, Installation
from api.pages.acts import DONE
from api.pages.forms import said
from api.pages.frame import Head, head_of, show_part
from api.pages.offers import bar_of
from api.pages.possible import why_not
from api.pages.reader import Reader, reader_of
from api.pages.route import PageRoute
from api.pages.stateline import edition_words, is_late, step_due
from api.pages.timeline import accounts_in
from api.pages.words import left
from domain.amendment import unapproved
from domain.desk import SIGNING_REPORT
from domain.events import EXTERNAL_AUTHORITY
from domain.seal import SealedEvent
from domain.state import Deadline, Delegation, Proposal, Signature, StandsIn, Step
from locales import translator
from storage.metadata import utc_now
from words.events import Data, Names, sentence_of
from words.events import Reader as Teller

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ON_THE_WAY = (
    "RequestSubmitted",
    "ChangeSubmitted",
    "StepReturned",
    "StepRejected",
    "ExternalDecisionRecorded",
    "RequestWithdrawn",
    "SignaturesVoided",
    "ChangeSuperseded",
    "StepEscalated",
    "DecisionIssued",
)
"""Events that say what became of proposals; signatures stand with their steps."""

SUBMISSIONS = ("RequestSubmitted", "ChangeSubmitted")


@dataclass(frozen=True)
class ShownStep:
    """A step of a chain. `due` is by when it is to be answered, `holders` are the accounts behind each position.

    `path` is where it is answered, for whoever may; `why_not` says to who could expect it why they may not.
    """

    step: Step
    open: bool
    due: Deadline | None
    late: bool
    left: str
    stand_ins: tuple[StandsIn, ...]
    holders: Mapping[str, tuple[str, ...]]
    path: str | None
    why_not: str | None


@dataclass(frozen=True)
class ShownProposal:
    """A proposal, or a change after the decision, with its steps by stage. `standing` says whether it still counts."""

    proposal: Proposal
    of_change: bool
    standing: bool
    stages: tuple[tuple[ShownStep, ...], ...]


@dataclass(frozen=True)
class Occurred:
    """What became of a proposal, in a sentence, with what was written about it for whoever may read it.

    `digest` is that of an earlier submission, which stands nowhere else on the page.
    """

    seq: int
    at: datetime
    actor: str
    said: str
    reason: str | None
    digest: str | None


@router.get("/delegations/{delegation}/approvals")
async def show_approvals_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show the chain of a file by its stages, earlier proposals, and what voids what."""
    state, reader = file.state, reader_of(request)
    head = await head_of(request, at, file, actor)
    bar = bar_of(head.possible)
    rules = edition_words(head.edition, reader.language)
    paths = {one.step.id: one.path for one in (bar.next, *bar.more) if one and one.step}
    refused = {one.step.id: why_not(request, one.refusal, rules) for one in bar.waiting if one.step}
    holders = await _holders(at, state, reader)
    shown = tuple(_shown(head, state, reader, one, holders, paths, refused) for one in reversed(state.proposals))
    events = await at.queries.events(state.id, types=ON_THE_WAY)
    signed = {one for proposal in state.proposals for step in proposal.steps for one in _behind(step.signed_by)}
    accounts = {
        *signed,
        *(one.actor for one in events),
        *accounts_in(one.data for one in events),
        *(one.submitted_by for one in state.proposals),
        *(account for one in state.stand_ins for account in (one.account, one.substitute)),
    }
    known = await at.accounts.names(accounts) if reader.sees_personal_data else {}
    happened = await _happened(at, head, reader, state, events, known)
    change = unapproved(state, head.edition)
    return await show_part(
        request,
        at,
        file,
        actor,
        "approvals.html",
        "/approvals",
        head=head,
        said=said(request, DONE),
        shown=shown,
        happened=happened,
        names={account: known.get(account, account) for account in accounts},
        titles=head.titles,
        acts={one.act.name: one for one in (bar.next, *bar.more) if one},
        unapproved=change.changed if change and not state.amending else (),
        external=EXTERNAL_AUTHORITY,
        reporting=SIGNING_REPORT,
    )


def _shown(
    head: Head,
    state: Delegation,
    reader: Reader,
    proposal: Proposal,
    holders: Mapping[str, tuple[str, ...]],
    paths: Mapping[str, str],
    refused: Mapping[str, str | None],
) -> ShownProposal:
    standing = proposal is state.current_proposal or proposal in (state.approved, state.amended)
    opened = {step.id for step in state.open_steps} if proposal is state.current_proposal else set()
    words = translator(reader.language)

    def step_of(step: Step) -> ShownStep:
        is_open = step.id in opened
        due = step_due(state, step) if is_open else None
        return ShownStep(
            step=step,
            open=is_open,
            due=due,
            late=due is not None and is_late(due, head.today),
            left=left(head.today, due.due_on, head.edition, words) if due else "",
            stand_ins=tuple(one for one in state.stand_ins if one.what == step.id) if is_open else (),
            holders={one: holders[one] for one in step.waits_for if one in holders} if is_open else {},
            path=paths.get(step.id) if is_open else None,
            why_not=refused.get(step.id) if is_open else None,
        )

    stages = groupby(proposal.steps, key=lambda step: step.plan.stage if step.plan.stage is not None else step.id)
    return ShownProposal(
        proposal=proposal,
        of_change=proposal is not state.proposal,
        standing=standing and not proposal.withdrawn,
        stages=tuple(tuple(step_of(step) for step in steps) for _, steps in stages),
    )


async def _holders(at: Installation, state: Delegation, reader: Reader) -> Mapping[str, tuple[str, ...]]:
    """Return who holds the positions that the file waits for, by name for whoever may read names."""
    positions = dict.fromkeys(one for step in state.open_steps for one in step.waits_for if one != EXTERNAL_AUTHORITY)
    if not positions:
        return {}
    seating = await at.institution.seating(utc_now())
    holders = {one: seating.holders(one, state.organisation) for one in positions}
    known = {one.id: one.name for one in await at.accounts.several({who for held in holders.values() for who in held})}
    return {
        position: tuple(known[one] if reader.sees_personal_data else one for one in held if one in known)
        for position, held in holders.items()
    }


async def _happened(
    at: Installation,
    head: Head,
    reader: Reader,
    state: Delegation,
    events: Sequence[SealedEvent],
    known: Mapping[str, str],
) -> tuple[Occurred, ...]:
    """Return what became of every proposal of the file, the newest first; accounts by the names that are known."""
    told = [one for one in events if one.type != "ExternalDecisionRecorded" or one.data["outcome"] != "approved"]
    wanted = [one.data["reason"]["ref"] for one in told if one.data.get("reason")]
    texts = await at.texts.read_many(wanted) if reader.sees_personal_data and wanted else {}
    words = translator(reader.language)
    due: dict[str, Data] = {what: one.rule.model_dump() for what, one in state.deadlines.items()}
    teller = Teller(words, edition_words(head.edition, reader.language), state.zone, due, Names(accounts=known))
    standing = {one.digest for one in state.proposals}
    return tuple(reversed([_occurred(one, teller, texts, standing) for one in told]))


def _occurred(event: SealedEvent, teller: Teller, texts: Mapping[str, str], standing: Collection[str]) -> Occurred:
    reason: Any = event.data.get("reason")
    return Occurred(
        seq=event.seq,
        at=event.instant,
        actor=event.actor,
        said=sentence_of({"type": event.type, "data": event.data}, teller),
        reason=texts.get(reason["ref"]) if reason else None,
        digest=event.data["digest"] if event.type in SUBMISSIONS and event.data["digest"] not in standing else None,
    )


def _behind(signatures: Sequence[Signature]) -> Iterator[str]:
    for one in signatures:
        yield one.by
        if one.right.on_behalf_of:
            yield one.right.on_behalf_of
