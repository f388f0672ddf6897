"""Whether a text or a mail names somebody: by full name, address, telephone or passport, however it is written."""

import email
import email.policy
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from domain.folding import folded
from storage.persons import PersonDetails

SHORTEST_NUMBER = 6
"""Digits that a telephone number has at least to be looked for: fewer would be found anywhere."""


@dataclass(frozen=True)
class Mentions:
    """What a person is recognised by: names and addresses folded, numbers as their digits and letters."""

    words: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, details: Sequence[PersonDetails], *, addresses: Iterable[str] = (), names: Iterable[str] = ()) -> Self:
        """Take every version of somebody's details, and what their accounts are called besides."""
        said = [*(one.full_name for one in details), *(one.email for one in details), *addresses, *names]
        numbers = [*(one.phone or "" for one in details), *(one.passport_number or "" for one in details)]
        plain = (_plain(one) for one in numbers)
        return cls(
            words=frozenset(word for one in said if (word := folded(one))),
            numbers=frozenset(one for one in plain if len(one) >= SHORTEST_NUMBER),
        )

    def in_text(self, text: str) -> bool:
        """Whether a text names the person, with or without diacritics and blanks within numbers."""
        if not self.words and not self.numbers:
            return False
        searched = folded(text)
        if any(word in searched for word in self.words):
            return True
        plain = _plain(text) if self.numbers else ""
        return any(number in plain for number in self.numbers)

    def in_mail(self, octets: bytes) -> bool:
        """Whether a mail names the person in a header or in a part that is text; what cannot be read is not judged."""
        return any(self.in_text(part) for part in _told_by(octets))


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
