"""Reading stored events of every version as today's events.

An upcaster takes the stored data of one type and version to the next version; they are applied one after the other.
"""

from collections.abc import Callable, Mapping
from typing import Any

from domain.events import EVENT, AnyEvent
from domain.seal import SealedEvent

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
"""From (type, version) to the data of the next version. Empty until an event first changes its meaning."""


def read_event(sealed: SealedEvent, upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS) -> AnyEvent:
    """Return the event a sealed one carries, brought to its newest version."""
    data, version = sealed.data, sealed.version
    while step := upcasters.get((sealed.type, version)):
        data, version = step(dict(data)), version + 1
    return EVENT.validate_python({**data, "type": sealed.type})
