"""Whether the registers have what commands name: people, texts and files, each by reference and commitment."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select

from storage.attachments import attachments
from storage.engine import Database
from storage.persons import person_versions, persons
from storage.texts import texts


class Named(NamedTuple):
    """A reference: the place of its command in the batch, the field it stands in, and what identifies the entry."""

    place: int
    field: str
    identity: tuple[str, str]


async def unknown_references(
    database: Database, delegation: str, commands: Sequence[Mapping[str, Any]]
) -> tuple[Named, ...]:
    """Return the references in commands (as JSON) that no register has, in their order.

    A person who was erased, a commitment to other details, a text written for another delegation and a file of another
    type are unknown too.
    """
    named = [one for place, command in enumerate(commands) for one in _named(place, command, "")]
    if not named:
        return ()
    firsts = sorted({one.identity[0] for one in named})
    known: set[tuple[str, str]] = set()
    async with database.reading() as connection:
        people = await connection.execute(
            select(person_versions.c.ref, person_versions.c.commitment)
            .join_from(person_versions, persons, persons.c.ref == person_versions.c.ref)
            .where(person_versions.c.ref.in_(firsts), persons.c.erased_at.is_(None))
        )
        known |= {(row.ref, row.commitment) for row in people}
        written = await connection.execute(
            select(texts.c.ref, texts.c.commitment).where(texts.c.ref.in_(firsts), texts.c.delegation_id == delegation)
        )
        known |= {(row.ref, row.commitment) for row in written}
        files = await connection.execute(
            select(attachments.c.digest, attachments.c.media_type, attachments.c.size).where(
                attachments.c.digest.in_(firsts)
            )
        )
        known |= {(row.digest, f"{row.media_type} {row.size}") for row in files}
    return tuple(one for one in named if one.identity not in known)


def _named(place: int, content: Any, field: str) -> Iterator[Named]:
    if isinstance(content, Mapping):
        if "ref" in content and "commitment" in content:
            yield Named(place, field, (str(content["ref"]), str(content["commitment"])))
        elif "digest" in content and "media_type" in content:
            yield Named(place, field, (str(content["digest"]), f"{content['media_type']} {content.get('size')}"))
        else:
            for name, part in content.items():
                yield from _named(place, part, f"{field}.{name}" if field else str(name))
    elif isinstance(content, (list, tuple)):
        for number, part in enumerate(content):
            yield from _named(place, part, f"{field}.{number}" if field else str(number))
