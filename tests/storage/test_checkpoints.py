"""Checkpoints in the store: everything that is sealed, once, in order, and nothing that does not hold."""

import asyncio
import itertools
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from activities.checkpoint_log import CheckpointLog, NotInCheckpoint, TreeDamaged, UnknownCheckpoint
from audit.checkpoint import document_of, verify_checkpoints
from audit.merkle import includes, is_consistent, root_of
from audit.signing_key import NoSigningKey, SigningKeys
from domain.seal import genesis
from storage import unsealed as unsealed_module
from storage.checkpoint_rows import checkpoints, merkle_tiles
from storage.checkpoints import Checkpoints
from storage.engine import Database
from storage.journal import journal
from storage.register_log import register_log
from storage.unsealed import CheckpointRefused
from tests.storage.sealing import NOON, SEEDS, goes_on, keys, leaves, logs, made, put_back, sealing
from tests.storage.streams import member, sealed

OTHER = bytes(32)
ANOTHER_PAST = [member(number) for number in range(1, 7)]


async def test_a_checkpoint_adds_what_every_stream_has_sealed_since_the_one_before(database: Database) -> None:
    """In the order of the streams' names, delegations and registers together; the root is that of RFC 9162."""
    await goes_on(database, "visit", 3)
    await goes_on(database, "a-visit", 2)
    await logs(database, "mai")
    first = await made(database)
    assert (first.checkpoint.number, first.checkpoint.size, first.added, first.left) == (1, 6, 6, 0)
    await goes_on(database, "visit", 4)
    await goes_on(database, "third", 1)
    second = await made(database)
    log = CheckpointLog(database)
    assert [(one.checkpoint, one.stream, one.first_seq, one.last_seq, one.position) for one in await log.spans()] == [
        (1, "a-visit", 1, 2, 0),
        (1, "register:accounts", 1, 1, 2),
        (1, "visit", 1, 3, 3),
        (2, "third", 1, 1, 6),
        (2, "visit", 4, 7, 7),
    ]
    in_order = await leaves(database)
    assert first.checkpoint.root == root_of(in_order[:6]).hex()
    assert second.checkpoint.root == root_of(in_order).hex()
    assert await log.all() == [first.checkpoint, second.checkpoint]
    assert verify_checkpoints(await log.all(), keys().public) == second.checkpoint
    assert await log.latest() == second.checkpoint
    assert [one.stream for one in await log.spans(checkpoint=2)] == ["third", "visit"]


async def test_where_nothing_is_new_no_checkpoint_is_made(database: Database) -> None:
    """That somebody looked is noted all the same."""
    assert await sealing(database).make() is None
    assert await CheckpointLog(database).latest() is None
    await goes_on(database, "visit", 1)
    await made(database)
    later = NOON + timedelta(minutes=15)
    assert await sealing(database, now=later).make() is None
    duty = (await Checkpoints(database).duties())["sealing"]
    assert (duty.number, duty.done_at, duty.failure) == (1, later, None)


async def test_every_event_and_every_earlier_checkpoint_is_proven(database: Database) -> None:
    """From tiles, for each checkpoint that could be asked about."""
    for step in range(1, 5):
        await goes_on(database, "visit", 90 * step)
        await goes_on(database, f"visit-{step}", step)
        await made(database)
    log = CheckpointLog(database)
    all_of_them = await log.all()
    for span in await log.spans():
        for seq in {span.first_seq, span.last_seq}:
            for head in all_of_them[span.checkpoint - 1 :]:
                found = await log.inclusion(span.stream, seq, head.number)
                assert found.position == span.position + seq - span.first_seq
                assert includes(found.leaf, found.position, head.size, found.proof, bytes.fromhex(head.root))
    assert (await log.inclusion("visit", 1)).checkpoint == all_of_them[-1]
    for one, two in itertools.combinations_with_replacement(all_of_them, 2):
        proof = (await log.consistency(one.number, two.number)).proof
        assert is_consistent(one.size, two.size, bytes.fromhex(one.root), bytes.fromhex(two.root), proof)


