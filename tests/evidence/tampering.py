"""Every case of tampering with a bundle, enumerated, and where it has to be found.

The rules of places stand in `place_of`, written by hand from the format. Whoever changes a member can leave the
manifest (then it names the member), or write its digests anew, whose signature they cannot make. The cases here do the
latter, so that each check has to find on its own what is its to find.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path as Folder
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import Checkpoint, document_of, following, public_bytes, written
from audit.evidence import lines, said
from audit.merkle import Frontier, node_hash
from domain.seal import SealedEvent, genesis, head_of, seal
from tests.evidence.bare import Changed, broken, checked

Members = Mapping[str, bytes]
Path = tuple[str | int, ...]

MANIFEST = ("manifest", "manifest.json")


@dataclass(frozen=True)
class Case:
    """One change: its name, how it is made, and the (check, beginning of what is told) that have to be found."""

    name: str
    made: Callable[[], Changed]
    found: tuple[tuple[str, str], ...] = field(default=(MANIFEST,))


def values(members: Members, name: str) -> list[Any]:
    """The values of a member, a line each."""
    return [json.loads(line) for line in members[name].splitlines()]


def resummed(members: Members, changed: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    """The changes, and a manifest whose digests are right again; its signature is not."""
    [manifest] = values(members, "manifest.json")
    now = {**members, **changed}
    manifest["members"] = [
        {
            "name": one["name"],
            "sha256": hashlib.sha256(now[one["name"]] or b"").hexdigest(),
            "size": len(now[one["name"]] or b""),
        }
        for one in manifest["members"]
        if now[one["name"]] is not None
    ]
    known = {one["name"] for one in manifest["members"]}
    for name, content in changed.items():
        if content is not None and name not in known and name != "manifest.json":
            manifest["members"].append(
                {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            )
    return {**changed, "manifest.json": said(manifest) + b"\n"}


# Single values


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values that hold no others."""
    if isinstance(value, dict):
        for name in sorted(value):
            yield from leaves(value[name], (*path, name))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from leaves(one, (*path, place))
    else:
        yield path


def at(value: Any, path: Path) -> Any:
    """What stands at a path."""
    for step in path:
        value = value[step]
    return value


def other(value: Any) -> Any:
    """Another value of the same kind; of a text one character of the same class is another one."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value + 1
    if not value:
        return "x"
    place = len(value) // 2
    return value[:place] + another(value[place]) + value[place + 1 :]


def another(character: str) -> str:
    """Another character of the same class: digit, letter, what JSON escapes, punctuation, beyond ASCII."""
    if character.isdigit():
        return "1" if character == "0" else "0"
    if not character.isascii():
        return "ê" if character != "ê" else "ề"
    if character.isalpha():
        return "b" if character in "aA" else "a"
    if character in '"\\\n\t':
        return "\n" if character != "\n" else "\t"
    return "-" if character != "-" else "_"


def with_other(value: Any, path: Path) -> Any:
    """The value with another one at a path."""
    copy = json.loads(json.dumps(value))
    at(copy, path[:-1])[path[-1]] = other(at(value, path))
    return copy


JSON_MEMBERS = (
    "events.jsonl", "histories/", "archive.json", "dossiers/", "documents.json", "openings.json", "sign-offs.json",
    "registers.jsonl", "checkpoints.jsonl", "proofs/inclusion.jsonl",
)  # fmt: skip


def single_values(members: Members) -> Iterator[Case]:
    """Each value of each member is another one, and the manifest's digests are right again."""
    for name in members:
        if not name.startswith(JSON_MEMBERS):
            continue
        documents = values(members, name)
        for number, document in enumerate(documents):
            for path in leaves(document):
                title = f"{name} {number + 1} {'.'.join(map(str, path))}"
                found = place_of(members, name, number, document, path)
                yield Case(title, partial(_one_value, members, name, number, path), (MANIFEST, *found))


def _one_value(members: Members, name: str, number: int, path: Path) -> Changed:
    documents = values(members, name)
    documents[number] = with_other(documents[number], path)
    return Changed(resummed(members, {name: lines(documents)}))


