"""The people of a file: who travels, who serves, and how they join and leave it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.access import Actor
from api.files import KnownFile
from api.installation import At, Installation
from api.pages.countries import country_choices, country_of
from api.pages.forms import Form, FormRefused, done, key_of, read, said, send, write
from api.pages.frame import head_of, show_part
from api.pages.possible import Possible, why_not
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.pages.words import PERSON_ROLES, PHASES, word
from api.problems import Problem
from domain.canonical import digest_of
from domain.commands import (
    AddMember,
    AppointParticipant,
    PublicCommand,
    ReleaseParticipant,
    ReplaceMember,
    WithdrawMember,
)
from domain.directory import ContactEntry
from domain.folding import folded
from domain.sign_in import Acting
from domain.state import Delegation, Observation, Participant
from domain.values import PersonRef, Slug, Value
from locales import Translator, mark, translator
from storage.idempotency import IdempotencyConflict
from storage.persons import Erased, Person, PersonDetails
from storage.queries import File
from words.codes import sentence_case

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Kind = Literal["delegate", "servant"]
ParticipantId = Annotated[Slug, Path()]
AsKind = Annotated[Kind, Query(alias="as")]

SAID = {
    "joined": mark("Now on the file."),
    "replaced": mark("The other person travels instead."),
    "left": mark("No longer on the file."),
}

LABELS = {
    "full_name": mark("Full name"),
    "given_name": mark("Given name"),
    "honorific": mark("Form of address"),
    "function": mark("Function"),
    "nationality": mark("Nationality"),
    "email": mark("E-mail"),
    "phone": mark("Telephone"),
    "language": mark("Language"),
    "passport_number": mark("Number of the passport"),
    "dietary": mark("Dietary needs"),
    "needs": mark("Other needs"),
    "role": mark("Role"),
    "country": mark("Comes from"),
    "entry_papers": mark("Needs an entry approval"),
    "key_leader": mark("Key leader"),
    "known": mark("Who"),
}

DELEGATE_ROLES = ("head", "member")
SERVANT_ROLES = ("host", "escort", "interpreter", "driver", "coordinator")

MANY = 24
"""Beyond so many, people are folded by country."""

MOST_CONTACTS = 200

NOT_IN_THIS_PHASE = mark("Nobody can be added as the file stands: %(phase)s.")
UNKNOWN_COUNTRY = mark("This is no country that we know: write its name in Vietnamese or English, or its code.")
UNKNOWN_CONTACT = mark("The directory does not have this person any more.")


@dataclass(frozen=True)
class Shown:
    """Somebody on the file. Without a `name` the reader may read none, or the person was erased.

    `warnings` are what other files say of them and goes beyond a limit; `passport` says that no copy is attached.
    """

    participant: Participant
    name: str | None
    details: PersonDetails | None
    erased: bool
    warnings: tuple[tuple[str, Observation], ...]
    passport_missing: bool


@router.get("/delegations/{delegation}/people")
async def show_people_page(
    file: KnownFile, request: Request, actor: Actor, at: At, q: Annotated[str | None, Query(max_length=100)] = None
) -> Response:
    """Show who travels and who serves, what is missing of them, and who left; or of them whoever has the words.

    Words are looked for in names, functions, addresses and countries, with or without diacritics. Nothing changes.
    """
    head, state, reader = await head_of(request, at, file, actor), file.state, reader_of(request)
    found = await at.persons.get_many({one.person.ref for one in state.people.values()}) if _names(request) else {}
    titles = {limit.id: limit.title.text(reader.language) for limit in head.edition.limits}
    copies = {one.concerns for one in state.documents.values() if one.kind == "passport_copy"}

    def shown(one: Participant) -> Shown:
        person = found.get(one.person.ref)
        details = person.details if isinstance(person, Person) else None
        seen = [each for each in state.observations.values() if each.subject == one.id and each.exceeded]
        return Shown(
            participant=one,
            name=_addressed(details) if details else None,
            details=details,
            erased=isinstance(person, Erased),
            warnings=tuple((titles.get(each.rule.rule, each.what), each) for each in seen),
            passport_missing=one.delegate and one.id not in copies,
        )

    asked = folded(q or "").split()

    def has_the_words(one: Shown) -> bool:
        return all(word in folded(_searched(one, words)) for word in asked)

    words = translator(reader.language)
    delegates = [one for one in map(shown, state.delegates) if has_the_words(one)]
    servants = [shown(one) for one in state.people.values() if one.active and not one.delegate]
    return await show_part(
        request,
        at,
        file,
        actor,
        "people.html",
        "/people",
        head=head,
        told=said(request, SAID),
        delegates=delegates,
        countries=_by_country(delegates),
        many=len(delegates) > MANY,
        q=(q or "").strip(),
        findable=state.head_count > MANY,
        servants=[one for one in servants if has_the_words(one)],
        gone=[shown(one) for one in state.people.values() if not one.active],
        may=_may(head.possible),
        cannot=_unless_expected(request, head.possible),
        without_copy=sum(one.passport_missing for one in delegates),
        attached=bool(copies),
    )


@router.get("/delegations/{delegation}/people/new")
async def show_joining_page(
    file: KnownFile, request: Request, actor: Actor, at: At, kind: AsKind = "delegate"
) -> Response:
    """Show the form with which somebody joins the file: from the directory, or entered anew."""
    return await _form(request, at, file, actor, kind, Form("join", _command_of(kind), _usual(request, file, kind)))


@router.post("/delegations/{delegation}/people/new")
async def join_by_page(file: KnownFile, request: Request, actor: Actor, at: At, kind: AsKind = "delegate") -> Response:
    """Register somebody, if they are new, and put them on the file; sent twice it is one person."""
    form: Typed = request.state.form
    if "again" in form:
        return await _form(request, at, file, actor, kind, Form("join", _command_of(kind), form))
    try:
        said_, person = await _who(request, at, file, actor, form, kind)
        command: PublicCommand
        if kind == "servant":
            named = {"participant_id": f"s-{key_of(form)[:8]}", "person": person.model_dump()}
            command = read(request, AppointParticipant, form, named, labels=LABELS)
        else:
            named = {"member_id": f"m-{key_of(form)[:8]}", "person": person.model_dump()}
            command = read(request, AddMember, form, named | said_, labels=LABELS)
        await send(request, at, file.state.id, [command], form, actor, FIELDS_OF_REFUSALS)
    except FormRefused as wrong:
        shown = wrong.form("join", _command_of(kind), form)
        return await _form(request, at, file, actor, kind, shown, status=wrong.status)
    return done(f"/delegations/{file.state.id}/people", "joined")


@router.get("/delegations/{delegation}/people/{participant}/replace")
async def show_replacing_page(
    participant: ParticipantId, file: KnownFile, request: Request, actor: Actor, at: At
) -> Response:
    """Show the form with which another person travels in a delegate's place."""
    leaving = _active(file.state, participant, delegate=True)
    usual = _usual(request, file, "delegate")
    return await _form(request, at, file, actor, "delegate", Form("join", ReplaceMember, usual), leaving=leaving)


