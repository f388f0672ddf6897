"""What an approver signs: an ordered list of parts, each by its digest or commitment, and one digest over the list."""

from collections.abc import Iterator, Sequence
from typing import Any

from domain.canonical import digest_of
from domain.events import Breach, DossierPart
from domain.state import Delegation
from domain.values import Digest, Fact


class PartContent(Fact):
    """A part with its content as JSON: people and texts by reference and commitment, files by their digest.

    `content` is None where it cannot be told any more what the commitment was made to.
    """

    part: str
    content: Any
    commitment: Digest


NOT_APPROVED = {"cancelled", "notes", "announced"}
"""What of an item is no part of the dossier: notes and how it is announced are for those who carry it out."""


def dossier_contents(
    state: Delegation, breaches: tuple[Breach, ...], ceiling_vnd: int | None
) -> tuple[PartContent, ...]:
    """Return the parts of the dossier as the file stands: request, members, programme, money, limits, documents.

    Personal data and free text are committed to by the commitment that their register keeps, files by the digest of
    their bytes, with their kind and whom they concern.
    """
    return tuple(_contents(state, breaches, ceiling_vnd))


def dossier_parts(state: Delegation, breaches: tuple[Breach, ...], ceiling_vnd: int | None) -> tuple[DossierPart, ...]:
    """Return the same parts, by their digests or commitments alone."""
    return tuple(
        DossierPart(part=one.part, commitment=one.commitment) for one in dossier_contents(state, breaches, ceiling_vnd)
    )


def _contents(state: Delegation, breaches: tuple[Breach, ...], ceiling_vnd: int | None) -> Iterator[PartContent]:
    yield _digested("request", _request(state))
    for member in state.delegates:
        said = {"role": member.role, "country": member.country, "entry_papers": member.entry_papers}
        # Said of those alone whom it is true of: what was signed before there was such a mark stays the same.
        said |= {"key_leader": True} if member.key_leader else {}
        person = member.person
        yield PartContent(
            part=f"member:{member.id}",
            content=said | {"person": person.model_dump(mode="json")},
            commitment=digest_of(said | {"person": person.commitment}),
        )
    programme = [
        item.model_dump(mode="json", exclude=NOT_APPROVED) for item in state.items.values() if not item.cancelled
    ]
    yield _digested("programme", programme)
    yield _digested("ceiling", {"total_vnd": ceiling_vnd})
    for breach in breaches:
        justified = state.justifications.get(breach.limit)
        text = justified[1] if justified else None
        exceeded = breach.model_dump(mode="json")
        yield PartContent(
            part=f"limit:{breach.limit}",
            content={"breach": exceeded, "justification": text.model_dump(mode="json") if text else None},
            commitment=digest_of({"breach": exceeded, "justification": text.commitment if text else None}),
        )
    for document in state.documents.values():
        said = document.model_dump(mode="json", exclude={"id", "bound"})
        yield PartContent(
            part=f"document:{document.id}",
            content=said,
            # What was attached before the rest of it was committed to stays as it was signed.
            commitment=digest_of(said) if document.bound else document.attachment.digest,
        )


def _digested(part: str, content: Any) -> PartContent:
    return PartContent(part=part, content=content, commitment=digest_of(content))


def dossier_digest(parts: Sequence[DossierPart | PartContent]) -> str:
    """Return the digest that a sign-off names: SHA-256 over the ordered list of (part, commitment)."""
    return digest_of([[part.part, part.commitment] for part in parts])


def seen_parts(parts: tuple[DossierPart, ...], looks_at: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    """Return the parts, with their commitments, that a signature depends on: those of these kinds; of none, all."""
    return frozenset((part.part, part.commitment) for part in parts if looked_at(part.part, looks_at))


def looked_at(part: str, looks_at: tuple[str, ...]) -> bool:
    """Return whether a part, by its name, is of one of these kinds; of none, every part is."""
    return not looks_at or part.partition(":")[0] in looks_at


def _request(state: Delegation) -> dict[str, object]:
    return state.model_dump(
        mode="json",
        include={
            "direction",
            "title",
            "purpose",
            "organisation",
            "partner",
            "countries",
            "places",
            "starts",
            "ends",
            "grade",
            "conference",
            "issuer",
            "provincial_chair",
            "led_by_city_leaders",
            "key_leaders",
            "run_by",
            "head_level",
            "stays",
        },
    )
