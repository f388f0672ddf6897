"""What an event says, as a sentence about who did it: “12 Mar 09:00  lan  adds delegate-3 as delegate”.

One sentence for each type of event; a type that only a newer API knows is shown by its name.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from locales import Translator, mark
from words.codes import ANSWERS, CHANNELS, DOCUMENTS, FACTORS, FORMALITIES, MAIL_KINDS, PERSON_ROLES, word
from words.edition import EditionWords
from words.policies import warnings
from words.prefixes import in_one_line
from words.times import at_place, business_time

Data = Mapping[str, Any]

NO_RULE: Data = {"rule": None, "version": 0}

PARTICIPANT = "participant:"
"""What the actor of an event begins with where somebody on the file did it, before their place there."""

ABOUT_PEOPLE = ("member_id", "participant_id", "by")
ABOUT_ACCOUNTS = ("previous", "coordinator")


@dataclass(frozen=True)
class Names:
    """What people on a file are called, by their place on it, and holders of accounts, by account.

    Whoever has no name here stands as the trail has them: it carries references only.
    """

    people: Mapping[str, str] = field(default_factory=dict)
    accounts: Mapping[str, str] = field(default_factory=dict)

    def person(self, place: str) -> str:
        """Somebody on the file, by their place on it."""
        return self.people.get(place, place)

    def account(self, account: str) -> str:
        """Whoever did something: the holder of an account, or somebody on the file."""
        if account.startswith(PARTICIPANT):
            return self.person(account.removeprefix(PARTICIPANT))
        return self.accounts.get(account, account)


def told_apart(names: Mapping[str, str]) -> dict[str, str]:
    """Return names by id, with the id behind those that several have."""
    often = Counter(names.values())
    return {one: name if often[name] == 1 else f"{name} ({one})" for one, name in names.items()}


@dataclass
class Reader:
    """For whom: the language, the words of the file's edition, and the zone whose times need no name.

    Tells the events of one file in their order: `due` remembers by which rule each thing is due. `items` are what the
    items of the programme are called by then, by id; None where the ids themselves are to stand.
    """

    translator: Translator
    rules: EditionWords
    zone: str
    due: dict[str, Data] = field(default_factory=dict)
    names: Names = field(default_factory=Names)
    items: Mapping[str, str] | None = None

    def hear(self, event: Mapping[str, Any]) -> None:
        """Remember by which rule something is due, of an event that is not told."""
        if "rule" in event["data"] and "what" in event["data"]:
            self.due[event["data"]["what"]] = event["data"]["rule"]

    def tr(self, text: str, **values: object) -> str:
        """The sentence, filled."""
        return self.translator.tr(text, **values)

    def person(self, place: str) -> str:
        """Somebody on the file, by their place on it."""
        return self.names.person(place)

    def people(self, places: Iterable[str]) -> str:
        """Some of those on the file."""
        return self.translator.listing(self.person(place) for place in places)

    def account(self, account: str) -> str:
        """Whoever did something: the holder of an account, or somebody on the file."""
        return self.names.account(account)

    def item(self, item: str) -> str:
        """An item of the programme."""
        return item if self.items is None or item not in self.items else f"“{self.items[item]}”"

    def day(self, written: str) -> str:
        """A day as people write it."""
        return self.translator.short_date(date.fromisoformat(written))

    def duty(self, what: str) -> str:
        """What is due, by the rule that it last was due by."""
        return self.rules.duty(what, self.due.get(what, NO_RULE))

    def time(self, instant: str) -> str:
        """An instant by the file's clock."""
        return self.translator.date_and_time(datetime.fromisoformat(instant).astimezone(ZoneInfo(self.zone)))

    def moment(self, moment: Data) -> str:
        """A local time, with its zone where that is not the file's."""
        at = at_place(moment)
        label = "" if moment["zone"] == self.zone else f" {self.translator.zone_label(at)}"
        return f"{self.translator.date_and_time(at)}{label}"


Told = Callable[[Data, Reader], str]


