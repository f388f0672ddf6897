"""Policies of approval in words: which was chosen and why, and who signs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from locales import Translator, mark


def explained(
    policy: Mapping[str, Any] | None,
    why: Sequence[Mapping[str, Any]],
    translator: Translator,
    matter: str = "request",
) -> Iterator[str]:
    """Yield the sentences that say which policy was chosen and why, given the API's answer."""
    language = translator.language
    if policy is None and matter == "programme_change":
        yield translator.tr("No policy applies: changes after the decision need no approval.")
    elif policy is None:
        yield translator.tr("No policy applies: the proposal could not be submitted.")
    else:
        named = {"policy": policy["id"], "version": policy["version"], "title": policy["title"][language]}
        yield translator.tr("Chosen: %(policy)s, version %(version)s: %(title)s", **named)
        yield translator.tr("Source: %(source)s", source=policy["source"])
        sentence = RESUBMISSION[policy["resubmission"]]
        yield translator.tr(sentence)
        if policy["about"]:
            parts = translator.listing(translator.tr(PART_KINDS[kind]) for kind in policy["about"])
            yield translator.tr("What needs approval when it changes after the decision: %(parts)s", parts=parts)
    for candidate in why:
        verdict = mark("chosen") if candidate["chosen"] else mark("outranked")
        if not candidate["applies"]:
            verdict = mark("does not apply")
        values = {"policy": candidate["policy"], "title": candidate["title"][language]}
        values |= {"verdict": translator.tr(verdict), "priority": candidate["priority"]}
        yield translator.tr("%(policy)s, priority %(priority)s, %(verdict)s: %(title)s", **values)
        for one in candidate["conditions"]:
            yield f"  {'✓' if one['met'] else '✗'} {_condition(one, translator)}"
        if not candidate["conditions"]:
            nothing = translator.tr("states no condition")
            yield f"  ✓ {nothing}"


RESUBMISSION = {
    "whole": mark("After a return the whole chain signs again."),
    "minimal": mark("After a return only those sign again whose parts of the dossier changed."),
}

PART_KINDS = {
    "request": mark("the request"),
    "member": mark("the members"),
    "programme": mark("the programme"),
    "ceiling": mark("the ceiling of costs"),
    "limit": mark("limits exceeded and their reasons"),
    "document": mark("the documents"),
}

CONDITIONS = {
    "run_by": mark("run by %(wanted)s (here: %(found)s)"),
    "issuer": mark("regulation of %(wanted)s (here: %(found)s)"),
    "head_level": mark("level of the head: %(wanted)s (here: %(found)s)"),
    "countries": mark("one of the countries %(wanted)s (here: %(found)s)"),
    "conference": mark("conference: %(wanted)s (here: %(found)s)"),
    "entry_papers_needed": mark("entry papers needed: %(wanted)s (here: %(found)s)"),
    "limits_breached": mark("limits exceeded: %(wanted)s (here: %(found)s)"),
    "cost_at_least": mark("cost from %(wanted)s (here: %(found)s)"),
    "cost_below": mark("cost below %(wanted)s (here: %(found)s)"),
}

CODES = {
    "central_union": mark("the central union"),
    "provincial_union": mark("a provincial union"),
    "member_organisation": mark("a member organisation"),
    "standard": mark("standard"),
    "high": mark("high-level leader"),
    "prime_minister": mark("at the prime minister's level"),
    "other": mark("at another level"),
    "none": mark("none"),
}


def _condition(one: Mapping[str, Any], translator: Translator) -> str:
    said = {side: _said(one["condition"], one[side], translator) for side in ("wanted", "found")}
    sentence = CONDITIONS.get(one["condition"], "%(wanted)s / %(found)s")
    return translator.tr(sentence, **said)


def _said(condition: str, value: Any, translator: Translator) -> str:
    if value is None:
        return translator.tr("not known")
    if isinstance(value, bool):
        return translator.tr("yes") if value else translator.tr("no")
    if isinstance(value, int):
        return translator.money_vnd(value)
    values = [value] if isinstance(value, str) else list(value)
    if condition == "countries":
        return translator.listing(translator.country(code) for code in values)
    if condition == "limits_breached" and not values:
        return translator.tr("no")
    return translator.listing(translator.tr(CODES[code]) if code in CODES else code for code in values)


