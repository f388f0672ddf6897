"""What a person does with a file, each act on a page of its own: what will happen in a sentence, then the button.

An act that leads to what depends on what is typed is shown once more, with what it leads to, before it is done.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from api.access import Actor
from api.commands import no_successor
from api.dead_letters import DeadLetterQuery, list_dead_letters
from api.engine import command_id_of
from api.files import KnownFile
from api.installation import At, Installation
from api.pages.consequences import consequences, seen
from api.pages.dossier import Traveller, people_of
from api.pages.forms import Form, FormRefused, attached, done, key_of, must_write, read, send, write
from api.pages.frame import Head, head_of, show_part
from api.pages.limits import limits_of
from api.pages.offers import BY_NAME, LATER, Act, Foreseen, foreseen, refusal_of
from api.pages.possible import Possible, chain_warnings, seated, why_not
from api.pages.problems import sentence_of
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.stateline import edition_words
from api.pages.typed import Typed, day_of
from api.pages.uploads import Kept
from api.pages.words import word
from api.problems import Problem, refused
from domain.commands import HandOver, PublicCommand
from domain.deadlines import standing
from domain.events import ChangeSubmitted, DeadlineSet, RequestSubmitted
from domain.formalities import OF_THE_FILE
from domain.permission import in_reach
from domain.policies import Matter
from domain.sign_in import Acting
from domain.state import Delegation
from domain.values import Slug
from locales import Language, mark, translator
from storage.queries import File
from words.codes import ANSWERS, CHANNELS, FORMALITIES, sentence_case
from words.edition import EditionWords

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ActName = Annotated[Slug, Path()]

REASONED = ("withdraw_request", "postpone", "cancel_delegation", "reopen_delegation")
"""Acts whose command has a reason that is written with them."""

OUTCOMES = {
    "approved": mark("It approves"),
    "returned": mark("It sends the file back"),
    "rejected": mark("It refuses"),
}

DONE = {
    "submit_request": mark("The proposal is submitted."),
    "submit_change": mark("The change is submitted."),
    "withdraw_request": mark("The proposal is taken back."),
    "adopt_rules": mark("The file is under the newer rules now."),
    "issue_decision": mark("The decision is issued."),
    "invite": mark("The invitations are on their way."),
    "record_external_decision": mark("The letter is recorded."),
    "record_reply": mark("The answer is recorded."),
    "choose_channel": mark("The choice is kept."),
    "resend_mail": mark("The messages are sent again."),
    "record_formality": mark("The formality is recorded."),
    "hand_over": mark("The file is handed over."),
    "depart": mark("The journey has begun."),
    "conclude": mark("The journey has ended; the report is due."),
    "file_report": mark("The report is filed."),
    "postpone": mark("The delegation is put off."),
    "resume": mark("The delegation is taken up again; it needs approval anew."),
    "cancel_delegation": mark("The delegation is called off."),
    "close_delegation": mark("The file is closed."),
    "reopen_delegation": mark("The file is open again."),
}
"""What is said once an act is done."""

FILED = {"record_external_decision": "letter", "issue_decision": "document", "record_formality": "document"}
"""The field of an act that takes a file."""

FOLDED = 24

WRITTEN: dict[str, tuple[tuple[str, str], ...]] = {
    "withdraw_request": (("reason", mark("Reason")),),
    "issue_decision": (("number", mark("Number of the decision")), ("document", mark("The signed decision"))),
    "record_external_decision": (
        ("step_id", mark("Which step it decides")),
        ("outcome", mark("What it decides")),
        ("authority", mark("Authority")),
        ("reference", mark("Number of the letter")),
        ("dated", mark("Date of the letter")),
        ("letter", mark("The signed letter")),
        ("reason", mark("Reasons of the authority")),
    ),
    "record_reply": (
        ("participant_id", mark("Whose answer it is")),
        ("item_id", mark("To what")),
        ("answer", mark("What they answer")),
        ("comment", mark("What they said with it")),
    ),
    "choose_channel": (("participant_id", mark("Whose calendar")), ("channel", mark("How it hears from now on"))),
    "record_formality": (
        ("kind", mark("What was done")),
        ("members", mark("For whom")),
        ("reference", mark("Number of the letter or receipt")),
        ("document", mark("The letter or receipt")),
    ),
    "hand_over": (("to", mark("To whom")),),
    "postpone": (("reason", mark("Reason")),),
    "resume": (("starts", mark("First day")), ("ends", mark("Last day"))),
    "cancel_delegation": (("reason", mark("Reason")),),
    "reopen_delegation": (("reason", mark("Reason")),),
}
"""What an act that is checked was filled in with, field by field, and what the fields are called."""

SEEN = re.compile(r"^([0-9]{1,9})-([0-9a-f]{64})$")
"""What the form of a check carries: after which event it was shown, and what stands for what it showed."""

AGAIN = mark("Something changed meanwhile: what this leads to is no longer what you saw. Look at it again.")


@dataclass(frozen=True)
class Heard:
    """What some people would all hear alike, and who they are. `asked` and `cancelled` are titles of items."""

    who: tuple[Traveller, ...]
    asked: tuple[str, ...]
    cancelled: tuple[str, ...]
    letter: bool
    seen: int


@router.get("/delegations/{delegation}/acts/{act}")
async def show_act_page(act: ActName, file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show an act before it is done: what will happen, who will be told what, and what has to be filled in."""
    asked = _act(act)
    started = {
        name: request.query_params[name] for name in ("participant_id", "step_id") if name in request.query_params
    }
    return await _page(request, at, file, actor, asked, Form(asked.name, asked.kind, started))


