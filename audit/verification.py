"""What is checked of a sealed stream, each check a pure function that names the first bad entry.

A stream is a delegation or a register (`register:accounts`). Codes are stable; what they say stands in
audit/verdicts.py. Where something can be told from several places (journal, history, archive), each is judged by
itself, so that the place which was changed is the one that is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal

from pydantic import ValidationError

from audit.bundle.verify import not_by_register
from audit.history import Run, in_order
from audit.sign_offs import sign_offs, unsigned
from domain.evolve import evolve, fold
from domain.seal import Head, SealedEvent, genesis, hash_of, head_of
from domain.state import Delegation
from domain.upcast import read_event
from domain.values import Fact

CHECKPOINTS = "checkpoints"
"""Stands where a stream would, for what is wrong with the checkpoints themselves."""

Place = Literal["journal", "register", "history", "archive", "read_model", "checkpoints", "witness"]

Code = Literal[
    "entry_missing",
    "entry_unreadable",
    "chain_broken",
    "content_changed",
    "no_history",
    "run_missing",
    "history_unreadable",
    "key_unknown",
    "journal_behind",
    "journal_differs",
    "sealed_twice",
    "beyond_history",
    "archive_missing",
    "archive_damaged",
    "archive_misnamed",
    "archive_unrecorded",
    "archive_differs",
    "state_differs",
    "not_foldable",
    "replay_failed",
    "replay_hangs",
    "table_differs",
    "row_differs",
    "row_missing",
    "row_unsealed",
    "sign_off_broken",
    "right_not_by_register",
    "decision_unsigned",
    "checkpoint_missing",
    "checkpoint_unreadable",
    "checkpoint_broken",
    "root_differs",
    "leaf_missing",
    "leaf_differs",
    "span_broken",
    "tile_differs",
    "checkpoint_lost",
    "checkpoint_replaced",
    "witness_unreadable",
    "witness_untrusted",
]


class Finding(Fact):
    """One thing that does not hold.

    `stream` and `seq` are the first bad entry; `number` is a checkpoint's, `run` a run's id, `table` a table's name and
    `row` what a row of it is called, `entry` the entry of the register's log that told of that row last, `reason` a
    stable code, the names of fields, or a word of whoever noticed. No content stands in it.
    """

    code: Code
    place: Place
    stream: str
    seq: int | None = None
    number: int | None = None
    run: str | None = None
    table: str | None = None
    row: str | None = None
    entry: int | None = None
    reason: str | None = None


class Chain:
    """Goes through a stream's stored entries, given in batches, and stops believing at the first bad one.

    `entries` are those before it; `finding` says what is wrong with it. Entries are kept only if `keep`.
    """

    def __init__(self, stream: str, place: Place, *, keep: bool = True) -> None:
        self.stream = stream
        self.head = genesis(stream)
        self.finding: Finding | None = None
        self.events: list[SealedEvent] = []
        self.count = 0
        self._place: Place = place
        self._keep = keep

    def take(self, entries: Iterable[tuple[int, SealedEvent | None]]) -> None:
        """Look at the next entries: number and content, None for what cannot be read as it was sealed."""
        for seq, event in entries:
            self.count += 1
            if self.finding is not None:
                continue
            if seq != self.head.seq + 1:
                self._found("entry_missing", self.head.seq + 1)
            elif event is None:
                self._found("entry_unreadable", seq)
            elif event.prev_hash != self.head.hash:
                self._found("chain_broken", seq)
            elif event.hash != hash_of(event):
                self._found("content_changed", seq)
            else:
                self.head = head_of(event)
                if self._keep:
                    self.events.append(event)

    def _found(self, code: Code, seq: int) -> None:
        self.finding = Finding(code=code, place=self._place, stream=self.stream, seq=seq)


def checked(
    stream: str, place: Place, events: Iterable[SealedEvent], *, after: Head, run: str | None = None
) -> Finding | None:
    """Return what is wrong with sealed events that go on after a head; None when they hold."""
    head = after
    for event in events:
        code: Code | None = None
        if event.seq != head.seq + 1:
            code = "entry_missing"
        elif event.prev_hash != head.hash:
            code = "chain_broken"
        elif not _is_whole(event):
            code = "content_changed"
        if code:
            return Finding(code=code, place=place, stream=stream, seq=head.seq + 1, run=run)
        head = head_of(event)
    return None


def _is_whole(event: SealedEvent) -> bool:
    try:
        return event.hash == hash_of(event)
    except ValueError:
        # Content that has no canonical form was never sealed.
        return False


def compared(
    stream: str, stored: Mapping[int, SealedEvent | None], recorded: Sequence[SealedEvent], *, upto: int
) -> Finding | None:
    """Return where the journal is another than what a run recorded; None when all that was recorded stands there.

    `stored` are the journal's entries by number (None: unreadable), the last of them `upto`. That the journal holds
    more is no difference here: another run may carry it. Two events that both go on after the same one and both are
    whole were sealed by two (`sealed_twice`): the checkpoint that has one of them says which.
    """
    for told in recorded:
        seq = told.seq
        if seq > upto:
            return Finding(code="journal_behind", place="journal", stream=stream, seq=seq)
        kept = stored.get(seq)
        if kept != told:
            twice = kept is not None and kept.prev_hash == told.prev_hash and _is_whole(kept) and _is_whole(told)
            code: Code = "sealed_twice" if twice else "journal_differs"
            return Finding(code=code, place="journal", stream=stream, seq=seq)
    return None


def runs_differ(stream: str, archived: Run, live: Run) -> Finding | None:
    """Return where the archive of a run is another than what the server still has of it."""
    if archived == live:
        return None
    pairs = zip_longest(archived.events + archived.unanswered, live.events + live.unanswered)
    place = next((number for number, (one, other) in enumerate(pairs) if one != other), 0)
    seq = archived.head.seq + 1 + place
    return Finding(code="archive_differs", place="archive", stream=stream, seq=seq, run=archived.run_id)


def covered(stream: str, runs: Sequence[Run], length: int) -> list[Finding]:
    """Return which events no run carries (the first of each gap), and from which on the journal is beyond all runs."""
    if not runs and not length:
        return []
    if not runs:
        return [Finding(code="no_history", place="history", stream=stream, seq=1)]
    found, reached = [], 0
    for run, events in in_order(runs):
        if run.head.seq > reached:
            found.append(Finding(code="run_missing", place="history", stream=stream, seq=reached + 1))
        reached = max(reached, run.head.seq + len(events))
    if length > reached:
        found.append(Finding(code="beyond_history", place="journal", stream=stream, seq=reached + 1))
    return found


def states_hold(stream: str, runs: Sequence[Run], events: Sequence[SealedEvent]) -> list[Finding]:
    """Return at which runs the fold of the trail, through the upcasters, is not the state that the run was handed."""
    wanted = sorted(((run.head.seq, run) for run in runs if run.state is not None), key=lambda pair: pair[0])
    found: list[Finding] = []
    state: Delegation | None = None
    at = 0
    for seq, run in wanted:
        if seq > len(events):
            break
        try:
            state = fold(events[at:seq], state)
            at = seq
        except Exception:  # noqa: BLE001 - whatever an upcaster or the fold stumbles over is the finding
            return [*found, Finding(code="not_foldable", place="history", stream=stream, seq=_stumbled(events))]
        try:
            holds = state is not None and Delegation.model_validate(run.state) == state
        except ValidationError:
            holds = False
        if not holds:
            found.append(Finding(code="state_differs", place="history", stream=stream, seq=seq, run=run.run_id))
    return found


def foldable(stream: str, events: Sequence[SealedEvent]) -> Finding | None:
    """Return the first event that today's code cannot read or fold; None when it folds all of them."""
    try:
        fold(events)
    except Exception:  # noqa: BLE001 - as above
        return Finding(code="not_foldable", place="journal", stream=stream, seq=_stumbled(events))
    return None


