"""Whom a notice of work goes to: to who can do it, else to who has to see that somebody can; never to nobody."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from domain.commands import AcceptReport, Command, SignOff
from domain.decide import decide
from domain.decision import Context
from domain.desk import SIGNING_REPORT
from domain.state import Delegation

Stuck = Literal["vacant", "own_request", "own_trip", "signed_another_step", "not_entitled"]
"""Why nobody who sits at a desk can answer what waits there."""

CONFLICTS: dict[str, Stuck] = {
    "own_request": "own_request",
    "own_trip": "own_trip",
    "signed_another_step": "signed_another_step",
    "place_signed_already": "signed_another_step",
}


def cannot_answer(state: Delegation, what: str, context: Context) -> str | None:
    """Return the code for which the context's actor could not answer a step, or `report`, now; None if they could.

    It is the signature's own rule that is asked, with the registers as the context has them. What waits for nobody is
    `step_not_open`.
    """
    command: Command
    proposal = state.current_proposal
    if what == SIGNING_REPORT and not state.open_steps and state.report is not None:
        command = AcceptReport(report_digest=state.report.digest)
    elif proposal is not None:
        command = SignOff(step_id=what, dossier_digest=proposal.digest)
    else:
        return "step_not_open"
    refusal = decide(state.id, state, command, context).refusal
    return refusal.code if refusal else None


def stuck_because(codes: Iterable[str]) -> tuple[Stuck, ...]:
    """Return why a desk is stuck, from the codes for which those who sit there cannot answer; nobody is `vacant`."""
    return tuple(dict.fromkeys(CONFLICTS.get(code, "not_entitled") for code in codes)) or ("vacant",)


class Told(NamedTuple):
    """Who hears of an escalation, at which position, and at which ones before it nobody could be told.

    Without a position nobody could be told at any: it is for the coordinator then.
    """

    position: str | None
    accounts: tuple[str, ...]
    passed_over: tuple[str, ...]


def escalates_to(positions: Sequence[str], seated: Mapping[str, Sequence[str]], late: Collection[str]) -> Told:
    """Return whom an escalation reaches: the first of several positions at which somebody hears more than they know.

    `seated` are the accounts that can be told at each position, those standing in for somebody on leave among them;
    `late` those at the desk that is late, who know already.
    """
    passed: dict[str, None] = {}
    for position in positions:
        if told := tuple(dict.fromkeys(one for one in seated.get(position, ()) if one not in late)):
            return Told(position, told, tuple(one for one in passed if one != position))
        passed[position] = None
    return Told(None, (), tuple(passed))