def sentence_of(event: Mapping[str, Any], reader: Reader) -> str:
    """Return what a sealed event says, without who and when. What an event leaves out is None by its definition."""
    told = EVENTS.get(event["type"])
    if told is None:
        return str(event["type"])
    sentence = told(event["data"], reader)
    replaced = (event["data"].get("right") or {}).get("on_behalf_of")
    if replaced:
        sentence = f"{sentence}, {reader.tr(mark('in place of %(name)s'), name=reader.account(replaced))}"
    proof = event["data"].get("proof")
    return f"{sentence}; {_proven(proof, reader)}" if proof else sentence


def _proven(proof: Data, reader: Reader) -> str:
    return word(FACTORS, "passkey_signature" if proof.get("signature") else proof["factor"], reader.translator)


def _plain(text: str) -> Told:
    return lambda data, reader: reader.tr(text, **_named(data, reader))


def _named(data: Data, reader: Reader) -> dict[str, Any]:
    """What an event says, with whom and what it names as the reader knows them."""
    named = dict(data)
    named |= {name: reader.person(data[name]) for name in ABOUT_PEOPLE if name in data}
    named |= {name: reader.account(data[name]) for name in ABOUT_ACCOUNTS if name in data}
    return named | ({"item_id": reader.item(data["item_id"])} if data.get("item_id") else {})


def _step(text: str) -> Told:
    return lambda data, reader: reader.tr(text, **{**data, "step": reader.rules.step(data["step_id"])})


def _role(text: str) -> Told:
    def told(data: Data, reader: Reader) -> str:
        role = word(PERSON_ROLES, data["role"], reader.translator)
        return reader.tr(text, **_named(data, reader) | {"role": role})

    return told


def _due(text: str) -> Told:
    def told(data: Data, reader: Reader) -> str:
        reader.due[data["what"]] = rule = data["rule"]
        return reader.tr(text, duty=reader.duty(data["what"]), day=reader.day(data["due_on"]), **rule)

    return told


def _duty(text: str) -> Told:
    return lambda data, reader: reader.tr(text, duty=reader.duty(data["what"]))


def _opened(data: Data, reader: Reader) -> str:
    days = {end: reader.day(data[end]) for end in ("starts", "ends")}
    return reader.tr(mark("opens the file: %(title)s, %(starts)s to %(ends)s"), title=data["title"], **days)


def _revised(data: Data, reader: Reader) -> str:
    return reader.tr(mark("changes the request: %(fields)s"), fields=", ".join(data))


def _justified(data: Data, reader: Reader) -> str:
    breach = data["breach"]
    values = {
        "limit": reader.rules.limit(breach["limit"]),
        "measured": breach["measured"],
        "allowed": breach["allowed"],
    }
    return reader.tr(mark("justifies: %(limit)s %(measured)s, allowed %(allowed)s"), **values)


def _elsewhere(data: Data, reader: Reader) -> str:
    """Which steps others decide, since whoever sits at their desk may not."""
    said = warnings(data.get("conflicted", ()), (), reader.rules.step, reader.rules.position, reader.translator)
    return "".join(f"; {one[:1].lower()}{one[1:].rstrip('.')}" for one in said)


def _submitted(data: Data, reader: Reader) -> str:
    steps = reader.translator.listing(step[f"title_{reader.translator.language}"] for step in data["steps"])
    text = reader.tr(mark("submits proposal %(proposal)s to: %(steps)s"), proposal=data["proposal"], steps=steps)
    text += _elsewhere(data, reader)
    carried = dict.fromkeys(one["step_id"] for one in data.get("carried", ()))
    if not carried:
        return text
    kept = reader.translator.listing(reader.rules.step(step) for step in carried)
    return text + reader.tr(mark("; signatures carried over: %(steps)s"), steps=kept)


def _change_submitted(data: Data, reader: Reader) -> str:
    text = reader.tr(mark("; it changes: %(parts)s"), parts=", ".join(data["changed"]))
    return _submitted(data, reader) + text