def _stumbled(events: Sequence[SealedEvent]) -> int:
    state: Delegation | None = None
    for event in events:
        try:
            state = evolve(state, read_event(event), event)
        except Exception:  # noqa: BLE001 - as above
            return event.seq
    return len(events)


def signed(stream: str, events: Sequence[SealedEvent], *, party: str | None = None) -> list[Finding]:
    """Return every sign-off of a whole trail, whose chain is known to hold, that does not, and every decision that

    stands on fewer signatures than its dossier asks for.
    """
    broken: list[tuple[Code, int, str | None]] = [
        ("sign_off_broken", one.seq, one.reason)
        for one in sign_offs(events, party=party, verified=True)
        if one.verdict == "broken"
    ]
    broken += [("decision_unsigned", seq, why) for seq, why in unsigned(events)]
    return [Finding(code=code, place="journal", stream=stream, seq=seq, reason=why) for code, seq, why in broken]


def entitled(
    stream: str, events: Iterable[SealedEvent], log: Mapping[str, Sequence[Mapping[str, Any]]], *, timed: bool
) -> list[Finding]:
    """Return the events whose right to sign is not what the registers of tenures and leave said at that instant.

    `log` has what these registers sealed, as JSON, by the row that it tells of, in order. `timed`: the file goes by the
    clock of the registers, within five minutes; a file whose clock is moved forward may rest on any entry of its row.
    """
    versions = {row: list(entries) for row, entries in log.items()}
    rights = (event for event in events if event.data.get("right"))
    told = ((event, _not_by_register(event, versions, timed=timed)) for event in rights)
    return [
        Finding(code="right_not_by_register", place="journal", stream=stream, seq=event.seq, reason=why)
        for event, why in told
        if why
    ]


def _not_by_register(event: SealedEvent, log: dict[str, list[Any]], *, timed: bool) -> str:
    said = {"data": event.data, "actor": event.actor, "at": event.at, "seq": event.seq}
    try:
        return not_by_register(said, log, timed=timed)
    except (KeyError, TypeError, ValueError, AttributeError):
        return "it cannot be read"


def first_bad(findings: Iterable[Finding]) -> Finding | None:
    """Return the finding with the earliest entry of a stream; one without a number comes last."""
    return min(findings, key=lambda one: (one.seq is None, one.seq or 0), default=None)
