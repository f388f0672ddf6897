"""Whether a text or a mail names somebody: by full name, address, telephone or passport, however it is written."""

import email
import email.policy
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from domain.folding import folded
from storage.persons import PersonDetails

SHORTEST_NAME = 4
"""Letters that a name has at least to be looked for: “An” stands in half of all words."""

SHORTEST_NUMBER = 6
"""Digits that a telephone number has at least to be looked for: fewer would be found anywhere."""


@dataclass(frozen=True)
class Mentions:
    """What a person is recognised by: names and addresses folded, numbers as their digits and letters.

    A name alone may be another one's; an address, a telephone or a passport is theirs.
    """

    names: frozenset[str]
    addresses: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, details: Sequence[PersonDetails], *, addresses: Iterable[str] = (), names: Iterable[str] = ()) -> Self:
        """Take every version of somebody's details, and what their accounts are called besides."""
        numbers = [*(one.phone or "" for one in details), *(one.passport_number or "" for one in details)]
        plain = (_plain(one) for one in numbers)
        return cls(
            names=_words([*(one.full_name for one in details), *names]),
            addresses=_words([*(one.email for one in details), *addresses]),
            numbers=frozenset(one for one in plain if len(one) >= SHORTEST_NUMBER),
        )

    def in_text(self, text: str) -> bool:
        """Whether a text names the person, with or without diacritics and blanks within numbers."""
        searched = folded(text)
        return any(name in searched for name in self.names) or self._identify(text, searched)

    def in_mail(self, octets: bytes) -> bool:
        """Whether a mail names the person in a header or in a part that is text; what cannot be read is not judged."""
        return any(self.in_text(part) for part in _told_by(octets))

    def identify(self, octets: bytes) -> bool:
        """Whether a mail has something in it that is the person's and nobody else's."""
        return any(self._identify(part, folded(part)) for part in _told_by(octets))

    def _identify(self, text: str, searched: str) -> bool:
        if any(address in searched for address in self.addresses):
            return True
        plain = _plain(text) if self.numbers else ""
        return any(number in plain for number in self.numbers)


def _words(said: Iterable[str]) -> frozenset[str]:
    return frozenset(word for one in said if len(word := folded(one)) >= SHORTEST_NAME)


def _told_by(octets: bytes) -> Iterator[str]:
    yield octets.decode("utf-8", "replace")
    try:
        message = email.message_from_bytes(octets, policy=email.policy.default)
        yield "\n".join(str(value) for value in message.values())
        for part in message.walk():
            if part.get_content_maintype() == "text":
                payload = part.get_payload(decode=True)
                if isinstance(payload, bytes):
                    yield payload.decode(part.get_content_charset() or "utf-8", "replace")
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        # Whatever a broken mail makes of the parser: its octets were looked through as they are.
        return


def _plain(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.casefold())