FALLEN: Mapping[str, str] = {
    "whole_chain": mark("the policy asks the whole chain again"),
    "chain_changed": mark("another policy or another step asks now"),
    "own_request": mark("who is behind them has written, submitted or run the file since"),
    "own_trip": mark("who is behind them goes on the journey now"),
    "signed_another_step": mark("who is behind them is one person with who signed another step"),
    "granted_by_oneself": mark("who is behind them entered the right themselves"),
}
"""Why signatures do not stand for what is submitted."""


def _voided(data: Data, reader: Reader) -> str:
    values = {
        "proposal": data["proposal"],
        "steps": reader.translator.listing(reader.rules.step(step) for step in data["steps"]),
    }
    if not (because := data.get("because")):
        said = mark("signatures of proposal %(proposal)s no longer stand: %(steps)s; changed: %(parts)s")
        return reader.tr(said, **values, parts=", ".join(data["parts"]))
    values["why"] = reader.tr(FALLEN[because])
    if not data.get("signers"):
        return reader.tr(mark("signatures of proposal %(proposal)s no longer stand: %(steps)s; %(why)s"), **values)
    values["signers"] = reader.translator.listing(reader.account(one) for one in data["signers"])
    return reader.tr(
        mark("signatures of proposal %(proposal)s no longer stand: %(steps)s, by %(signers)s; %(why)s"), **values
    )


def _change_superseded(data: Data, reader: Reader) -> str:
    values = {"proposal": data["proposal"], "parts": ", ".join(data["parts"])}
    return reader.tr(mark("proposal %(proposal)s is replaced by a later change: %(parts)s"), **values)


def _signed(data: Data, reader: Reader) -> str:
    by_right = in_one_line(data["right"], reader.rules.position, reader.translator.language)
    return reader.tr(
        mark("signs the step “%(step)s” (%(right)s)"), step=reader.rules.step(data["step_id"]), right=by_right
    )


def _returned(data: Data, reader: Reader) -> str:
    step = reader.rules.step(data["step_id"])
    if data["kind"] == "amend":
        return reader.tr(mark("returns the dossier for changes, at the step “%(step)s”"), step=step)
    text = reader.tr(mark("returns the dossier as incomplete, at the step “%(step)s”"), step=step)
    missing = reader.translator.listing(data.get("missing", ()))
    return f"{text}: {missing}" if missing else text


def _external(data: Data, reader: Reader) -> str:
    sentence = EXTERNAL[data["outcome"]]
    return reader.tr(
        sentence,
        step=reader.rules.step(data["step_id"]),
        authority=data["authority"],
        reference=data["reference"],
        day=reader.day(data["dated"]),
    )


def _escalated(data: Data, reader: Reader) -> str:
    return reader.tr(
        mark("the step “%(step)s” was due on %(day)s and goes up to: %(position)s"),
        step=reader.rules.step(data["step_id"]),
        day=reader.day(data["due_on"]),
        position=reader.rules.position(data["to"]),
    )


def _noted(data: Data, reader: Reader) -> str:
    if not data["stand_ins"]:
        return reader.tr(mark("no leave touches what waits any more"))
    leaves = dict.fromkeys((one["account"], one["since"], one["until"], one["substitute"]) for one in data["stand_ins"])
    said = (
        reader.tr(
            mark("%(account)s (%(since)s to %(until)s, %(substitute)s signs)"),
            account=reader.account(account),
            since=business_time(since, reader.zone, reader.translator),
            until=business_time(until, reader.zone, reader.translator),
            substitute=reader.account(substitute),
        )
        for account, since, until, substitute in leaves
    )
    return reader.tr(mark("notes leave: %(leaves)s"), leaves=reader.translator.listing(said))


def _desk_moved(data: Data, reader: Reader) -> str:
    return reader.tr(
        mark("the desk “%(desk)s” moves to %(to)s, in place of %(away)s, until %(until)s"),
        desk=reader.rules.position(data["position"]),
        to=reader.account(data["to"]),
        away=reader.account(data["on_behalf_of"]),
        until=business_time(data["until"], reader.zone, reader.translator),
    )


def _desk_returned(data: Data, reader: Reader) -> str:
    return reader.tr(
        mark("the desk “%(desk)s” returns from %(substitute)s to %(account)s"),
        desk=reader.rules.position(data["position"]),
        substitute=reader.account(data["substitute"]),
        account=reader.account(data["account"]),
    )


