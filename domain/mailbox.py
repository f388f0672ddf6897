"""Mailbox: one person's or one office's e-mail address, with the name shown beside it."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from domain.text import Line
from domain.values import Value

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HEADER_SPECIALS = re.compile(r'[()<>\[\]:;@\\,"]+')
_READ_TWO_WAYS = frozenset("ßς\u200c\u200d")


def address(text: str) -> str:
    """Return one address as `local@domain` in ASCII, the domain in lower case, or refuse it.

    Taken: the dot-atom form of RFC 5321 section 4.1.2, at most 64 octets before the @ and 254 in all (section 4.5.3.1).
    An internationalised domain is taken and kept as its A-label (RFC 5890). Refused, because too many servers on the
    way do not carry them: a local part beyond ASCII (RFC 6531), quoted local parts, address literals, and the four
    characters that IDNA 2003 and 2008 read differently. A comma, a blank or a line break makes two addresses or a
    header of its own: refused. The refusal never repeats the address, which is personal data.
    """
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise _refused("address_without_at", "an address has the form name@domain")
    if len(local) > 64 or not _LOCAL_PART.fullmatch(local):
        raise _refused("address_name_malformed", "before the @ stand at most 64 ASCII letters, digits, dots and signs")
    labels = _ascii_domain(domain).split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("address_domain_malformed", "after the @ stands a domain such as example.org")
    whole = f"{local}@{'.'.join(labels)}"
    if len(whole) > 254:
        raise _refused("address_too_long", "an address has at most 254 characters")
    return whole


def _ascii_domain(domain: str) -> str:
    if domain.isascii():
        return domain.lower()
    if _READ_TWO_WAYS & set(domain.lower()):
        raise _refused("address_domain_ambiguous", "the domain has a letter that mail servers read in two ways")
    if any(unicodedata.category(letter).startswith("C") for letter in domain):
        # What nobody sees would make two addresses that look alike; newer marks slip through the tables of IDNA 2003.
        raise _refused("address_domain_malformed", "after the @ stands a domain such as example.org")
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise _refused("address_domain_malformed", "after the @ stands a domain such as example.org") from None


def _refused(code: str, sentence: str) -> PydanticCustomError:
    return PydanticCustomError(code, "{sentence}", {"sentence": sentence})


Address = Annotated[str, Field(max_length=320), AfterValidator(address)]


class Mailbox(Value):
    """One address and the name shown beside it (RFC 5322 section 3.4)."""

    model_config = ConfigDict(hide_input_in_errors=True)

    address: Address
    name: Annotated[Line, Field(max_length=120)] = ""

    @property
    def header_name(self) -> str:
        """The name for a message header: without the specials of RFC 5322 section 3.2.3 that need quoting.

        Quoting is right on paper, yet readers that split a header at commas, or decode RFC 2047 words before they
        split, would see other recipients.
        """
        return " ".join(_HEADER_SPECIALS.sub(" ", self.name).split())

    @property
    def key(self) -> str:
        """What tells one mailbox from another: hosts treat the part before the @ without regard to case."""
        return self.address.lower()