@router.post("/delegations/{delegation}/acts/{act}")
async def send_act_by_page(act: ActName, file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Do an act, and go on to the file. Sent again, the same form is done once."""
    asked, typed = _act(act), request.state.form
    if "again" in typed:
        return await _page(request, at, file, actor, asked, Form(asked.name, asked.kind, typed))
    try:
        command = await command_of(request, at, file.state, asked, typed, actor)
        if asked.checked and (check := await _check(request, at, file, actor, asked, typed, command)):
            return check
        await send(request, at, file.state.id, [command], typed, actor)
    except FormRefused as wrong:
        now = await at.queries.get(file.state.id) or file
        form = wrong.form(asked.name, asked.kind, typed)
        return await _page(request, at, now, actor, asked, form, status=wrong.status)
    return done(f"/delegations/{file.state.id}{asked.back}", asked.name)


def _act(name: str) -> Act:
    act = BY_NAME.get(name)
    if act is None or act.path or act.name == "sign_off":
        raise Problem("not_found")
    return act


async def _check(
    request: Request, at: Installation, file: File, actor: Acting, act: Act, typed: Typed, command: PublicCommand
) -> Response | None:
    """Return the page that shows what an act leads to, or None where the form comes from it and nothing changed since.

    FormRefused where the act would be refused. What was done already under the form's key is not shown again.
    """
    shown = SEEN.fullmatch(typed.get("seen", ""))
    if shown and await _is_done(at, file.state.id, actor, key_of(typed), int(shown[1])):
        return None
    head = await head_of(request, at, file, actor)
    if (refusal := head.possible.refusal(command)) is not None and refusal.code not in LATER:
        status, sentence = sentence_of(request, refused(refusal))
        raise FormRefused([(refusal.field or "", sentence)], status)
    if isinstance(command, HandOver) and (code := await no_successor(at, file.state.id, command.to)):
        status, sentence = sentence_of(request, Problem(code))
        raise FormRefused([("to", sentence)], status)
    found = foreseen(head.possible, file.head, command)
    if found is None or (shown and shown[2] == seen(found)):
        return None
    reader, state = reader_of(request), file.state
    people = await people_of(at, state, state.people.values(), reader)
    choices = await _choices(request, at, head, state, act, people)
    names = {one[0]: one[1] for one in choices.get("to", ())}
    what = consequences(request, head, found, names, head.possible.context.now)
    return await show_part(
        request,
        at,
        file,
        actor,
        "act_check.html",
        "acts",
        head=head,
        act=act,
        form=Form(act.name, act.kind, typed, key=key_of(typed)),
        carried=[pair for pair in typed.pairs if pair[0] not in NOT_CARRIED],
        written=_written(request, act, typed, choices),
        what=what,
        seen=f"{file.head.seq}-{what.seen}",
        changed=translator(reader.language).tr(AGAIN) if shown else "",
        foreseen=found,
        heard=_heard(found, people),
        hearers=len(found.hearings),
        folded=FOLDED,
    )


NOT_CARRIED = frozenset({"csrf", "form", "key", "seen", "again"})
"""What the form of a check writes anew."""


async def _is_done(at: Installation, delegation: str, actor: Acting, key: str, after: int) -> bool:
    """Whether this very form was accepted already: then its receipt is asked for again, whatever has changed since."""
    mine = command_id_of(delegation, actor.id, key)
    return any(one.command_id == mine for one in await at.queries.events(delegation, after=after))


def _written(
    request: Request, act: Act, typed: Typed, choices: dict[str, list[tuple[str, ...]]]
) -> list[tuple[str, str]]:
    """Return what was filled in, as (what the field is called, what stands in it), without what was left empty."""
    words, limits = translator(reader_of(request).language), limits_of(act.kind)
    found: list[tuple[str, str]] = []
    for name, label in WRITTEN[act.name]:
        called = {one[0]: one[1] for one in choices.get(name, ())}
        said: list[str] = []
        for value in typed.all(name):
            day = day_of(value) if name in limits and limits[name].kind == "day" else None
            kept = Kept.read(value) if name in FILED.values() else None
            said.append(words.weekday_date(day) if day else kept.name or kept.file.media_type if kept else value)
        if shown := words.listing([called.get(one, one) for one in said if one.strip()]):
            found.append((words.tr(label), shown))
    return found


async def command_of(
    request: Request, at: Installation, state: Delegation, act: Act, typed: Typed, actor: Acting
) -> PublicCommand:
    """Return the command that a form says, its texts in the register; raises FormRefused."""
    more: dict[str, Any] = {}
    if act.name in REASONED:
        more["reason"] = (await must_write(request, at, state.id, "reason", typed, actor)).model_dump()
    if act.name == "record_reply":
        comment = await write(request, at, state.id, "comment", typed, actor)
        more |= {"comment": comment.model_dump() if comment else None, "via": "coordinator"}
        # What was recorded by hand answers what stands: a number or a stamp is a mail's.
        typed = _without(typed, "sequence", "dtstamp", "via")
    if act.name in FILED and (files := attached(request, typed, FILED[act.name])):
        more[FILED[act.name]] = files[-1].model_dump()
    if act.name == "record_external_decision":
        more |= await _external(request, at, state, typed, actor, has_letter="letter" in more)
    command: Any = read(request, act.kind, typed, more)
    return command  # type: ignore[no-any-return]


async def _external(
    request: Request, at: Installation, state: Delegation, typed: Typed, actor: Acting, *, has_letter: bool
) -> dict[str, Any]:
    """Return which dossier the authority decided on, and why; a letter is asked for in words, and so is a reason."""
    words = translator(reader_of(request).language)
    if not has_letter:
        raise FormRefused([("letter", words.tr("Choose the signed letter: without it nothing is recorded."))])
    needs_reason = typed.get("outcome") in ("returned", "rejected")
    reason = await (must_write if needs_reason else write)(request, at, state.id, "reason", typed, actor)
    return {"reason": reason.model_dump() if reason else None, "dossier_digest": typed.get("dossier_digest", "")}


def _without(typed: Typed, *names: str) -> Typed:
    return Typed([(name, value) for name, value in typed.pairs if name not in names])


async def _page(
    request: Request, at: Installation, file: File, actor: Acting, act: Act, form: Form, *, status: int = 200
) -> Response:
    state, reader = file.state, reader_of(request)
    head = await head_of(request, at, file, actor)
    rules = edition_words(head.edition, reader.language)
    possible = await seated(at, head.possible) if act.name in LAYING_OUT else head.possible
    refusal = refusal_of(act, possible)
    found = None if refusal else _foreseen(possible, file, act)
    people = await people_of(at, state, state.people.values(), reader)
    return await show_part(
        request,
        at,
        file,
        actor,
        "acts.html",
        "acts",
        status=status,
        head=head,
        act=act,
        form=form,
        why_not=why_not(request, refusal, rules),
        foreseen=found,
        heard=_heard(found, people),
        hearers=len(found.hearings) if found else 0,
        folded=FOLDED,
        submitted=_submitted(found),
        warnings=_warnings(possible, act, found, rules, reader.language),
        moved=[one for one in found.events if isinstance(one, DeadlineSet)] if found else (),
        rules=rules,
        newest=head.possible.context.newest,
        people=people,
        choices=await _choices(request, at, head, state, act, people),
        letters=await _letters(at, file, actor, act),
    )


def _foreseen(possible: Possible, file: File, act: Act) -> Foreseen | None:
    """Return what an act leads to that does not depend on what will be typed."""
    if act.name in ("record_reply", "choose_channel", "resend_mail", "hand_over", "record_external_decision", "resume"):
        return None
    return foreseen(possible, file.head, act.ask(possible.state))


def _heard(what: Foreseen | None, people: Mapping[str, Traveller]) -> tuple[Heard, ...]:
    """Return what people would hear, those who hear the same together."""
    found: dict[tuple[tuple[str, ...], tuple[str, ...], bool, int], list[Traveller]] = {}
    for one in what.hearings if what else ():
        asked = tuple(message.view.title for message in one.asked)
        cancelled = tuple(message.view.title for message in one.cancelled)
        found.setdefault((asked, cancelled, one.letter, one.seen), []).append(people[one.participant])
    return tuple(Heard(tuple(who), *heard) for heard, who in found.items())


LAYING_OUT: dict[str, Matter] = {"submit_request": "request", "submit_change": "programme_change"}
"""Acts that lay out a chain of approval, and in which matter."""


def _warnings(
    possible: Possible, act: Act, what: Foreseen | None, rules: EditionWords, language: Language
) -> tuple[str, ...]:
    """Return what is to be known of a chain before it begins: who decides in a conflict, what nobody can sign."""
    settled = possible.chain(LAYING_OUT[act.name]) if what and act.name in LAYING_OUT else None
    return chain_warnings(settled, rules, language)


def _submitted(what: Foreseen | None) -> RequestSubmitted | ChangeSubmitted | None:
    events = what.events if what else ()
    return next((one for one in events if isinstance(one, RequestSubmitted | ChangeSubmitted)), None)


async def _letters(at: Installation, file: File, actor: Acting, act: Act) -> Sequence[Any]:
    if act.name != "resend_mail":
        return ()
    page = await list_dead_letters(DeadLetterQuery(limit=200, delegation=file.state.id), at, actor)
    return [one for one in page.items if not one.superseded]


async def _choices(
    request: Request, at: Installation, head: Head, state: Delegation, act: Act, people: Mapping[str, Traveller]
) -> dict[str, list[tuple[str, ...]]]:
    """Return what can be chosen in the fields of an act, by field: (code, word), of boxes with a meaning."""
    words = translator(reader_of(request).language)
    named: list[tuple[str, ...]] = [(who, _name(one)) for who, one in people.items() if one.participant.active]
    match act.name:
        case "record_reply":
            items: list[tuple[str, ...]] = [
                (one.id, one.title) for one in state.items.values() if one.id in state.published
            ]
            return {
                "participant_id": named,
                "item_id": items,
                "answer": [(code, sentence_case(words.tr(said))) for code, said in ANSWERS.items()],
            }
        case "choose_channel":
            return {
                "participant_id": named,
                "channel": [(code, sentence_case(words.tr(said))) for code, said in CHANNELS.items()],
            }
        case "record_external_decision":
            title = "title_vi" if words.language == "vi" else "title_en"
            return {
                "step_id": [(one.id, getattr(one.plan, title)) for one in state.open_steps if one.plan.external],
                "outcome": [(code, words.tr(said)) for code, said in OUTCOMES.items()],
            }
        case "hand_over":
            lineage = head.possible.context.lineage
            found: dict[str, list[tuple[str, ...]]] = {"to": [], "beyond": []}
            for one in await at.accounts.actors():
                if "coordinator" in one.roles and one.id != state.coordinator:
                    found["to" if in_reach(one.actor, lineage) else "beyond"].append((one.id, one.name))
            return found
        case "record_formality":
            kinds = {kind: sentence_case(word(FORMALITIES, kind, words)) for kind in _kinds(state, head)}
            members: list[tuple[str, ...]] = [
                (one.id, _name(people[one.id]), "") for one in state.delegates if one.entry_papers
            ]
            return {"kind": list(kinds.items()), "members": members}
    return {}


def _kinds(state: Delegation, head: Head) -> list[str]:
    """Return the formalities that a file may record: those that are due first, then those that the rules know."""
    by_rule = {(one.id, one.version): one.satisfied_by for one in head.edition.deadlines}
    due = [by_rule.get((one.rule.rule, one.rule.version), "") for one in standing(state)]
    known = [one.satisfied_by for one in head.edition.deadlines]
    kinds = dict.fromkeys([*due, *FORMALITIES, *known])
    return [kind for kind in kinds if kind and kind not in OF_THE_FILE and not kind.startswith("step.")]


def _name(one: Traveller) -> str:
    return one.name or one.participant.id