@router.post("/delegations/{delegation}/people/{participant}/replace")
async def replace_by_page(
    participant: ParticipantId, file: KnownFile, request: Request, actor: Actor, at: At
) -> Response:
    """Let another person travel in a delegate's place."""
    form: Typed = request.state.form
    # Sent twice, the first has left already; what is asked of the decider is the same, and so is its answer.
    leaving = file.state.people.get(participant)
    if leaving is None or not leaving.delegate:
        raise Problem("not_found")
    if "again" in form:
        shown = Form("join", ReplaceMember, form)
        return await _form(request, at, file, actor, "delegate", shown, leaving=leaving)
    try:
        said_, person = await _who(request, at, file, actor, form, "delegate")
        named = {"member_id": participant, "by": f"m-{key_of(form)[:8]}", "person": person.model_dump()}
        command = read(request, ReplaceMember, form, named | said_, labels=LABELS)
        await send(request, at, file.state.id, [command], form, actor, FIELDS_OF_REFUSALS)
    except FormRefused as wrong:
        shown = wrong.form("join", ReplaceMember, form)
        return await _form(request, at, file, actor, "delegate", shown, leaving=leaving, status=wrong.status)
    return done(f"/delegations/{file.state.id}/people", "replaced")


@router.get("/delegations/{delegation}/people/{participant}/leave")
async def show_leaving_page(
    participant: ParticipantId, file: KnownFile, request: Request, actor: Actor, at: At
) -> Response:
    """Ask whether somebody is to leave the file, and why."""
    leaving = _active(file.state, participant)
    return await _leaving(request, at, file, actor, leaving, Form("leave", _leave_of(leaving)))


