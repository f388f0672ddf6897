"""The final report of a delegation as a PDF, section by section."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from documents.administrative import capitalised, edges, grouped_table, note, paragraphs, right, table, words
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
from documents.programme import by_day, place_cell, zone_of_all
from documents.typeset import typeset
from domain.values import Language
from locales import Translator, mark, translator

__all__ = [
    "Annex",
    "Approval",
    "CostLine",
    "FinalReport",
    "Formality",
    "Performed",
    "Trail",
    "Travelled",
    "laid_out",
    "render",
]

Block = dict[str, object]

NUMERALS: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
OUTCOMES: Final = {"signed": mark("Signed"), "returned": mark("Returned"), "rejected": mark("Rejected")}


def render(report: FinalReport, language: Language, at: datetime) -> bytes:
    """The report as a PDF (see :func:`documents.typeset.typeset` for `at` and what is refused)."""
    return typeset("final_report", laid_out(report, translator(language)), language=language, at=at)


def laid_out(report: FinalReport, translator: Translator) -> dict[str, object]:
    """The report's words in their places, as the template wants them."""
    title = words(report.title, translator)
    kind = (
        translator.tr("Report on the reception of a delegation")
        if report.direction == "inbound"
        else translator.tr("Report on a visit abroad")
    )
    return {
        **edges(report.heading, translator, addressed=report.addressee is not None),
        "title": f"{kind}: {title}",
        "type": translator.tr("Report"),
        "kind": kind,
        "subject": title,
        "addressee": {
            "label": translator.tr("To:"),
            "lines": [words(report.addressee, translator)] if report.addressee else [],
        },
        "blocks": _numbered(_sections(report, translator), translator),
    }


def _numbered(sections: list[tuple[str, list[Block]]], translator: Translator) -> list[Block]:
    blocks: list[Block] = []
    for number, (title, content) in enumerate(sections, 1):
        label = NUMERALS[number - 1] if translator.language == "vi" else str(number)
        text = title.upper() if translator.language == "vi" else title
        blocks += [{"kind": "heading", "text": f"{label}. {text}"}, *content]
    return blocks


def _sections(report: FinalReport, translator: Translator) -> list[tuple[str, list[Block]]]:
    written: tuple[tuple[str, Callable[[FinalReport, Translator], list[Block]], object], ...] = (
        (translator.tr("General information"), _facts, True),
        (translator.tr("Purpose"), lambda report, _: [paragraphs(words(report.purpose, translator))], report.purpose),
        (translator.tr("Members of the delegation"), _members, report.members),
        (translator.tr("Programme carried out"), _programme, report.programme),
        (translator.tr("Results"), lambda report, _: [paragraphs(words(report.results, translator))], report.results),
        (translator.tr("Approvals"), _approvals, report.approvals),
        (translator.tr("Formalities and deadlines"), _formalities, report.formalities),
        (translator.tr("Costs and ceilings"), _costs, report.costs),
        (
            translator.tr("Recommendations"),
            lambda report, _: [paragraphs(words(report.recommendations or "", translator))],
            report.recommendations,
        ),
        (translator.tr("Annexes and record"), _annexes, report.annexes or report.trail),
    )
    return [(title, section(report, translator)) for title, section, content in written if content]


def _facts(report: FinalReport, translator: Translator) -> list[Block]:
    days = (report.departure - report.arrival).days + 1
    length = translator.ntr("%(count)s day", "%(count)s days", days)
    dates = translator.date_range(report.arrival, report.departure)
    people = translator.ntr("%(count)s person", "%(count)s people", report.head_count)
    if report.registered != report.head_count:
        people = translator.tr(
            "%(people)s (%(registered)s registered)", people=people, registered=translator.number(report.registered)
        )
    pairs = [
        (translator.tr("Delegation"), words(report.title, translator)),
        (translator.tr("File reference"), report.delegation),
        (translator.tr("Partner"), capitalised(words(report.partner, translator))),
        (translator.tr("Received by"), translator.listing(words(host, translator) for host in report.hosts)),
        (translator.tr("Dates"), f"{capitalised(dates)} ({length})"),
        (translator.tr("Countries"), translator.listing(translator.country(code) for code in report.countries)),
        (translator.tr("Places"), translator.listing(words(place, translator) for place in report.places)),
        (translator.tr("Took part"), people),
    ]
    return [{"kind": "facts", "pairs": [[label, value] for label, value in pairs if value]}]