def _scheduled(data: Data, reader: Reader) -> str:
    values = {"item": data["item_id"], "title": data["title"], "starts": reader.moment(data["starts"])}
    if reader.items is not None:
        return reader.tr(mark("schedules “%(title)s”, %(starts)s"), **values)
    return reader.tr(mark("schedules %(item)s: “%(title)s”, %(starts)s"), **values)


def _moved(data: Data, reader: Reader) -> str:
    values = {"item": reader.item(data["item_id"]), "starts": reader.moment(data["starts"])}
    text = reader.tr(mark("moves %(item)s to %(starts)s"), **values)
    return f"{text}; {data['place']}" if data.get("place") else text


def _published(data: Data, reader: Reader) -> str:
    values = {"programme": data["programme"], "items": len(data["items"])}
    return reader.tr(mark("publishes the programme, version %(programme)s; items: %(items)s"), **values)


def _issued(data: Data, reader: Reader) -> str:
    counts = {"REQUEST": 0, "CANCEL": 0}
    for message in data["messages"]:
        counts[message["method"]] += len(message["to"])
    return reader.tr(
        mark("sends round %(issue)s; invitations: %(requests)s, cancellations: %(cancels)s, people: %(people)s"),
        issue=data["issue"],
        requests=counts["REQUEST"],
        cancels=counts["CANCEL"],
        people=len({person for message in data["messages"] for person in message["to"]}),
    )


def _delivered(data: Data, reader: Reader) -> str:
    text = reader.tr(mark("round %(issue)s is handed over; messages: %(sent)s"), issue=data["issue"], sent=data["sent"])
    refused = reader.people(data.get("refused", ()))
    return text + (reader.tr(mark("; refused for %(people)s"), people=refused) if refused else "")


def _resent(data: Data, reader: Reader) -> str:
    text = reader.tr(mark("sends mails again that did not arrive: %(messages)s"), messages=len(data["messages"]))
    people = reader.people(data.get("participants", ()))
    return f"{text} ({people})" if people else text


NOTICES = {
    "step": "step_waits",
    "desk": "step_waits",
    "escalated": "step_escalated",
    "report-waits": "report_waits",
    "letter-mail": "invitation_letter",
    "reminder": "deadline_reminder",
    "missed": "deadline_missed",
    "told": "deadline_escalated",
    "answered": "answered",
    "desk-returned": "desk_returned",
    "handed-over": "handed_over",
}
"""What a notice is, by how the key of its effect begins (domain/effects.py)."""

WORK = {
    "calendars": mark("programme and invitations"),
    "collections": mark("calendars kept on other servers"),
    "render": mark("a document"),
    "resend": mark("mails that did not arrive"),
}


def _effect(key: str, reader: Reader) -> str:
    """What an effect does, in words, by its key: `step:1:finance` is the notice that the finance step waits."""
    begins, *rest = key.split(":")
    if begins not in NOTICES:
        return word(WORK, begins, reader.translator)
    said = word(MAIL_KINDS, NOTICES[begins], reader.translator)
    match begins, rest:
        case "desk", ["report", *_]:
            return word(MAIL_KINDS, "report_waits", reader.translator)
        case (("step" | "escalated"), [_, step, *_]):
            return f"{said}: {reader.rules.step(step)}"
        case "desk", [step, *_]:
            return f"{said}: {reader.rules.step(step)}"
        case (("reminder" | "missed" | "told"), [what, *_]):
            return f"{said}: {reader.duty(what)}"
    return said


def _noticed(data: Data, reader: Reader) -> str:
    values = {"effect": _effect(data["effect"], reader), "sent": data["sent"]}
    return reader.tr(mark("sends: %(effect)s; messages: %(sent)s"), **values)


def _given_up(data: Data, reader: Reader) -> str:
    values = {"effect": _effect(data["effect"], reader), "code": data["code"]}
    return reader.tr(mark("given up: %(effect)s (%(code)s)"), **values)