@router.post("/delegations/{delegation}/people/{participant}/leave")
async def leave_by_page(
    participant: ParticipantId, file: KnownFile, request: Request, actor: Actor, at: At
) -> Response:
    """Take a delegate off the delegation, or end an appointment."""
    form: Typed = request.state.form
    leaving = file.state.people.get(participant)
    if leaving is None:
        raise Problem("not_found")
    model = _leave_of(leaving)
    if "again" in form:
        return await _leaving(request, at, file, actor, leaving, Form("leave", model, form))
    try:
        command: PublicCommand
        if leaving.delegate:
            reason = await write(request, at, file.state.id, "reason", form, actor)
            more = {"member_id": participant, "reason": reason.model_dump() if reason else None}
            command = read(request, WithdrawMember, Typed([]), more)
        else:
            command = read(request, ReleaseParticipant, Typed([]), {"participant_id": participant})
        await send(request, at, file.state.id, [command], form, actor, FIELDS_OF_REFUSALS)
    except FormRefused as wrong:
        shown = wrong.form("leave", model, form)
        return await _leaving(request, at, file, actor, leaving, shown, status=wrong.status)
    return done(f"/delegations/{file.state.id}/people", "left")


FIELDS_OF_REFUSALS = {"member_id": "", "participant_id": "", "by": "", "person": "known", "person.ref": "known"}
"""Which field of a form shows a refusal that names what no form asks for."""


def _leave_of(leaving: Participant) -> type[WithdrawMember] | type[ReleaseParticipant]:
    return WithdrawMember if leaving.delegate else ReleaseParticipant


def _command_of(kind: Kind) -> type[AddMember] | type[AppointParticipant]:
    return AppointParticipant if kind == "servant" else AddMember


def _active(state: Delegation, participant: str, *, delegate: bool = False) -> Participant:
    found = state.people.get(participant)
    if found is None or not found.active or (delegate and not found.delegate):
        raise Problem("not_found")
    return found


def _names(request: Request) -> bool:
    return reader_of(request).sees_personal_data


def _addressed(details: PersonDetails) -> str:
    return f"{details.honorific} {details.full_name}" if details.honorific else details.full_name


def _may(possible: Possible) -> dict[str, bool]:
    kinds: dict[str, type[Value]] = {
        "add": AddMember,
        "replace": ReplaceMember,
        "withdraw": WithdrawMember,
        "appoint": AppointParticipant,
        "release": ReleaseParticipant,
    }
    return {name: possible.may(kind) for name, kind in kinds.items()}


def _unless_expected(request: Request, possible: Possible) -> str | None:
    """Return why nobody can be added now, for somebody whose role does it at other times."""
    actor, refusal = reader_of(request).actor, possible.barred(AddMember)
    if actor is None or "coordinator" not in actor.roles or refusal is None:
        return None
    if refusal.code != "wrong_phase":
        return why_not(request, refusal)
    words = translator(reader_of(request).language)
    return words.tr(NOT_IN_THIS_PHASE, phase=word(PHASES, possible.state.phase.value, words))


def _searched(one: Shown, words: Translator) -> str:
    """Return what somebody is found by."""
    details, country = one.details, one.participant.country
    known = (details.full_name, details.function or "", str(details.email)) if details else ()
    return " ".join((*known, one.participant.id, words.country(country) if country else ""))


def _by_country(delegates: Sequence[Shown]) -> list[tuple[str, list[Shown]]]:
    """Return delegates by country, the largest group first, each in the order in which they joined."""
    ordered = sorted(delegates, key=lambda one: one.participant.country or "")
    groups = [(code, list(some)) for code, some in groupby(ordered, key=lambda one: one.participant.country or "")]
    return sorted(groups, key=lambda group: (-len(group[1]), group[0]))


def _usual(request: Request, file: File, kind: Kind) -> dict[str, str]:
    """Return what is known before anything is typed: nothing asks again for what the file says."""
    words = translator(reader_of(request).language)
    if kind == "servant":
        return {"role": "host", "language": "vi", "nationality": words.country("VN")}
    state = file.state
    abroad = state.countries[0] if state.direction == "inbound" and len(state.countries) == 1 else ""
    home = abroad if state.direction == "inbound" else "VN"
    shown = words.country(home) if home else ""
    language = "en" if state.direction == "inbound" else "vi"
    role = "member" if any(one.role == "head" for one in state.delegates) else "head"
    return {"role": role, "country": shown, "nationality": shown, "language": language}


