"""What an approver signs: an ordered list of parts, each by its digest or commitment, and one digest over the list."""

from domain.canonical import digest_of
from domain.events import Breach, DossierPart
from domain.state import Delegation


def dossier_parts(state: Delegation, breaches: tuple[Breach, ...], ceiling_vnd: int | None) -> tuple[DossierPart, ...]:
    """Return the parts of the dossier as the file stands: request, members, programme, money, limits, documents.

    Personal data and free text enter by the commitment that their register keeps, files by the digest of their bytes.
    """
    parts = [("request", digest_of(_request(state)))]
    parts += [
        (
            f"member:{member.id}",
            digest_of(
                {
                    "person": member.person.commitment,
                    "role": member.role,
                    "country": member.country,
                    "entry_papers": member.entry_papers,
                }
            ),
        )
        for member in state.delegates
    ]
    programme = [
        item.model_dump(mode="json", exclude={"cancelled"}) for item in state.items.values() if not item.cancelled
    ]
    parts.append(("programme", digest_of(programme)))
    parts.append(("ceiling", digest_of({"total_vnd": ceiling_vnd})))
    for breach in breaches:
        justified = state.justifications.get(breach.limit)
        parts.append(
            (
                f"limit:{breach.limit}",
                digest_of(
                    {
                        "breach": breach.model_dump(mode="json"),
                        "justification": justified[1].commitment if justified else None,
                    }
                ),
            )
        )
    parts += [(f"document:{document.id}", document.attachment.digest) for document in state.documents.values()]
    return tuple(DossierPart(part=name, commitment=value) for name, value in parts)


def dossier_digest(parts: tuple[DossierPart, ...]) -> str:
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
