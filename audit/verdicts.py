"""What a verification came to: one line for each stream, and what each finding says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from audit.verification import CHECKPOINTS, Code, Finding, first_bad
from locales import Translator, mark

FINDINGS: Mapping[Code, str] = {
    "entry_missing": mark("%(where)s is missing, and the next ones stand there."),
    "entry_unreadable": mark("%(where)s cannot be read as it was sealed."),
    "chain_broken": mark("%(where)s does not carry the hash of the one before it."),
    "content_changed": mark("%(where)s: its content is not what was sealed."),
    "no_history": mark("%(where)s: neither Temporal nor the archive has a history of it."),
    "run_missing": mark("%(where)s and what follows: neither Temporal nor the archive has the run that decided it."),
    "history_unreadable": mark("The history of run %(run)s cannot be read: %(reason)s."),
    "key_unknown": mark("The history of run %(run)s is encrypted under a key that is not here, or was damaged."),
    "journal_behind": mark("%(where)s stands in the history and not in the journal."),
    "journal_differs": mark("%(where)s is another in the journal than in the history."),
    "sealed_twice": mark(
        "%(where)s was sealed twice: journal and history each have another, and both go on after the same one."
    ),
    "beyond_history": mark("%(where)s stands in the journal and in no history."),
    "archive_missing": mark("The archived run %(run)s is not where the register says."),
    "archive_damaged": mark("The archived run %(run)s is not what was archived (%(reason)s)."),
    "archive_misnamed": mark(
        "The register says something else of the archived run %(run)s than its history (%(reason)s)."
    ),
    "archive_unrecorded": mark("The entry of the archived run %(run)s is not what was sealed of it (%(reason)s)."),
    "archive_differs": mark("%(where)s: the archived run %(run)s is another than the one Temporal still has."),
    "state_differs": mark("%(where)s: the file as run %(run)s was handed it is not what the events up to there give."),
    "not_foldable": mark("%(where)s cannot be read or folded by this release."),
    "replay_failed": mark("The open run %(run)s does not replay with this release: %(reason)s."),
    "replay_hangs": mark("The open run %(run)s does not replay in time with this release."),
    "table_differs": mark("The table %(table)s is not what the events give."),
    "row_differs": mark(
        "%(where)s: row %(row)s of the table %(table)s is not what entry %(entry)s sealed (%(reason)s)."
    ),
    "row_missing": mark("%(where)s: row %(row)s of the table %(table)s is missing; entry %(entry)s sealed it."),
    "row_unsealed": mark("%(where)s: row %(row)s of the table %(table)s stands in no entry."),
    "sign_off_broken": mark("%(where)s: the sign-off does not hold (%(reason)s)."),
    "right_not_by_register": mark("%(where)s: the right it rests on is not by the register (%(reason)s)."),
    "decision_unsigned": mark("%(where)s: not every required signature stands under it (%(reason)s)."),
    "checkpoint_missing": mark("Checkpoint %(number)s is missing, and later ones stand there."),
    "checkpoint_unreadable": mark("Checkpoint %(number)s cannot be read."),
    "checkpoint_broken": mark("Checkpoint %(number)s does not hold (%(reason)s)."),
    "root_differs": mark("Checkpoint %(number)s: its root is not that of the entries it stands for."),
    "leaf_missing": mark("%(where)s is missing; checkpoint %(number)s has it."),
    "leaf_differs": mark("%(where)s is another than checkpoint %(number)s has."),
    "span_broken": mark("%(where)s: what the register says checkpoint %(number)s added does not fit together."),
    "tile_differs": mark("Checkpoint %(number)s: a kept hash of its tree is wrong (%(reason)s)."),
    "checkpoint_lost": mark(
        "Checkpoint %(number)s is kept elsewhere and not here: everything here is older, or its end was cut off."
    ),
    "checkpoint_replaced": mark("Checkpoint %(number)s is another here than the one that is kept elsewhere."),
    "witness_unreadable": mark("A checkpoint that is kept elsewhere cannot be read: %(reason)s."),
    "witness_untrusted": mark(
        "The checkpoint %(number)s that is kept elsewhere has no signature of ours (%(reason)s)."
    ),
}
"""What a finding says; `where` is the entry or the stream."""

Kind = Literal["delegation", "register", "checkpoints"]


@dataclass
class Verdict:
    """What was found of one stream, or of the checkpoints.

    `entries` were looked at, `runs` of them in histories and `archived` in the archive; `head` is the last good hash.
    `checkpoint` is the last one that has entries of the stream, `since` how many came after it.
    """

    stream: str
    kind: Kind
    entries: int = 0
    runs: int = 0
    archived: int = 0
    replayed: int = 0
    head: str | None = None
    checkpoint: int | None = None
    since: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def first(self) -> Finding | None:
        """The first bad entry."""
        return first_bad(self.findings)

    def document(self) -> dict[str, Any]:
        """As JSON; findings in the order of their entries."""
        found = sorted(self.findings, key=lambda one: (one.seq is None, one.seq or 0))
        return {
            "stream": self.stream,
            "kind": self.kind,
            "holds": self.holds,
            "entries": self.entries,
            "runs": self.runs,
            "archived": self.archived,
            "replayed": self.replayed,
            "head": self.head,
            "checkpoint": self.checkpoint,
            "since_checkpoint": self.since,
            "findings": [one.model_dump(mode="json", exclude_none=True) for one in found],
        }

    def told(self, translator: Translator) -> str:
        """As one line: that it holds and how far, or the first bad entry."""
        if self.first is not None:
            more = len(self.findings) - 1
            said = told(self.first, translator)
            rest = translator.ntr("(and %(count)s more finding)", "(and %(count)s more findings)", more)
            line = translator.tr(mark("BAD: %(finding)s"), finding=f"{said} {rest}" if more else said)
            return f"{self._name(translator)}: {line}"
        parts = [translator.ntr("%(count)s entry", "%(count)s entries", self.entries)]
        if self.kind == "delegation":
            parts.append(translator.ntr("%(count)s run", "%(count)s runs", self.runs))
            if self.archived:
                parts.append(translator.tr(mark("%(count)s in the archive"), count=translator.number(self.archived)))
        if self.head:
            parts.append(translator.tr(mark("head %(hash)s"), hash=self.head[:12]))
        if self.checkpoint is None:
            parts.append(translator.tr(mark("in no checkpoint yet")))
        else:
            parts.append(translator.tr(mark("checkpoint %(number)s"), number=self.checkpoint))
            if self.since:
                parts.append(translator.tr(mark("%(count)s since"), count=translator.number(self.since)))
        line = translator.tr(mark("ok: %(facts)s"), facts=", ".join(parts))
        return f"{self._name(translator)}: {line}"

    def _name(self, translator: Translator) -> str:
        return translator.tr(mark("checkpoints")) if self.kind == "checkpoints" else self.stream


def told(finding: Finding, translator: Translator) -> str:
    """What a finding says, in the translator's language."""
    where = finding.stream
    if finding.seq is not None:
        where = translator.tr(mark("%(stream)s, entry %(seq)s"), stream=finding.stream, seq=finding.seq)
    elif finding.stream == CHECKPOINTS:
        where = translator.tr(mark("The register of checkpoints"))
    said = finding.model_dump(include={"number", "run", "table", "row", "entry", "reason"})
    return translator.tr(FINDINGS[finding.code], where=where, **said)


