"""Letters and reports compiled from the file as it stood, rendered in both languages, and stored by digest."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from activities.house import House
from activities.notices import duty
from activities.trail import Standing, standing_at
from documents import final_report, invitation_letter
from documents.administrative import Heading, Signatory, Wording
from documents.final_report_content import (
    Annex,
    Approval,
    CostLine,
    FinalReport,
    Formality,
    Performed,
    Trail,
    Travelled,
)
from documents.invitation_letter import InvitationLetter, Invited
from documents.programme import ProgrammeEntry
from domain.bilingual import Bilingual
from domain.commands import RecordDocument, RenderedDocument
from domain.decision import Effect
from domain.erasure import place_of
from domain.events import (
    ChangeSubmitted,
    DocumentRendered,
    ExternalDecisionRecorded,
    ItemMoved,
    ItemScheduled,
    MemberReplaced,
    MemberWithdrawn,
    ReportFiled,
    RequestSubmitted,
    Right,
    StepRejected,
    StepReturned,
    StepSigned,
)
from domain.rules import Edition
from domain.seal import SealedEvent
from domain.state import Delegation, Item
from domain.upcast import read_event
from domain.values import AttachmentRef, Language, Moment, business_date
from locales import mark, translator
from storage.accounts import Accounts
from storage.attachments import Attachments
from storage.editions import Editions
from storage.journal import Journal
from storage.metadata import utc_now
from storage.persons import Erased, Person, Persons
from storage.texts import Texts
from workflows.ports import CarryOutInput

LANGUAGES: tuple[Language, ...] = ("vi", "en")
ROLES = {
    "head": mark("Head of delegation"),
    "member": mark("Member"),
    "host": mark("Host"),
    "escort": mark("Escort"),
    "interpreter": mark("Interpreter"),
    "driver": mark("Driver"),
    "coordinator": mark("Coordinator"),
}
COSTS = {
    "meals": mark("Meals"),
    "lodging_heads": mark("Lodging of the head of delegation"),
    "lodging_members": mark("Lodging of the members"),
    "flowers": mark("Flowers"),
}
ERASED = Bilingual(vi="(đã xoá theo yêu cầu)", en="(erased on request)")
"""In the place of a text whose file's key was destroyed."""

ERASED_PERSON = mark("erased person %(number)s")
"""What somebody is called whose data were erased; the number is their place on the file."""


def in_both(message: str, **values: object) -> Bilingual:
    """Return a catalogue's message in both languages."""
    return Bilingual(vi=translator("vi").tr(message, **values), en=translator("en").tr(message, **values))


class Interrupted(Exception):
    """Somebody was erased while a document was rendered that may name them: nothing of it was kept."""