def _bounced(data: Data, reader: Reader) -> str:
    people = reader.people(data.get("participants", ()))
    kind = word(MAIL_KINDS, data["kind"], reader.translator)
    values = {"people": people or "–", "kind": kind, "status": data["status"]}
    text = reader.tr(mark("a mail came back (%(status)s); for: %(people)s, notice: %(kind)s"), **values)
    return f"{text}, {reader.item(data['item_id'])}" if data.get("item_id") else text


def _replied(data: Data, reader: Reader) -> str:
    item = f" ({reader.item(data['item_id'])})" if data.get("item_id") else ""
    by_mail = reader.tr(mark(", by mail")) if data.get("via") == "mail" else ""
    comment = reader.tr(mark(", with a comment")) if data.get("comment") else ""
    answer = word(ANSWERS, data["answer"], reader.translator)
    said = f"{answer}{item}{by_mail}{comment}"
    if data.get("via") == "page":
        # Nobody else has that page: whoever did it answers for themselves.
        return said
    return reader.tr(
        mark("records the answer of %(who)s: %(said)s"), who=reader.person(data["participant_id"]), said=said
    )


def _waits_until(data: Data, reader: Reader) -> str:
    return reader.tr(
        mark("what is new goes out after %(time)s, unless it changes again"), time=reader.time(data["until"])
    )


def _channel(data: Data, reader: Reader) -> str:
    channel = word(CHANNELS, data["channel"], reader.translator)
    return reader.tr(
        mark("sets the calendar of %(participant_id)s to: %(channel)s"), **{**_named(data, reader), "channel": channel}
    )


def _formality(data: Data, reader: Reader) -> str:
    reference = f" ({data['reference']})" if data.get("reference") else ""
    values = {"kind": word(FORMALITIES, data["kind"], reader.translator), "day": reader.day(data["on"])}
    return reader.tr(mark("records a formality: %(kind)s, %(day)s"), **values) + reference


def _reminded(data: Data, reader: Reader) -> str:
    values = {"duty": reader.duty(data["what"]), "day": reader.day(data["due_on"])}
    return reader.tr(mark("reminds: %(duty)s, due on %(day)s"), **values)


def _told_further(data: Data, reader: Reader) -> str:
    values = {"duty": reader.duty(data["what"]), "day": reader.day(data["due_on"])}
    return reader.tr(
        mark("tells %(to)s: %(duty)s, due on %(day)s, is still not done (notice %(level)s)"),
        level=data["level"],
        to=reader.rules.position(data["to"]),
        **values,
    )


def _observed(data: Data, reader: Reader) -> str:
    return reader.tr(
        mark("observes in other files: %(limit)s, %(member)s: %(value)s, allowed %(allowed)s"),
        limit=reader.rules.limit(data["rule"]["rule"]),
        member=reader.person(data["subject"]),
        value=data["value"],
        allowed=data["allowed"],
    )


def _resumed(data: Data, reader: Reader) -> str:
    days = {end: reader.day(data[end]) for end in ("starts", "ends")}
    return reader.tr(mark("takes the delegation up again: %(starts)s to %(ends)s"), **days)


def _ceiling(data: Data, reader: Reader) -> str:
    return reader.tr(
        mark("ceiling of the reception: %(total)s; people: %(people)s, days: %(days)s, nights: %(nights)s"),
        total=reader.translator.money_vnd(data["total_vnd"]),
        people=data["head_count"],
        days=data["days"],
        nights=data["nights"],
    )


def _rendered(data: Data, reader: Reader) -> str:
    kind = word(DOCUMENTS, data["kind"], reader.translator)
    languages = ", ".join(version["language"] for version in data["versions"])
    values = {"kind": kind, "number": data["number"], "languages": languages}
    return reader.tr(mark("sets the %(kind)s no. %(number)s in type (%(languages)s)"), **values)


EXTERNAL = {
    "approved": mark("records that %(authority)s approves the step “%(step)s” (%(reference)s, %(day)s)"),
    "returned": mark("records that %(authority)s returns the dossier at the step “%(step)s” (%(reference)s, %(day)s)"),
    "rejected": mark("records that %(authority)s refuses the step “%(step)s” (%(reference)s, %(day)s)"),
}

