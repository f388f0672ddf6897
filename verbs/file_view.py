"""One file, part by part, as a person reads it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from locales import Translator, mark
from verbs.state_line import state_line
from verbs.tables import add_row, output, say, table
from words.codes import (
    ANSWERS,
    DEADLINE_STATES,
    DIRECTIONS,
    FACTORS,
    ITEM_KINDS,
    LEFT,
    PERSON_ROLES,
    STEP_STATES,
    sentence_case,
    word,
)
from words.edition import EditionWords
from words.prefixes import in_one_line
from words.times import at_place, business_time, span

File = Mapping[str, Any]


def show_file(
    file: File, people: Mapping[str, str], rules: EditionWords, translator: Translator, *, now: datetime
) -> None:
    """Print a file (`verbs.show.whole_file`) with the names of its people by id; `now` is an aware wall time."""
    say(file["state"]["title"], style="bold")
    say(state_line(file, file["deadlines"], rules, translator, now=now))
    for warning in warnings(file, people, rules, translator):
        say(f"⚠ {warning}", style="yellow")
    for part in (_request, _people, _programme, _approval, _deadlines, _ceilings, _invitations):
        part(file, people, rules, translator)


def warnings(file: File, people: Mapping[str, str], rules: EditionWords, translator: Translator) -> list[str]:
    """What is worth a look: overlaps, limits exceeded, changes to approve, trips elsewhere, effects given up."""
    state = file["state"]
    found = overlaps_told(state, file["overlaps"], people, translator)
    for breach in file["breaches"]:
        text = (
            mark("%(limit)s: %(measured)s, allowed %(allowed)s; justified.")
            if breach["justified"]
            else mark("%(limit)s: %(measured)s, allowed %(allowed)s; not justified yet.")
        )
        values = {"limit": rules.limit(breach["limit"]), "measured": breach["measured"], "allowed": breach["allowed"]}
        found.append(translator.tr(text, **values))
    if file["unapproved"]:
        waits = mark("Changed since the decision and not approved: %(parts)s.")
        found.append(translator.tr(waits, parts=", ".join(file["unapproved"])))
    for seen in file["observations"]:
        if seen["warns"]:
            text = mark("%(who)s: %(limit)s: %(value)s, allowed %(allowed)s, by other files; a warning only.")
            values = {"limit": rules.limit(seen["rule"]["rule"]), "value": seen["value"], "allowed": seen["allowed"]}
            found.append(translator.tr(text, who=people.get(seen["subject"], seen["subject"]), **values))
    given_up = mark("Given up, so somebody has to look: %(effect)s.")
    return found + [translator.tr(given_up, effect=effect) for effect in state["failures"]]


def overlaps_told(
    state: Mapping[str, Any], overlaps: Sequence[Mapping[str, str]], people: Mapping[str, str], translator: Translator
) -> list[str]:
    """Two items that claim the same person or place at once, one sentence each."""
    told = []
    for overlap in overlaps:
        kind, _, claimed = overlap["what"].partition(":")
        values = {end: state["items"][overlap[end]]["title"] for end in ("first", "second")}
        who = people.get(claimed, claimed) if kind == "person" else claimed
        told.append(translator.tr("%(who)s: “%(first)s” and “%(second)s” overlap.", who=who, **values))
    return told


def _heading(text: str) -> None:
    say("")
    say(text, style="bold")


def _request(file: File, people: Mapping[str, str], rules: EditionWords, translator: Translator) -> None:
    state = file["state"]
    days = translator.date_range(date.fromisoformat(state["starts"]), date.fromisoformat(state["ends"]))
    countries = translator.listing(translator.country(code) for code in state["countries"])
    lines = [
        (mark("Delegation"), f"{state['id']} ({word(DIRECTIONS, state['direction'], translator)})"),
        (mark("Dates"), sentence_case(days)),
        (mark("Partner"), f"{state['partner']} ({countries})"),
        (mark("Places"), translator.listing(state["places"])),
        (mark("Purpose"), state["purpose"]),
        (mark("Coordinator"), state["coordinator"]),
        (mark("Decision"), state["decision"]["number"] if state["decision"] else ""),
        (mark("Trail"), translator.tr("%(seq)s events, head %(head)s", seq=file["seq"], head=file["head"])),
    ]
    rows = table(["", ""])
    rows.show_header = False
    for title, text in lines:
        if text:
            add_row(rows, translator.tr(title), text)
    output().print(rows)


def _people(file: File, people: Mapping[str, str], rules: EditionWords, translator: Translator) -> None:
    state = file["state"]
    if not state["people"]:
        return
    count = translator.ntr("%(count)s delegate", "%(count)s delegates", file["head_count"])
    _heading(translator.tr("People on the file: %(count)s", count=count))
    replies = {
        reply["participant_id"]: word(ANSWERS, reply["answer"], translator)
        for reply in state["replies"].values()
        if reply["item_id"] is None
    }
    titles = (mark("Id"), mark("Name"), mark("Role"), mark("Country"), mark("Answer"))
    rows = table([translator.tr(title) for title in titles], whole=[0])
    for person in state["people"].values():
        left = word(LEFT, person["left"], translator) if person["left"] else ""
        add_row(
            rows,
            person["id"],
            people.get(person["id"], ""),
            word(PERSON_ROLES, person["role"], translator),
            translator.country(person["country"]) if person["country"] else "",
            left or replies.get(person["id"], ""),
            style=None if person["active"] else "dim",
        )
    output().print(rows)


def _programme(file: File, people: Mapping[str, str], rules: EditionWords, translator: Translator) -> None:
    state = file["state"]
    items = [item for item in state["items"].values() if not item["cancelled"]]
    if not items:
        return
    _heading(translator.tr("Programme"))
    items.sort(key=lambda item: (at_place(item["starts"]).date(), item["starts"]["instant"], item["id"]))
    for day, on_day in groupby(items, key=lambda item: at_place(item["starts"]).date()):
        say(sentence_case(translator.long_date(day)), style="underline")
        rows = table(["", "", "", ""], whole=[0, 3])
        rows.show_header = False
        for item in on_day:
            place = f", {item['place']}" if item["place"] else ""
            kind = "" if item["kind"] == "session" else f" ({word(ITEM_KINDS, item['kind'], translator)})"
            draft = "" if item["published"] else translator.tr("not in calendars")
            add_row(rows, span(item, state["zone"], translator), f"{item['title']}{kind}{place}", draft, item["id"])
        output().print(rows)


def _approval(file: File, people: Mapping[str, str], rules: EditionWords, translator: Translator) -> None:
    for name in ("proposal", "amended", "amendment"):
        if proposal := file["state"].get(name):
            _chain(proposal, file["state"]["zone"], rules, translator)


def _chain(proposal: Mapping[str, Any], zone: str, rules: EditionWords, translator: Translator) -> None:
    _heading(translator.tr("Approval of proposal %(number)s", number=proposal["number"]))
    rows = table([translator.tr(title) for title in (mark("Step"), mark("State"), mark("By"), mark("When"))])
    for step in proposal["steps"]:
        title = step["plan"][f"title_{translator.language}"]
        when = business_time(step["at"], zone, translator) if step["at"] else ""
        right = step["right"] or {}
        by = step["by"] or ""
        if by and right:
            by = f"{in_one_line(right, rules.position, translator.language)}: {by}"
        if replaced := right.get("on_behalf_of"):
            by = f"{by}, {translator.tr('in place of %(name)s', name=replaced)}"
        signatures = step.get("signatures", ())
        if len(signatures) > 1 or not by:
            by = ", ".join(_with_proof(signature["by"], signature, translator) for signature in signatures)
        by = _with_proof(by, step, translator)
        status = word(STEP_STATES, step["status"], translator)
        if step.get("voided_by"):
            status = translator.tr("signed, void by a later change")
        if needed := step["plan"].get("needed"):
            status = translator.tr(
                "%(state)s (%(signed)s of %(needed)s)", state=status, signed=len(signatures), needed=needed
            )
        if earlier := [signature["proposal"] for signature in signatures if signature.get("proposal")]:
            status = translator.tr("%(state)s, carried over from proposal %(number)s", state=status, number=earlier[-1])
        add_row(rows, f"{title} ({step['plan']['id']})", status, by, when)
    output().print(rows)
    say(translator.tr("Digest of the dossier: %(digest)s", digest=proposal["digest"]))
    if proposal.get("changed"):
        say(translator.tr("Changed since the decision: %(parts)s", parts=", ".join(proposal["changed"])))


def _with_proof(by: str, answered: Mapping[str, Any], translator: Translator) -> str:
    """Who answered a step, and how that is proven where it is said."""
    factor = answered.get("factor")
    return f"{by} ({word(FACTORS, factor, translator)})" if by and factor else by


def _deadlines(file: File, people: Mapping[str, str], rules: EditionWords, translator: Translator) -> None:
    if not file["deadlines"]:
        return
    _heading(translator.tr("Due dates"))
    titles = (mark("Due"), mark("What"), mark("State"), mark("Rule"))
    rows = table([translator.tr(title) for title in titles], whole=[0])
    for due in file["deadlines"]:
        rule = due["rule"]
        add_row(
            rows,
            translator.weekday_date(date.fromisoformat(due["due_on"])),
            rules.duty(due["what"], rule),
            word(DEADLINE_STATES, due["status"], translator),
            translator.tr("%(rule)s, version %(version)s", rule=rule["rule"], version=rule["version"]),
            style="red" if due["status"] == "missed" else None,
        )
    output().print(rows)


def _ceilings(file: File, people: Mapping[str, str], rules: EditionWords, translator: Translator) -> None:
    if not file["ceilings"]:
        return
    _heading(translator.tr("Ceilings of the reception"))
    titles = (mark("Since"), mark("People"), mark("Days"), mark("Nights"), mark("At most"))
    rows = table([translator.tr(title) for title in titles], right=[1, 2, 3, 4])
    for ceiling in file["ceilings"]:
        add_row(
            rows,
            business_time(ceiling["at"], file["state"]["zone"], translator),
            *(str(ceiling[figure]) for figure in ("head_count", "days", "nights")),
            translator.money_vnd(ceiling["total_vnd"]),
        )
    output().print(rows)


def _invitations(file: File, people: Mapping[str, str], rules: EditionWords, translator: Translator) -> None:
    issues: Sequence[Mapping[str, Any]] = file["state"]["issues"]
    waiting = {person for message in file["untold"] for person in message["to"]}
    if not issues and not waiting:
        return
    _heading(translator.tr("Invitations"))
    if waiting:
        until = business_time(file["state"]["quiet_until"], file["state"]["zone"], translator)
        say(
            translator.ntr(
                "%(count)s person hears of what is new after %(time)s, unless it changes again.",
                "%(count)s people hear of what is new after %(time)s, unless it changes again.",
                len(waiting),
                time=until,
            )
        )
    if not issues:
        return
    titles = (mark("When"), mark("People"), mark("Invitations"), mark("Cancellations"), mark("Sent"), mark("Refused"))
    rows = table([translator.tr(title) for title in titles], right=[1, 2, 3, 4])
    for issue in issues:
        add_row(
            rows,
            business_time(issue["at"], file["state"]["zone"], translator),
            *(str(issue[figure]) for figure in ("people", "requests", "cancels")),
            "" if issue["sent"] is None else str(issue["sent"]),
            ", ".join(people.get(person, person) for person in issue["refused"]),
        )
    output().print(rows)