@dataclass
class Account:
    """What a verification came to. `seconds` are of the wall."""

    verdicts: list[Verdict] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether nothing was found anywhere."""
        return all(one.holds for one in self.verdicts)

    @property
    def entries(self) -> int:
        """How many sealed entries were looked at."""
        return sum(one.entries for one in self.verdicts if one.kind != "checkpoints")

    def document(self) -> dict[str, Any]:
        """As JSON."""
        bad = next((one.first for one in self.verdicts if one.first is not None), None)
        return {
            "holds": self.holds,
            "entries": self.entries,
            "seconds": round(self.seconds, 3),
            "entries_per_second": round(self.entries / self.seconds) if self.seconds else 0,
            "first_bad": None if bad is None else bad.model_dump(mode="json", exclude_none=True),
            "verdicts": [one.document() for one in self.verdicts],
        }

    def told(self, translator: Translator) -> list[str]:
        """As lines, the summary last."""
        bad = sum(not one.holds for one in self.verdicts)
        summary = translator.tr(
            mark("Verified %(entries)s in %(seconds)s s (%(rate)s entries/s): %(result)s"),
            entries=translator.ntr("%(count)s entry", "%(count)s entries", self.entries),
            seconds=f"{self.seconds:.1f}",
            rate=translator.number(self.document()["entries_per_second"]),
            result=translator.ntr("%(count)s line is bad.", "%(count)s lines are bad.", bad)
            if bad
            else translator.tr(mark("everything holds.")),
        )
        return [*(one.told(translator) for one in self.verdicts), summary]