EVENTS: Mapping[str, Told] = {
    "DelegationOpened": _opened,
    "RequestRevised": _revised,
    "DocumentAttached": _plain(mark("adds the document %(document_id)s to the dossier")),
    "LimitJustified": _justified,
    "RequestSubmitted": _submitted,
    "SignaturesVoided": _voided,
    "ChangeSubmitted": _change_submitted,
    "ChangeSuperseded": _change_superseded,
    "RequestWithdrawn": _plain(mark("takes the proposal back")),
    "RulesAdopted": _plain(mark("puts the file under a newer edition of the rules")),
    "FactObserved": _observed,
    "StepSigned": _signed,
    "StepReturned": _returned,
    "StepRejected": _step(mark("refuses the proposal at the step “%(step)s”")),
    "ExternalDecisionRecorded": _external,
    "StepEscalated": _escalated,
    "StandInsNoted": _noted,
    "DeskMoved": _desk_moved,
    "DeskReturned": _desk_returned,
    "SignOffRefused": _step(mark("was not let sign the step “%(step)s” (%(code)s)")),
    "DecisionIssued": _plain(mark("issues the decision %(number)s")),
    "MemberAdded": _role(mark("adds %(member_id)s as %(role)s")),
    "MemberReplaced": _plain(mark("lets %(by)s travel in place of %(member_id)s")),
    "MemberWithdrawn": _plain(mark("takes %(member_id)s off the delegation")),
    "ParticipantAppointed": _role(mark("appoints %(participant_id)s as %(role)s")),
    "ParticipantReleased": _plain(mark("releases %(participant_id)s")),
    "ItemScheduled": _scheduled,
    "ItemMoved": _moved,
    "ItemRevised": _plain(mark("changes %(item_id)s")),
    "ItemCancelled": _plain(mark("cancels %(item_id)s")),
    "ItemRestored": _plain(mark("takes back what was drafted of %(item_id)s since it was published")),
    "ProgrammePublished": _published,
    "DelegationInvited": _plain(mark("invites, letter no. %(letter)s")),
    "InvitationsIssued": _issued,
    "InvitationsDelivered": _delivered,
    "QuietWindowOpened": _waits_until,
    "QuietWindowClosed": _plain(mark("there is nothing to send after all")),
    "ChannelChosen": _channel,
    "ReplyRecorded": _replied,
    "FormalityRecorded": _formality,
    "CoordinatorChanged": _plain(mark("hands the file over from %(previous)s to %(coordinator)s")),
    "DelegationDeparted": _plain(mark("the journey begins")),
    "DelegationConcluded": _plain(mark("the journey has ended")),
    "ReportFiled": lambda data, reader: (
        reader.tr(mark("files report %(report)s"), report=data["report"]) + _elsewhere(data, reader)
    ),
    "ReportReturned": _plain(mark("returns report %(report)s")),
    "ReportAccepted": _plain(mark("accepts report %(report)s")),
    "DelegationPostponed": _plain(mark("postpones the delegation")),
    "DelegationResumed": _resumed,
    "DelegationCancelled": _plain(mark("calls the delegation off")),
    "DelegationRejected": _step(mark("the delegation is rejected, at the step “%(step)s”")),
    "DelegationClosed": _plain(mark("closes the file")),
    "DelegationReopened": _plain(mark("opens the closed file again")),
    "DeadlineSet": _due(mark("due by %(day)s: %(duty)s, rule %(rule)s, version %(version)s")),
    "DeadlineLifted": _duty(mark("no longer due: %(duty)s")),
    "DeadlineMet": _duty(mark("done: %(duty)s")),
    "DeadlineReminded": _reminded,
    "DeadlineMissed": _due(mark("overdue since %(day)s: %(duty)s, rule %(rule)s, version %(version)s")),
    "DeadlineEscalated": _told_further,
    "CeilingSet": _ceiling,
    "DocumentRendered": _rendered,
    "NoticeSent": _noticed,
    "MailResent": _resent,
    "MailBounced": _bounced,
    "EffectFailed": _given_up,
}