async def _who(
    request: Request, at: Installation, file: File, actor: Acting, form: Typed, kind: Kind
) -> tuple[dict[str, Any], PersonRef]:
    """Return what the command says of a delegate's country, and the person: somebody known, or registered now.

    FormRefused with everything that is wrong in the form, also with the part that the command itself will read.
    """
    words = translator(reader_of(request).language)
    errors: list[tuple[str, str]] = []
    codes: dict[str, str | None] = {}
    for field in ("nationality", "country"):
        typed = form.get(field, "").strip()
        codes[field] = country_of(typed) if typed else None
        if typed and codes[field] is None:
            errors.append((field, words.tr(UNKNOWN_COUNTRY)))
    ref = form.get("known", "")
    known: PersonRef | None = None
    details: PersonDetails | None = None
    if ref:
        contacts = await _contacts(request, at, file, kind)
        person = await at.persons.get(ref) if ref in dict(contacts) else None
        if isinstance(person, Person):
            known, codes["country"] = person.reference, codes["country"] or person.details.nationality
        else:
            errors.append(("known", words.tr(UNKNOWN_CONTACT)))
    else:
        try:
            plain = Typed([pair for pair in form.pairs if pair[0] != "nationality"])
            details = read(request, PersonDetails, plain, {"nationality": codes["nationality"]}, labels=LABELS)
            codes["country"] = codes["country"] or details.nationality
        except FormRefused as wrong:
            errors += [one for one in wrong.errors if one[0] not in dict(errors)]
    if errors:
        raise FormRefused(errors)
    if known is None and details is not None:
        try:
            known = await at.persons.register(
                details, idempotency_key=digest_of(["person", actor.id, file.state.id, key_of(form)])
            )
        except IdempotencyConflict:
            raise FormRefused([("", words.tr(SENT_OTHERWISE))], 409) from None
    if known is None:
        raise FormRefused([("known", words.tr(UNKNOWN_CONTACT))])
    return {"country": codes["country"]}, known


SENT_OTHERWISE = mark("This form was sent before with other words. Look at the file, then send it again.")


async def _contacts(request: Request, at: Installation, file: File, kind: Kind) -> list[tuple[str, str]]:
    """Return people of the directory who may be meant, by reference: the partner's for those who travel, hosts' else.

    Who is on the file already is left out.
    """
    page = await at.directory.page(kinds=["contact"], limit=MOST_CONTACTS)
    entries = [one.entry for one in page.items if isinstance(one.entry, ContactEntry)]
    homes = await at.directory.get_many({one.at for one in entries})
    partner = folded(file.state.partner)
    inbound = file.state.direction == "inbound"

    def fits(entry: ContactEntry) -> bool:
        home = homes.get(entry.at)
        if home is None or isinstance(home.entry, ContactEntry):
            return False
        theirs = folded(home.entry.name) == partner
        return (theirs if inbound else home.entry.kind == "host") if kind == "delegate" else home.entry.kind == "host"

    here = {one.person.ref for one in file.state.people.values() if one.active}
    wanted = [one for one in entries if fits(one) and one.person.ref not in here]
    known = await at.persons.get_many({one.person.ref for one in wanted})
    named = {ref: person.details for ref, person in known.items() if isinstance(person, Person)}
    shown = [(ref, ", ".join(filter(None, (_addressed(one), one.function)))) for ref, one in named.items()]
    return sorted(shown, key=lambda one: folded(one[1]))


async def _form(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    kind: Kind,
    form: Form,
    *,
    leaving: Participant | None = None,
    status: int = 200,
) -> Response:
    head, words = await head_of(request, at, file, actor), translator(reader_of(request).language)
    command = ReplaceMember if leaving else _command_of(kind)
    roles = SERVANT_ROLES if kind == "servant" else DELEGATE_ROLES
    path = f"/delegations/{file.state.id}/people"
    return await show_part(
        request,
        at,
        file,
        actor,
        "person_form.html",
        "/people",
        status=status,
        head=head,
        form=form,
        person=Form("join", PersonDetails, form.typed, form.errors, form.key),
        kind=kind,
        action=f"{path}/{leaving.id}/replace" if leaving else f"{path}/new?as={kind}",
        leaving=(await _called(request, at, leaving)) if leaving else None,
        contacts=await _contacts(request, at, file, kind),
        roles=[(role, sentence_case(word(PERSON_ROLES, role, words)), "") for role in roles],
        country_names=country_choices(reader_of(request).language),
        forbidden=why_not(request, head.possible.barred(command)),
        errors=form.errors,
    )


async def _leaving(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    leaving: Participant,
    form: Form,
    *,
    status: int = 200,
) -> Response:
    head = await head_of(request, at, file, actor)
    command: type[WithdrawMember] | type[ReleaseParticipant] = (
        WithdrawMember if leaving.delegate else ReleaseParticipant
    )
    return await show_part(
        request,
        at,
        file,
        actor,
        "person_leave.html",
        "/people",
        status=status,
        head=head,
        form=form,
        leaving=leaving,
        called=await _called(request, at, leaving),
        invited=leaving.id in {holder for told in file.state.told.values() for holder in told.holders},
        forbidden=why_not(request, head.possible.barred(command)),
        errors=form.errors,
    )


async def _called(request: Request, at: Installation, one: Participant) -> str:
    person = await at.persons.get(one.person.ref) if _names(request) else None
    return person.details.full_name if isinstance(person, Person) else one.id