class Documents:
    """Carries out `render_document`."""

    def __init__(
        self,
        journal: Journal,
        persons: Persons,
        texts: Texts,
        accounts: Accounts,
        editions: Editions,
        attachments: Attachments,
        house: House,
    ) -> None:
        """Take the collaborators of this installation."""
        self._journal = journal
        self._persons = persons
        self._texts = texts
        self._accounts = accounts
        self._editions = editions
        self._attachments = attachments
        self._house = house

    async def render_document(self, asked: CarryOutInput, alive: Callable[[], None]) -> RecordDocument:
        """Render one document in Vietnamese and English. Raises TypesettingFailed, and Interrupted."""
        stood = await standing_at(self._journal, asked.delegation, asked.effect.seq)
        kind, number = asked.effect.args["kind"], int(asked.effect.args["number"])
        at = stood.sealed.instant
        versions, erased = [], await self._erased(stood.after)
        letter = await self._letter(stood) if kind == "invitation_letter" else None
        report = await self._report(stood) if kind == "final_report" else None
        for language in LANGUAGES:
            alive()
            if letter:
                pdf = await asyncio.to_thread(invitation_letter.render, letter, language, at)
            else:
                assert report
                pdf = await asyncio.to_thread(final_report.render, report, language, at)
            versions.append(RenderedDocument(language=language, attachment=await self._store(pdf)))
        if await self._erased(stood.after) != erased:
            await self._attachments.erase([version.attachment.digest for version in versions], utc_now())
            raise Interrupted
        return RecordDocument(
            kind="invitation_letter" if letter else "final_report", number=number, versions=tuple(versions)
        )

    async def _store(self, pdf: bytes) -> AttachmentRef:
        async def content() -> AsyncIterator[bytes]:
            yield pdf

        return await self._attachments.store(content(), declared="application/pdf", rendered=True)

    async def render_anew(self, delegation: str, rendered: SealedEvent) -> dict[str, str]:
        """Render again what an event recorded, as the registers have it now; return the new digests by the old ones.

        The event keeps naming what was rendered then. Raises what `render_document` raises.
        """
        event = read_event(rendered)
        assert isinstance(event, DocumentRendered)
        asks, number = ASKED_BY[event.kind]
        events = await self._journal.events(delegation, limit=rendered.seq)
        seq = next((one.seq for one in events if one.type == asks and one.data.get(number) == event.number), None)
        if seq is None:
            return {}
        args: dict[str, Any] = {"kind": event.kind, "number": event.number}
        effect = Effect(key=f"render:{event.kind}:{event.number}", kind="render_document", seq=seq, args=args)
        made = await self.render_document(CarryOutInput(delegation=delegation, effect=effect), lambda: None)
        anew = {version.language: version.attachment.digest for version in made.versions}
        return {version.attachment.digest: anew[version.language] for version in event.versions}

    async def _erased(self, file: Delegation) -> set[str]:
        found = await self._persons.get_many([one.person.ref for one in file.people.values()])
        return {one.ref for one in found.values() if isinstance(one, Erased)}

    async def _names(self, file: Delegation) -> dict[str, str | Bilingual]:
        """Return what everybody is called who ever was on a file: whoever was erased by their place on it."""
        found = await self._persons.get_many([one.person.ref for one in file.people.values()])
        return {
            one.id: person.details.full_name
            if isinstance(person := found.get(one.person.ref), Person)
            else in_both(ERASED_PERSON, number=place_of(file, one.id))
            for one in file.people.values()
        }

    def _heading(self, file: Delegation, at: datetime, reference: str, *recipients: Wording) -> Heading:
        return Heading(
            recipients=recipients,
            issuer=self._house.issuer,
            reference=reference,
            place=self._house.place,
            dated=business_date(at, file.zone),
            signatory=self._house.signatory,
        )

    async def _letter(self, stood: Standing) -> InvitationLetter:
        file = stood.after
        names = await self._names(file)
        items = [item for item in file.items.values() if item.published and not item.cancelled]
        return InvitationLetter(
            heading=self._heading(file, stood.sealed.instant, file.decision.number if file.decision else file.id),
            subject=file.title,
            organisation=file.partner,
            cities=file.places,
            arrival=file.starts,
            departure=file.ends,
            purpose=file.purpose,
            members=tuple(
                Invited(name=names[one.id], role=in_both(ROLES[one.role]), country=one.country)
                for one in file.delegates
            ),
            programme=tuple(
                ProgrammeEntry(starts=_there(item.starts), ends=_there(item.ends), title=item.title, place=item.place)
                for item in items
            ),
            hosts=(self._house.name,),
            contact=self._house.contact or None,
        )

    async def _report(self, stood: Standing) -> FinalReport:
        file, filed = stood.after, stood.event
        assert isinstance(filed, ReportFiled)
        events = await self._journal.events(file.id, limit=stood.sealed.seq)
        history = _History(events, file.zone)
        edition = await self._editions.get(file.edition)
        delegates = tuple(one for one in file.people.values() if one.delegate)
        names = await self._names(file)
        written = await self._texts.read_many(
            [text.ref for text in (filed.results, filed.recommendations) if text is not None]
        )
        return FinalReport(
            heading=self._heading(file, stood.sealed.instant, f"{file.id}/BC", self._house.name),
            addressee=self._house.issuer.parent,
            delegation=file.id,
            direction=file.direction,
            title=file.title,
            partner=file.partner,
            hosts=(self._house.name,),
            countries=file.countries,
            places=file.places,
            arrival=file.starts,
            departure=file.ends,
            head_count=file.head_count,
            registered=len(delegates),
            purpose=file.purpose,
            members=tuple(
                Travelled(
                    name=names[one.id],
                    role=in_both(ROLES[one.role]),
                    country=one.country,
                    standing="attended" if one.active else "replaced" if one.left == "replaced" else "withdrawn",
                    left_on=history.left.get(one.id),
                    replaced_by=names.get(one.replaced_by) if one.replaced_by else None,
                )
                for one in delegates
            ),
            programme=tuple(_performed(item, history) for item in file.items.values()),
            approvals=await self._approvals(history, file.zone, edition),
            formalities=_formalities(file, edition, history),
            costs=_costs(file),
            results=written.get(filed.results.ref, ERASED),
            recommendations=written.get(filed.recommendations.ref) if filed.recommendations else None,
            annexes=tuple(
                Annex(name=_numbered(number), sha256=one.digest) for number, one in enumerate(filed.annexes, 1)
            ),
            trail=Trail(length=stood.sealed.seq, head=stood.sealed.hash),
        )

    async def _approvals(self, history: "_History", zone: str, edition: Edition) -> tuple[Approval, ...]:
        steps = [step for chain in edition.approvals for step in chain.steps]
        offices = {step.position: step.title for step in steps if step.position}
        rows = []
        for sealed, event, title in history.steps:
            if isinstance(event, ExternalDecisionRecorded):
                rows.append(
                    Approval(
                        step=title,
                        by=Signatory(name=event.authority, office=event.reference),
                        outcome=EXTERNAL_OUTCOMES[event.outcome],
                        at=sealed.instant.astimezone(ZoneInfo(zone)),
                    )
                )
                continue
            replaced = event.right.on_behalf_of
            rows.append(
                Approval(
                    step=title,
                    by=self._signatory(await self._name(sealed.actor), title, event.right, offices),
                    in_place_of=await self._name(replaced) if replaced else None,
                    outcome=OUTCOMES[type(event)],
                    at=sealed.instant.astimezone(ZoneInfo(zone)),
                )
            )
        return tuple(rows)

    async def _name(self, account: str) -> str:
        known = await self._accounts.get(account)
        return known.name if known else account

    def _signatory(self, name: str, office: Bilingual, right: Right, offices: Mapping[str, Bilingual]) -> Signatory:
        """By what right somebody signed an office's step: a substitute for that office, in their own if they hold one.

        Where nothing says for whom, TM. is for the collective, the other prefixes for its head.
        """
        prefix = right.prefix
        if prefix is None:
            return Signatory(name=name, office=office)
        principal: Bilingual | Wording = self._house.name if prefix == "TM" else self._house.signatory.office
        if right.on_behalf_of and prefix == "KT":
            principal, office = office, offices.get(right.office or "", in_both(SUBSTITUTE))
        elif right.principal_vi and right.principal_en:
            principal = Bilingual(vi=right.principal_vi, en=right.principal_en)
        return Signatory.model_validate({"name": name, "office": office, "prefix": prefix, "principal": principal})


