"""What is left of a played scenario, in a form that two plays of it can be compared by.

Left out is what differs between any two plays: the delegation's id, references and hashes, minutes and seconds.
"""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx2

from domain.decision import SYSTEM
from domain.evolve import fold
from domain.seal import SealedEvent, genesis, verify_chain
from domain.state import Delegation
from tests.installed import Installed

HASH = re.compile(r"\b[0-9a-f]{64}\b")
PEER = re.compile(rb"^X-Peer: .*\n", re.MULTILINE)
"""The development mailbox notes the sender's port in every message."""

REFERENCE = re.compile(r"\b[a-z]+[-_][0-9a-zA-Z_-]{20,}\b")
PROVEN = re.compile(r'("factor_at": )"[^"]+"')
"""When a token signed somebody in is told by this machine's clock, not by the scenario's."""

INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d):\d\d:\d\d[0-9.]*(Z|\+00:00)")

PDF_SIZE = re.compile(r'("media_type": "application/pdf", "size"): \d+')
"""A letter and a report print hashes and the id, so no two are of the same length."""

NOTICE = re.compile(r"((?:reminder|missed|answered|handed-over|desk-returned):[^\s\"]+):\d+")
"""A notice is named by the number of its event, and effects record their outcomes in any order."""


@dataclass(frozen=True)
class Outcome:
    """`people`: what people did, in order. `system`: what deadlines and effects brought, in no order, since effects go
    their ways at once. `mails`: what each Message-ID in a mailbox stands for.
    """

    phase: str
    people: tuple[str, ...]
    system: Counter[str]
    mails: Counter[str]


@dataclass(frozen=True)
class Left:
    """An outcome, with what may differ: how many mails arrived in a second, byte-identical copy."""

    outcome: Outcome
    copies: int
    events: int


async def left_by(installed: Installed, delegation: str, addresses: Sequence[str]) -> Left:
    """Read a delegation's trail, read model, mail ledger and mailboxes; assert that each is whole in itself."""
    await installed.ended(delegation)
    async with installed.asking() as http:
        headers = installed.headers("root")
        trail = (await _got(http, f"/delegations/{delegation}/events?limit=1000", headers))["items"]
        state = (await _got(http, f"/delegations/{delegation}", headers))["state"]
    events = [SealedEvent.model_validate(event) for event in trail]
    verify_chain(genesis(delegation), events)
    assert fold(events) == Delegation.model_validate_json(json.dumps(state))
    lines = ledger(installed.folder / "legation.db", delegation)
    copies = _delivered(installed, addresses, set(lines))
    written = [(event.actor, _written(event, delegation)) for event in events]
    return Left(
        outcome=Outcome(
            phase=state["phase"],
            people=tuple(text for actor, text in written if actor != SYSTEM),
            system=Counter(text for actor, text in written if actor == SYSTEM),
            mails=Counter(lines.values()),
        ),
        copies=copies,
        events=len(events),
    )


def ledger(database: Path, delegation: str) -> dict[str, str]:
    """Return what each Message-ID of a delegation stands for: item, method, version, person, what became of it."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT message_id, uid, method, sequence, participants, mailbox_hash, status FROM mail_ledger"
            " WHERE delegation_id = ?",
            (delegation,),
        ).fetchall()
    return {row[0]: NOTICE.sub(r"\1", " ".join(map(str, row[1:])).replace(delegation, "ID")) for row in rows}


async def _got(http: httpx2.AsyncClient, path: str, headers: dict[str, str]) -> Any:
    answer = await http.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _delivered(installed: Installed, addresses: Sequence[str], expected: set[str]) -> int:
    """Assert that exactly the expected messages lie in the mailboxes, and return how many lie there twice."""
    found: dict[str, set[bytes]] = {}
    arrived = 0
    for address in addresses:
        for octets in installed.mails(address):
            name = message_from_bytes(octets)["Message-ID"].strip()
            if name in expected:
                found.setdefault(name, set()).add(PEER.sub(b"", octets))
                arrived += 1
    assert set(found) == expected
    assert [name for name, copies in found.items() if len(copies) > 1] == []
    return arrived - len(found)


def _written(event: SealedEvent, delegation: str) -> str:
    text = json.dumps([event.type, event.version, event.actor, event.data], sort_keys=True, ensure_ascii=False)
    text = text.replace(delegation, "ID")
    left_out = (
        (REFERENCE, "@"),
        (PROVEN, r'\1"now"'),
        (INSTANT, r"\1"),
        (PDF_SIZE, r"\1"),
        (NOTICE, r"\1"),
        (HASH, "#"),
    )
    for pattern, instead in left_out:
        text = pattern.sub(instead, text)
    return text
