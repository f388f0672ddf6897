"""What is held of a person, as a page of plain text that the person can read."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from locales import Translator, mark
from storage.held import Held
from words.codes import ANSWERS, DOCUMENTS, PERSON_ROLES, PHASES, word
from words.requests import KINDS

DETAILS = {
    "full_name": mark("Full name"),
    "given_name": mark("Given name"),
    "honorific": mark("Form of address"),
    "email": mark("E-mail"),
    "language": mark("Language"),
    "nationality": mark("Nationality"),
    "phone": mark("Telephone"),
    "function": mark("Function"),
    "passport_number": mark("Passport number"),
    "dietary": mark("Dietary needs"),
    "needs": mark("Other needs"),
}

FEEDS = {
    "participant": mark("calendar of a participant"),
    "page": mark("page of a participant"),
    "person": mark("calendar of a person"),
}


def page_of(held: Held, digest: str, words: Translator, zone: str) -> str:
    """Return the page in the translator's language, with times on the clock of the business zone."""

    def when(instant: datetime | None) -> str:
        return words.date_and_time(instant.astimezone(ZoneInfo(zone))) if instant else words.tr("not sent")

    def lines() -> Iterator[str]:
        yield words.tr("What is held of %(person)s", person=held.versions[-1].details.full_name)
        yield words.tr(
            "As of %(when)s. Reference %(ref)s, digest %(digest)s.", when=when(held.at), ref=held.person, digest=digest
        )
        for one in held.versions:
            yield ""
            yield words.tr(
                "Details, version %(number)s, recorded %(when)s", number=one.version, when=when(one.recorded_at)
            )
            for name, value in one.details.model_dump(exclude_none=True).items():
                yield f"  {words.tr(DETAILS[name])}: {value}"
        yield from section(
            mark("Files that name you"),
            (
                f"{file.title} ({file.delegation}), {word(PERSON_ROLES, file.role, words)}, "
                f"{words.short_date(file.starts)} – {words.short_date(file.ends)}, {word(PHASES, file.phase, words)}"
                for file in held.files
            ),
        )
        yield from section(
            mark("Documents about you, or for your delegation"),
            (
                f"{word(DOCUMENTS, one.kind, words)} {one.language or ''} ({one.delegation}), SHA-256 {one.digest}"
                for one in held.documents
            ),
        )
        yield from section(
            mark("What you answered"),
            (
                f"{when(one.at)}: {word(ANSWERS, one.answer, words)} ({one.delegation} {one.item or ''})"
                + (f" – {one.comment}" if one.comment else "")
                for one in held.answers
            ),
        )
        yield from section(
            mark("Mails to you"),
            (f"{when(one.sent_at)}: {one.subject or one.kind} ({one.address or '–'})" for one in held.mails),
        )
        yield from section(
            mark("Mails from you"), (f"{when(one.received_at)}: {one.subject or '–'}" for one in held.received)
        )
        yield from section(
            mark("Your calendars and pages"),
            (f"{word(FEEDS, one.kind, words)} {one.delegation or ''}, {when(one.made_at)}" for one in held.feeds),
        )
        if held.calendar is not None:
            yield from section(
                mark("Your calendar on another server"), [f"{held.calendar.url} ({held.calendar.username})"]
            )
        yield from section(mark("Directory entries that name you"), (one.organisation for one in held.contacts))
        yield from section(mark("Your accounts"), (f"{one.id}: {one.name}" for one in held.accounts))
        yield from section(
            mark("What you asked before"),
            (
                "\n    ".join([f"{when(one.received_at)}: {word(KINDS, one.kind, words)} ({one.request})", *one.texts])
                for one in held.requests
            ),
        )

    def section(title: str, entries: Iterator[str] | list[str]) -> Iterator[str]:
        found = [f"  {entry}" for entry in entries]
        if found:
            yield from ("", words.tr(title), *found)

    return "\n".join(lines()) + "\n"
