"""Counting what arrived: each person's own mailbox is read by IMAP, as their calendar program would."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message

from imap_tools import AND, MailBoxUnencrypted


@dataclass
class Arrived:
    """What came since the last look: how many calendar messages of each method, in which mailboxes."""

    methods: Counter[str] = field(default_factory=Counter)
    mailboxes: set[str] = field(default_factory=set)


class Mailboxes:
    """The mailboxes of a scenario's people."""

    def __init__(self, host: str, port: int, password: str, addresses: Iterable[str]) -> None:
        """`password` opens every one of them (the development mailbox)."""
        self._host = host
        self._port = port
        self._password = password
        self._seen: dict[str, set[str]] = {address: set() for address in addresses}

    async def look(self) -> Arrived:
        """Return the calendar messages that came since the last look."""
        return await asyncio.to_thread(self._look)

    def _look(self) -> Arrived:
        arrived = Arrived()
        for address, seen in self._seen.items():
            with MailBoxUnencrypted(self._host, self._port).login(address, self._password) as box:
                new = [uid for uid in box.uids() if uid not in seen]
                if not new:
                    continue
                for message in box.fetch(AND(uid=",".join(new)), mark_seen=False, bulk=True):
                    for method in _methods(message.obj):
                        arrived.methods[method] += 1
                        arrived.mailboxes.add(address)
                seen.update(new)
        return arrived


def _methods(message: Message) -> list[str]:
    return [str(part.get_param("method")) for part in message.walk() if part.get_content_type() == "text/calendar"]