def place_of(members: Members, name: str, number: int, document: Any, path: Path) -> tuple[tuple[str, str], ...]:
    """Where a changed value is told, besides the signature of the manifest; nowhere else where only that has it."""
    match name.partition("/")[0]:
        case "events.jsonl":
            return (("chain", f"event {number + 1}:"), ("histories", f"event {number + 1}:"))
        case "histories":
            return _in_history(name, document, path)
        case "archive.json":
            run = document["runs"][path[1]]
            named = path[2] in ("run_id", "first_seq")
            if not named and run["digest"] is None and path[2] != "digest":
                return (("histories", f"event {run['last_seq'] + 1}:"),) if run["last_seq"] != last(members) else ()
            return (("histories", "member histories/" if named else "archive.json:"),)
        case "dossiers":
            if path[0] == "parts" and path[2] == "content":
                part = document["parts"][path[1]]["part"]
                # Nobody committed to a reference.
                return (("dossiers", f"{name} part {part}:"),) if path[-1] != "ref" else ()
            return (("dossiers", f"{name}:"),) if path[0] in ("digest", "seq", "parts") else ()
        case "documents.json":
            return (("documents", "documents/"),) if path[-1] == "digest" else ()
        case "openings.json":
            return () if path[-1] == "ref" else (("documents", f"text {document['items'][path[1]]['ref']}:"),)
        case "sign-offs.json":
            compared = path[-1] in ("seq", "actor", "digest", "verdict", "key") and path[2] != "right"
            return (("sign_offs", "sign-offs.json:"),) if compared else ()
        case "registers.jsonl":
            if path == ("register",):
                return (("inclusion", ""),)
            seq = other(document["entry"]["seq"]) if path == ("entry", "seq") else document["entry"]["seq"]
            return (("inclusion", f"entry {seq} of the register {document['register']}:"),)
        case "checkpoints.jsonl":
            return (("checkpoints", f"checkpoint {number + 1}"),)
        case "proofs":
            # What a line calls itself proves nothing.
            return () if path == ("number",) else (("inclusion", ""),)
    raise AssertionError(name)


def last(members: Members) -> int:
    """The number of the last event."""
    return len(values(members, "events.jsonl"))


def _in_history(name: str, document: Any, path: Path) -> tuple[tuple[str, str], ...]:
    if path[0] == "run_id":
        return (("histories", f"{name}:"),)
    place = f"{name} history event {int(path[1]) + 1}:"
    if path[2] == "eventId":
        return (("histories", place),)
    payload = at(document, path[:-1])
    if isinstance(payload, dict) and "archived_sha256" in payload:
        if path[-1] in ("text", "archived_sha256") and not payload["sealed"]:
            return (("histories", place),)
        if path[-1] == "sealed" and payload["sealed"]:
            return (("histories", place),)
    return ()


def decisions(members: Members) -> Iterator[Case]:
    """Each value of each event in the histories is another one; the encrypted payload's digest cannot be made anew."""
    for name in sorted(members):
        if not name.startswith("histories/"):
            continue
        [document] = values(members, name)
        for place, event in enumerate(document["events"]):
            details = event.get("markerRecordedEventAttributes", {}).get("details", {})
            if "result" not in details:
                continue
            decided = json.loads(details["result"]["payloads"][0]["text"])
            for path in leaves(decided.get("events", [])):
                seq = decided["events"][path[0]]["seq"]
                title = f"{name} decision of event {seq} {'.'.join(map(str, path[1:]))}"
                # A number that is no longer its own shifts what was decided: the first place may lie before it.
                where = "" if path[1:] == ("seq",) else f"event {seq}:"
                made = partial(_decided_otherwise, members, name, place, path)
                yield Case(title, made, (MANIFEST, ("histories", where)))


def _decided_otherwise(members: Members, name: str, place: int, path: Path) -> Changed:
    [document] = values(members, name)
    payload = document["events"][place]["markerRecordedEventAttributes"]["details"]["result"]["payloads"][0]
    decided = json.loads(payload["text"])
    payload["text"] = json.dumps({**decided, "events": with_other(decided["events"], path)})
    return Changed(resummed(members, {name: lines([document])}))


# Whole rows