async def test_what_no_checkpoint_holds_is_not_proven(database: Database) -> None:
    """Nor by one that is earlier than the event, nor out of tiles that are not whole."""
    log = CheckpointLog(database)
    await goes_on(database, "visit", 2)
    with pytest.raises(NotInCheckpoint):
        await log.inclusion("visit", 1)
    await made(database)
    await goes_on(database, "visit", 2)
    await made(database)
    for stream, seq, number in (("visit", 3, 1), ("visit", 5, 2), ("vis", 1, 2), ("visit", 5, None)):
        with pytest.raises(NotInCheckpoint):
            await log.inclusion(stream, seq, number)
    with pytest.raises(UnknownCheckpoint):
        await log.inclusion("visit", 1, 3)
    with pytest.raises(UnknownCheckpoint):
        await log.consistency(1, 3)
    with pytest.raises(IndexError):
        await log.consistency(2, 1)
    async with database.writing() as connection:
        await connection.execute(update(merkle_tiles).values(hashes=bytes(64)))
    with pytest.raises(TreeDamaged):
        await log.inclusion("visit", 4)


async def test_a_backlog_is_sealed_in_several_checkpoints(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each at most so many events; a stream that is read in pieces is one span of each checkpoint it is in."""
    monkeypatch.setattr(unsealed_module, "ROWS", 7)
    monkeypatch.setattr(unsealed_module, "STREAMS", 2)
    for name, count in (("a", 3), ("b", 40), ("c", 1), ("d", 1), ("e", 12)):
        await goes_on(database, name, count)
    maker, found = sealing(database, most=25), []
    while (one := await maker.make()) is not None:
        found.append((one.added, one.left))
    assert found == [(25, 32), (25, 7), (7, 0)]
    spans = await CheckpointLog(database).spans()
    assert [(one.checkpoint, one.stream, one.first_seq, one.last_seq) for one in spans] == [
        (1, "a", 1, 3),
        (1, "b", 1, 22),
        (2, "b", 23, 40),
        (2, "c", 1, 1),
        (2, "d", 1, 1),
        (2, "e", 1, 5),
        (3, "e", 6, 12),
    ]
    latest = await CheckpointLog(database).latest()
    assert latest is not None
    assert latest.root == root_of(await leaves(database)).hex()


async def refused(database: Database) -> tuple[str, str, int]:
    """Why no checkpoint is made; nothing was kept of it."""
    before = await CheckpointLog(database).latest()
    with pytest.raises(CheckpointRefused) as found:
        await sealing(database).make()
    assert await CheckpointLog(database).latest() == before
    return found.value.code, found.value.stream, found.value.seq


async def test_nothing_is_signed_over_a_stream_that_was_cut(database: Database) -> None:
    """Also where it went on differently since: what the tree holds must be there."""
    await goes_on(database, "visit", 5)
    await goes_on(database, "whole", 2)
    await logs(database, "mai")
    await made(database)
    await goes_on(database, "whole", 1)
    tail = journal.c.seq > 3
    async with database.writing() as connection:
        await connection.execute(delete(journal).where(journal.c.delegation_id == "visit", tail))
    assert await refused(database) == ("stream_cut", "visit", 4)
    await goes_on(database, "visit", 1)
    assert await refused(database) == ("stream_cut", "visit", 5)
    async with database.writing() as connection:
        await connection.execute(delete(register_log))
    assert await refused(database) == ("stream_cut", "register:accounts", 1)


async def test_nothing_is_signed_over_a_stream_that_was_made_anew(database: Database) -> None:
    """Whole chains, of another past."""
    await goes_on(database, "visit", 5)
    await logs(database, "mai")
    await made(database)
    others = sealed("visit", ANOTHER_PAST[:5])
    async with database.writing() as connection:
        await connection.execute(delete(journal).where(journal.c.delegation_id == "visit"))
    await put_back(database, "visit", others)
    assert await refused(database) == ("stream_changed", "visit", 5)


async def test_what_is_new_must_continue_what_is_sealed(database: Database) -> None:
    """No number is missing, and each carries the hash of the one before, from the stream's own beginning."""
    events = sealed("visit", ANOTHER_PAST)
    await put_back(database, "visit", [*events[:3], *events[4:]])
    assert await refused(database) == ("stream_gap", "visit", 4)
    async with database.writing() as connection:
        await connection.execute(delete(journal))
    await put_back(database, "visit", [*events[:3], events[3].model_copy(update={"prev_hash": "0" * 64})])
    assert await refused(database) == ("stream_unchained", "visit", 4)
    async with database.writing() as connection:
        await connection.execute(delete(journal))
    await put_back(database, "other", events)
    assert await refused(database) == ("stream_unchained", "other", 1)
    assert genesis("other").hash != events[0].prev_hash


async def test_nothing_is_signed_after_a_checkpoint_or_a_tree_that_was_changed(database: Database) -> None:
    """The one before must be as it was signed, and its tree the one that grows."""
    await goes_on(database, "visit", 300)
    one = (await made(database)).checkpoint
    await goes_on(database, "visit", 1)
    async with database.writing() as connection:
        tile = (await connection.execute(select(merkle_tiles.c.hashes).where(merkle_tiles.c.level == 1))).scalar_one()
        changed = bytes([tile[0] ^ 1]) + tile[1:]
        await connection.execute(update(merkle_tiles).where(merkle_tiles.c.level == 1).values(hashes=changed))
    assert await refused(database) == ("tree_changed", "checkpoints", 1)
    async with database.writing() as connection:
        await connection.execute(delete(merkle_tiles).where(merkle_tiles.c.level == 1))
    assert await refused(database) == ("tree_changed", "checkpoints", 1)
    document = one.model_copy(update={"at": one.at.replace("2026", "2025")}).model_dump_json(exclude_none=True)
    async with database.writing() as connection:
        await connection.execute(update(checkpoints).values(document=document))
    assert await refused(database) == ("checkpoint_changed", "checkpoints", 1)


async def test_a_clock_that_goes_backwards_never_takes_a_checkpoint_back(database: Database) -> None:
    """The next one has the time of the one before, and says so."""
    await goes_on(database, "visit", 1)
    first = await made(database)
    await goes_on(database, "visit", 1)
    second = await made(database, now=NOON - timedelta(days=1))
    await goes_on(database, "visit", 1)
    third = await made(database, now=NOON + timedelta(hours=1))
    assert [one.clock_back for one in (first, second, third)] == [False, True, False]
    assert [one.checkpoint.at for one in (first, second, third)] == [
        "2026-05-04T12:00:00.000000Z",
        "2026-05-04T12:00:00.000000Z",
        "2026-05-04T13:00:00.000000Z",
    ]
    assert verify_checkpoints([first.checkpoint, second.checkpoint, third.checkpoint], keys().public)


async def test_a_new_key_is_endorsed_by_the_one_before(database: Database) -> None:
    """Once; both stay trusted. Where the key before is not there, nothing is signed."""
    await goes_on(database, "visit", 1)
    await made(database)
    await goes_on(database, "visit", 1)
    with pytest.raises(NoSigningKey, match="endorsing_key_missing"):
        await sealing(database, OTHER).make()
    endorsed = await made(database, OTHER, *SEEDS)
    await goes_on(database, "visit", 1)
    after = await made(database, OTHER, *SEEDS)
    assert (endorsed.checkpoint.endorsement is None, after.checkpoint.endorsement) == (False, None)
    assert endorsed.checkpoint.key_id == after.checkpoint.key_id != (await CheckpointLog(database).get(1)).key_id
    trusted = keys(OTHER, *SEEDS).public
    assert verify_checkpoints(await CheckpointLog(database).all(), trusted) == after.checkpoint
    with pytest.raises(NoSigningKey, match="signing_key_missing"):
        SigningKeys.of(())


async def test_of_many_sealers_at_once_one_makes_the_checkpoint(database: Database) -> None:
    """Each with connections of its own, as processes have them: no gap, nothing twice, round after round."""
    others = [Database(database.url) for _ in range(3)]
    try:
        for step in range(1, 6):
            await goes_on(database, "visit", step)
            await goes_on(database, f"visit-{step}", 2)
            found = await asyncio.gather(*(sealing(one).make() for one in (database, *others)))
            assert [one.added for one in found if one is not None] == [step + 2]
        log = CheckpointLog(database)
        assert [one.number for one in await log.all()] == [1, 2, 3, 4, 5]
        latest = verify_checkpoints(await log.all(), keys().public)
        assert latest is not None
        assert (latest.size, latest.root) == (25, root_of(await leaves(database)).hex())
    finally:
        for one in others:
            await one.close()


async def test_a_document_is_kept_as_it_was_signed(database: Database) -> None:
    """What is handed out is what was signed, whatever a later release adds to its own form."""
    await goes_on(database, "visit", 1)
    found = await made(database)
    kept = await Checkpoints(database).get(1)
    assert kept is not None
    assert kept.document == document_of(found.checkpoint)
    assert await Checkpoints(database).get(2) is None