def who_signs(step: Mapping[str, Any], translator: Translator) -> str:
    """Return who signs a step of a policy, by positions, and with which prefix, for whom."""
    prefix = f"{step['signature_prefix']}. " if step["signature_prefix"] else ""
    if step.get("principal"):
        prefix = f"{prefix}{step['principal'][translator.language]} / "
    if step["external"]:
        return translator.tr("an outside authority")
    if step["one_of"]:
        return prefix + translator.tr("one of %(positions)s", positions=", ".join(step["one_of"]))
    if step["all_of"]:
        return prefix + translator.tr("all of %(positions)s", positions=", ".join(step["all_of"]))
    if step["n_of"]:
        values = {"count": step["n_of"]["count"], "positions": ", ".join(step["n_of"]["positions"])}
        return prefix + translator.tr("%(count)s of %(positions)s", **values)
    return f"{prefix}{step['position']}"


HINDRANCES = {
    "vacant": mark("nobody who may sign holds the position"),
    "own_trip": mark("whoever holds the position is on the journey"),
    "own_request": mark("it is the request of whoever holds the position"),
    "holds_another_step": mark("whoever holds the position signs another step of the chain"),
    "granted_by_oneself": mark("whoever holds the position entered that themselves"),
}
"""What stands against somebody's signature at a desk."""


def warnings(
    conflicted: Iterable[Mapping[str, Any]],
    hindered: Iterable[Mapping[str, Any]],
    step: Callable[[str], str],
    position: Callable[[str], str],
    translator: Translator,
) -> Iterator[str]:
    """Yield what somebody is to know before a chain begins: which steps others decide, and which nobody can sign.

    `step` and `position` say what steps and positions are called.
    """
    for one in conflicted:
        why = _why(one["why"], translator)
        values = {"step": step(one["step_id"]), "why": why}
        if one.get("left_to"):
            text = mark("The step “%(step)s” is left to the step “%(to)s”: %(why)s.")
            yield translator.tr(text, **values, to=step(one["left_to"]))
        elif one.get("position"):
            text = mark("The step “%(step)s” is signed by another position, %(position)s: %(why)s.")
            yield translator.tr(text, **values, position=position(one["position"]))
        else:
            yield translator.tr(mark("The step “%(step)s” is decided by an outside authority: %(why)s."), **values)
    for one in hindered:
        text = mark("Nobody can sign the step “%(step)s” as things stand: %(why)s.")
        yield translator.tr(text, step=step(one["step_id"]), why=_why(one["why"], translator))


def who_sits(desk: Mapping[str, Any], translator: Translator) -> str:
    """Return who sits at a desk, what forbids them to sign here, and who stands in for them."""
    said = []
    for one in desk["sitting"]:
        account = one["account"]
        if one["why"]:
            account = f"{account} ({translator.tr(SITTING[one['why']])})"
        instead = [sub["substitute"] for sub in desk["stand_ins"] if sub["account"] == one["account"]]
        if instead:
            account = translator.tr(
                "%(account)s, in whose leave %(substitute)s signs",
                account=account,
                substitute=translator.listing(dict.fromkeys(instead)),
            )
        said.append(account)
    return translator.listing(said) if said else translator.tr("nobody")


SITTING = {
    "own_trip": mark("is on the journey"),
    "own_request": mark("it is their request"),
    "holds_another_step": mark("signed another step"),
    "granted_by_oneself": mark("entered the position themselves"),
}


def _why(codes: Iterable[str], translator: Translator) -> str:
    return translator.listing(translator.tr(HINDRANCES[code]) for code in codes)


DOUBTS = {
    "position_unknown": mark("%(policy)s, step “%(step)s”: no register has the position %(position)s"),
    "position_vacant": mark("%(policy)s, step “%(step)s”: nobody who may sign holds the position %(position)s"),
    "position_shared": mark(
        "%(policy)s, step “%(step)s”: %(position)s signs several steps, and fewer people hold it than steps"
    ),
}


def doubts(found: Iterable[Mapping[str, Any]], translator: Translator) -> Iterator[str]:
    """Yield what the registers do not bear of the policies of an edition, as the API's answer has it."""
    for one in found:
        policy = translator.tr("%(rule)s, version %(version)s", rule=one["policy"], version=one["version"])
        sentence = DOUBTS[one["code"]]
        yield translator.tr(sentence, policy=policy, step=one["step"], position=one["position"])