def rows(members: Members) -> Iterator[Case]:
    """Rows that are missing, twice there, in another order or cut off, with the manifest's digests right again."""
    events = values(members, "events.jsonl")

    def case(title: str, kept: Sequence[Any], *found: tuple[str, str], member: str = "events.jsonl") -> Case:
        return Case(title, partial(_resummed, members, member, lines(kept)), (MANIFEST, *found))

    for number in range(1, len(events) + 1):
        gone = [*events[: number - 1], *events[number:]]
        place = f"event {number}:" if number < len(events) else f"event {number - 1}:"
        yield case(f"delete event {number}", gone, ("chain", place), ("histories", f"event {number}:"))
        twice = [*events[:number], *events[number - 1 :]]
        yield case(f"event {number} twice", twice, ("chain", f"event {number + 1}:"))
        if number < len(events):
            swapped = [*events[: number - 1], events[number], events[number - 1], *events[number + 1 :]]
            yield case(f"swap events {number} and {number + 1}", swapped, ("chain", f"event {number}:"))
            cut = events[:number]
            places = ("chain", f"event {number}:"), ("histories", f"event {number + 1}:")
            yield case(f"cut behind event {number}", cut, *places, ("inclusion", f"event {number + 1} of "))
    for member, check in (("checkpoints.jsonl", "checkpoints"), ("proofs/inclusion.jsonl", "inclusion")):
        kept = values(members, member)
        for number in range(1, len(kept)):
            gone = [*kept[: number - 1], *kept[number:]]
            place = f"checkpoint {number}:" if check == "checkpoints" else ""
            yield case(f"delete {member} {number}", gone, (check, place), member=member)
        yield case(f"{member} cut", kept[:-1], ("inclusion", ""), member=member)
    entries = values(members, "registers.jsonl")
    for number, entry in enumerate(entries):
        gone = [*entries[:number], *entries[number + 1 :]]
        place = f"event {entry['entry']['seq']} of register:{entry['register']}:"
        yield case(f"delete entry {number + 1}", gone, ("inclusion", place), member="registers.jsonl")


def _resummed(members: Members, name: str, content: bytes | None) -> Changed:
    return Changed(resummed(members, {name: content}))