def _members(report: FinalReport, translator: Translator) -> list[Block]:
    columns = [
        (translator.tr("No."), "ordinal"),
        (translator.tr("Full name"), "person"),
        (translator.tr("Position"), "name"),
        (translator.tr("Country"), "date"),
        (translator.tr("Change"), "date"),
    ]
    rows = [
        [
            str(number),
            {"text": words(member.name, translator), "struck": member.standing != "attended"},
            words(member.role, translator) if member.role else "",
            translator.country(member.country) if member.country else "",
            _change(member, translator),
        ]
        for number, member in enumerate(report.members, 1)
    ]
    return [table(columns, rows)]


def _change(member: Travelled, translator: Translator) -> object:
    if member.standing == "attended":
        return ""
    what = translator.tr("Withdrawn") if member.standing == "withdrawn" else translator.tr("Replaced")
    notes = [
        translator.short_date(member.left_on) if member.left_on else "",
        translator.tr("by %(name)s", name=words(member.replaced_by, translator)) if member.replaced_by else "",
    ]
    return {"text": what, "note": ", ".join(filter(None, notes)) or None}


def _programme(report: FinalReport, translator: Translator) -> list[Block]:
    zone = zone_of_all(report.programme, translator)
    columns = [
        (translator.tr("Time"), "time"),
        (translator.tr("Activity"), "text"),
        (translator.tr("Place"), "name"),
        (translator.tr("Outcome"), "name"),
    ]

    def row(entry: Performed, time: object) -> list[object]:
        title = {"text": words(entry.title, translator), "struck": entry.outcome == "cancelled"}
        return [time, title, place_cell(entry, translator), _outcome(entry, translator)]

    clock = [note(translator.tr("All times are %(zone)s.", zone=zone))] if zone else []
    return [*clock, grouped_table(columns, by_day(report.programme, row, translator))]


def _outcome(entry: Performed, translator: Translator) -> object:
    what = translator.tr("Cancelled") if entry.outcome == "cancelled" else translator.tr("Took place")
    notes = [_moved(entry, translator), words(entry.note, translator) if entry.note else ""]
    return {"text": what, "note": "; ".join(filter(None, notes)) or None}


def _moved(entry: Performed, translator: Translator) -> str:
    before = entry.moved_from
    if before is None:
        return ""
    now = entry.starts
    same_day = isinstance(now, datetime) and before.date() == now.date()
    time = translator.clock_time(before) if same_day else translator.date_and_time(before)
    return translator.tr("moved from %(time)s", time=time)


def _approvals(report: FinalReport, translator: Translator) -> list[Block]:
    columns = [
        (translator.tr("Step"), "name"),
        (translator.tr("By whom"), "name"),
        (translator.tr("By what right"), "name"),
        (translator.tr("Outcome"), "date"),
        (translator.tr("When"), "date"),
    ]
    rows = [
        [
            words(approval.step, translator),
            {"text": approval.by.name, "note": words(approval.by.office, translator)},
            _authority(approval, translator),
            translator.tr(OUTCOMES[approval.outcome]),
            {"text": translator.short_date(approval.at), "note": translator.clock_time(approval.at)},
        ]
        for approval in report.approvals
    ]
    return [table(columns, rows)]


def _authority(approval: Approval, translator: Translator) -> object:
    own = right(approval.by, translator) or translator.tr("In own office")
    deputised = translator.tr("in place of %(name)s", name=approval.in_place_of) if approval.in_place_of else None
    return {"text": own, "note": deputised}


