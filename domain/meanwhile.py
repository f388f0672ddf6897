"""What an editor saw of a file, and whether it still stands: so that nobody's change is lost to another's unseen.

A command may carry the digest (`seen`) of what its sender looked at when they wrote it. Without one it is taken as it
is, as from programs that send what they know.
"""

from domain.canonical import digest_of
from domain.commands import ReviseRequest
from domain.decision import Outcome, refuse
from domain.state import Delegation, Item
from domain.values import Digest

REQUEST = frozenset(ReviseRequest.model_fields) - {"type", "seen"}
"""What of a request can be revised, and is therefore seen."""


def item_seen(item: Item) -> Digest:
    """Return the digest of an item as it stands, drafted changes included."""
    return digest_of(item.model_dump(mode="json"))


def request_seen(state: Delegation) -> Digest:
    """Return the digest of what can be revised of a request, as it stands."""
    return digest_of(state.model_dump(mode="json", include=set(REQUEST)))


def programme_seen(state: Delegation) -> Digest:
    """Return the digest of all that decides who is told what by a publication: items, people and what is published."""
    items = [item.model_dump(mode="json") for item in state.items.values()]
    people = [
        [person.id, person.role, person.active, person.channel or "mail", person.person.ref]
        for person in state.people.values()
    ]
    return digest_of({"programme": state.programme, "phase": state.phase.value, "items": items, "people": people})


def changed_meanwhile(seen: Digest | None, stands: Digest) -> Outcome | None:
    """Return the refusal `changed_meanwhile` where what the sender saw is no longer what stands; else None."""
    return None if seen in (None, stands) else refuse("changed_meanwhile", field="seen")