def whole_members(members: Members) -> Iterator[Case]:
    """Members that are changed, missing or new, with the manifest as it was and with digests that are right again."""
    for name, content in members.items():
        flipped = bytes(
            [*content[: len(content) // 2], content[len(content) // 2] ^ 1, *content[len(content) // 2 + 1 :]]
        )
        if name == "manifest.json":
            yield Case(f"{name} flipped", partial(Changed, {name: flipped}), (("manifest", ""),))
            continue
        yield Case(f"{name} flipped", partial(Changed, {name: flipped}), (("manifest", f"member {name}:"),))
        yield Case(f"{name} missing", partial(Changed, {name: None}), (("manifest", f"member {name}:"),))
        yield Case(f"{name} missing, manifest too", partial(_resummed, members, name, None), (_signature(name),))
        if not name.endswith((".json", ".jsonl")):
            yield Case(f"{name} flipped, manifest too", partial(_resummed, members, name, flipped), (MANIFEST,))
    for name in ("events.json", "keys/0.cose", "documents/0", "histories/000001-x.json", "dossiers/002.json"):
        yield Case(f"{name} added", partial(Changed, {name: b"{}\n"}), (("manifest", f"member {name}:"),))
    [manifest] = values(members, "manifest.json")
    for path in leaves(manifest):
        changed = lines([with_other(manifest, path)])
        yield Case(
            f"manifest.json {'.'.join(map(str, path))}",
            partial(Changed, {"manifest.json": changed}),
            (("manifest", ""),),
        )


def _signature(name: str) -> tuple[str, str]:
    return ("manifest", "member checkpoints.jsonl:") if name == "checkpoints.jsonl" else MANIFEST


# Whoever has more than the bundle


def rechained(members: Members, seq: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> list[SealedEvent]:
    """The events with one changed, and every hash from there on made anew."""
    events = [SealedEvent.model_validate(one) for one in values(members, "events.jsonl")]
    head, found = genesis(events[0].data["delegation"]), list[SealedEvent]()
    for event in events:
        content: dict[str, Any] = {"actor": event.actor, "data": event.data}
        if event.seq == seq:
            content = change(content)
        one = seal(
            head, type=event.type, version=event.version, at=event.instant, command_id=event.command_id,
            actor=content["actor"], data=content["data"],
        )  # fmt: skip
        found.append(one)
        head = head_of(one)
    return found


def with_events(members: Members, events: Sequence[SealedEvent]) -> dict[str, bytes | None]:
    """The bundle with these events, in events.jsonl and, where that is wanted, in the histories' decisions too."""
    changed: dict[str, bytes | None] = {"events.jsonl": lines(one.model_dump(mode="json") for one in events)}
    for name in members:
        if name.startswith("histories/"):
            [document] = values(members, name)
            for event in document["events"]:
                details = event.get("markerRecordedEventAttributes", {}).get("details", {})
                if "result" not in details:
                    continue
                payload = details["result"]["payloads"][0]
                decision = json.loads(payload["text"])
                if decision.get("events"):
                    made = [
                        events[one["seq"] - 1].model_dump(mode="json")
                        for one in decision["events"]
                        if one["seq"] <= len(events)
                    ]
                    payload["text"] = json.dumps({**decision, "events": made})
            changed[name] = lines([document])
    [manifest] = values(members, "manifest.json")
    manifest["head"] = {"hash": events[-1].hash, "seq": len(events)}
    changed["manifest.json"] = said(manifest) + b"\n"
    return changed


def signed_anew(
    members: Members, changed: Mapping[str, bytes | None], key: Ed25519PrivateKey, *, from_number: int = 1
) -> dict[str, bytes | None]:
    """The whole bundle as whoever has only their own key can make it consistent: proofs, checkpoints and manifest."""
    now = {**members, **changed}
    events = [json.loads(line) for line in (now["events.jsonl"] or b"").splitlines()]
    leaves = {(events[0]["data"]["delegation"], one["seq"]): one["hash"] for one in events}
    leaves |= {
        (f"register:{one['register']}", one["entry"]["seq"]): one["entry"]["hash"]
        for one in values(members, "registers.jsonl")
    }
    tree, before, made = Frontier(), None, list[Checkpoint]()
    kept = [Checkpoint.model_validate(one) for one in values(members, "checkpoints.jsonl")]
    for checkpoint, line in zip(kept, values(members, "proofs/inclusion.jsonl"), strict=True):
        for one in line["added"]:
            grow(tree, one, leaves)
        if checkpoint.number < from_number:
            before = checkpoint
        elif before is not None and before.number < from_number:
            # Nobody endorses the new key: it says that the key before did.
            unendorsed = following(None, size=tree.size, root=tree.root(), at=checkpoint.at, key=key)
            body = document_of(unendorsed) | {"number": checkpoint.number, "origin": before.origin}
            body |= {"prev": hashlib.sha256(said(document_of(before))).hexdigest()}
            body |= {"endorsement": written(key.sign(b"legation checkpoint key\x00" + public_bytes(key)))}
            del body["signature"]
            before = Checkpoint.model_validate(body | {"signature": written(key.sign(said(body)))})
        else:
            before = following(before, size=tree.size, root=tree.root(), at=checkpoint.at, key=key)
        made.append(before)
    found = resummed(members, {**changed, "checkpoints.jsonl": lines(document_of(one) for one in made)})
    [manifest] = [json.loads(found["manifest.json"] or b"")]
    if "manifest.json" in changed:
        manifest["head"] = json.loads(changed["manifest.json"] or b"")["head"]
    del manifest["signature"]
    manifest["signature"] = written(key.sign(said(manifest)))
    return {**found, "manifest.json": said(manifest) + b"\n"}


def grow(tree: Frontier, one: Mapping[str, Any], leaves: Mapping[tuple[str, int], str]) -> None:
    """Let a tree grow by what a line of the proof says."""
    if "stream" in one:
        entry = said({"hash": leaves[one["stream"], one["seq"]], "seq": one["seq"], "stream": one["stream"]})
        tree.append(hashlib.sha256(b"\x00" + entry).digest())
        return
    # A subtree of 2**level leaves carries as a single one does, a few levels up.
    node, carry = bytes.fromhex(one["hash"]), tree.size >> one["level"]
    while carry & 1:
        node, carry = node_hash(tree.peaks.pop(), node), carry >> 1
    tree.peaks.append(node)
    tree.size += 1 << one["level"]


def every_case(members: Members) -> Iterator[Case]:
    """Every case there is."""
    for source in (single_values, decisions, rows, whole_members):
        yield from source(members)


def undetected(bundle: bytes, cases: Sequence[Case], folder: Folder) -> list[tuple[str, dict[str, str]]]:
    """The cases of which not everything was told that has to be, with what was."""
    said = checked(folder, bundle, [case.made() for case in cases])
    found = [(case, broken(one)) for case, one in zip(cases, said, strict=True)]
    return [
        (case.name, bad)
        for case, bad in found
        if not all(check in bad and bad[check].startswith(place) for check, place in case.found)
    ]