def _formalities(report: FinalReport, translator: Translator) -> list[Block]:
    columns = [
        (translator.tr("Formality"), "text"),
        (translator.tr("Rule"), "date"),
        (translator.tr("Due on"), "date"),
        (translator.tr("Done on"), "date"),
        (translator.tr("Result"), "date"),
    ]
    rows = [
        [
            words(formality.what, translator),
            formality.rule or "–",
            translator.short_date(formality.due) if formality.due else "–",
            translator.short_date(formality.done) if formality.done else "–",
            _kept(formality, report.heading.dated, translator),
        ]
        for formality in report.formalities
    ]
    return [table(columns, rows)]


def _kept(formality: Formality, dated: date, translator: Translator) -> object:
    due, done = formality.due, formality.done
    if done is None:
        if due is None:
            return "–"
        return {"text": translator.tr("Missed"), "strong": True} if due < dated else translator.tr("Not due yet")
    if due is None:
        return translator.tr("Done")
    if done <= due:
        return translator.tr("In time")
    days = (done - due).days
    return {"text": translator.ntr("%(count)s day late", "%(count)s days late", days), "strong": True}


def _costs(report: FinalReport, translator: Translator) -> list[Block]:
    columns = [
        (translator.tr("Cost item"), "name"),
        (translator.tr("Ceiling"), "money"),
        (translator.tr("Spent"), "money"),
        (translator.tr("Remaining"), "money"),
    ]
    rows = [
        [
            {"text": words(line.what, translator), "note": words(line.basis, translator) if line.basis else None},
            *_sums(line.ceiling_vnd, line.actual_vnd, translator),
        ]
        for line in report.costs
    ]
    ceiling = _total([line.ceiling_vnd for line in report.costs])
    actual = _total([line.actual_vnd for line in report.costs])
    foot = [translator.tr("Total"), *_sums(ceiling, actual, translator)]
    shown = 4 if any(line.actual_vnd is not None for line in report.costs) else 2
    return [table(columns[:shown], [row[:shown] for row in rows], foot=foot[:shown])]


def _total(sums: list[int | None]) -> int | None:
    known = [amount for amount in sums if amount is not None]
    # A total over lines of which some are not known would be read as the whole.
    return sum(known) if len(known) == len(sums) else None


def _sums(ceiling: int | None, actual: int | None, translator: Translator) -> list[object]:
    shown: list[object] = ["–" if amount is None else translator.money_vnd(amount) for amount in (ceiling, actual)]
    if ceiling is None or actual is None:
        return [*shown, "–"]
    if actual > ceiling:
        amount = translator.money_vnd(actual - ceiling)
        return [*shown, {"text": translator.tr("%(amount)s over", amount=amount), "strong": True}]
    return [*shown, translator.money_vnd(ceiling - actual)]


def _annexes(report: FinalReport, translator: Translator) -> list[Block]:
    blocks: list[Block] = []
    if report.annexes:
        columns = [(translator.tr("No."), "ordinal"), (translator.tr("Annex"), "name"), ("SHA-256", "date")]
        rows = [
            [str(number), words(annex.name, translator), _short(annex.sha256)]
            for number, annex in enumerate(report.annexes, 1)
        ]
        blocks.append(table(columns, rows))
    if report.trail:
        blocks.append(_trail(report.trail, translator))
    return blocks


def _trail(trail: Trail, translator: Translator) -> Block:
    sentence = translator.ntr(
        "The trail of the file, whose last entry has the hash %(head)s, has %(count)s sealed entry.",
        "The trail of the file, whose last entry has the hash %(head)s, has %(count)s sealed entries.",
        trail.length,
        head=_short(trail.head),
    )
    return paragraphs(sentence)


def _short(digest: str) -> str:
    return f"{digest[:4]} {digest[4:8]} {digest[8:12]} {digest[12:16]} …"