SUBSTITUTE = mark("Substitute")
"""The office of who signs in the place of another and holds none."""

ASKED_BY = {"invitation_letter": ("DelegationInvited", "letter"), "final_report": ("ReportFiled", "report")}
"""By which event a document was asked for, and which of its fields has the number."""

Answered = StepSigned | StepReturned | StepRejected | ExternalDecisionRecorded

OUTCOMES: dict[type, Literal["signed", "returned", "rejected"]] = {
    StepSigned: "signed",
    StepReturned: "returned",
    StepRejected: "rejected",
}


EXTERNAL_OUTCOMES: dict[str, Literal["signed", "returned", "rejected"]] = {
    "approved": "signed",
    "returned": "returned",
    "rejected": "rejected",
}


class _History:
    """What the report says that only the trail knows: who left when, what was moved, who signed."""

    def __init__(self, events: list[SealedEvent], zone: str) -> None:
        self.left: dict[str, date] = {}
        self.moved_from: dict[str, Moment] = {}
        self.steps: list[tuple[SealedEvent, Answered, Bilingual]] = []
        self.met: dict[str, date] = {}
        first: dict[str, Moment] = {}
        titles: dict[str, Bilingual] = {}
        for sealed in events:
            on = business_date(sealed.instant, zone)
            match event := read_event(sealed):
                case MemberWithdrawn(member_id=who) | MemberReplaced(member_id=who):
                    self.left[who] = on
                case ItemScheduled(item_id=item, starts=starts):
                    first[item] = starts
                case ItemMoved(item_id=item, starts=starts):
                    if starts != first[item]:
                        self.moved_from[item] = first[item]
                    else:
                        self.moved_from.pop(item, None)
                case RequestSubmitted(steps=steps) | ChangeSubmitted(steps=steps):
                    titles = {step.id: Bilingual(vi=step.title_vi, en=step.title_en) for step in steps}
                case StepSigned() | StepReturned() | StepRejected() | ExternalDecisionRecorded():
                    self.steps.append((sealed, event, titles[event.step_id]))
                case _:
                    pass
            if sealed.type == "DeadlineMet":
                self.met[sealed.data["what"]] = on


def _numbered(number: int) -> Bilingual:
    return Bilingual(
        vi=translator("vi").tr("Annex %(number)s", number=number),
        en=translator("en").tr("Annex %(number)s", number=number),
    )


def _there(moment: Moment) -> datetime:
    return moment.instant.astimezone(ZoneInfo(moment.zone))


def _performed(item: Item, history: _History) -> Performed:
    moved = history.moved_from.get(item.id)
    return Performed(
        starts=_there(item.starts),
        ends=_there(item.ends),
        title=item.title,
        place=item.place,
        outcome="cancelled" if item.cancelled else "held",
        moved_from=_there(moved) if moved else None,
    )


def _formalities(file: Delegation, edition: Edition, history: _History) -> tuple[Formality, ...]:
    return tuple(
        Formality(
            what=Bilingual(vi=duty(one, file, edition, "vi"), en=duty(one, file, edition, "en")),
            due=one.due_on,
            done=history.met.get(one.what),
            rule=f"{one.rule.rule} v{one.rule.version}",
        )
        for one in sorted(file.deadlines.values(), key=lambda one: (one.due_on, one.what))
        if one.what != "report" and not one.what.startswith("step.")
    )


def _costs(file: Delegation) -> tuple[CostLine, ...]:
    if file.ceiling is None:
        return ()
    return tuple(
        CostLine(
            what=in_both(COSTS.get(line.what, line.what)),
            basis=Bilingual(
                vi=f"{line.quantity} × {translator('vi').money_vnd(line.unit_vnd)} ({line.rule.rule})",
                en=f"{line.quantity} × {translator('en').money_vnd(line.unit_vnd)} ({line.rule.rule})",
            ),
            ceiling_vnd=line.amount_vnd,
        )
        for line in file.ceiling.lines
    )
