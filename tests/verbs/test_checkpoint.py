"""Checkpoints by the verbs alone, on the real stack, with the key that it made itself."""

import base64

import pytest

from audit.checkpoint import Checkpoint, document_of, verify_checkpoints
from audit.signing_key import SigningKeys
from domain.canonical import canonical_json
from tests.installed import Installed
from tests.verbs.test_journey import done, verb

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]


def keys(here: Installed) -> SigningKeys:
    """The keys in the file that the stack made."""
    file = here.folder / "keys" / "checkpoint.key"
    assert file.stat().st_mode & 0o777 == 0o600
    return SigningKeys.of([base64.b64decode(line) for line in file.read_text().split()])


def test_a_checkpoint_is_made_shown_and_signed_with_a_new_key(here: Installed) -> None:
    """A rotation counts from the next one on, restarts nothing, and the whole chain still verifies."""
    first = Checkpoint.model_validate(done(here, "root", "checkpoint", "make")["checkpoint"])
    shown = verb(here, "lan", "checkpoint", "show", str(first.number), "--json").stdout
    assert shown.encode() == canonical_json(document_of(first)) + b"\n"
    assert len(keys(here).public) == 1
    rotated = verb(here, "root", "checkpoint", "rotate-key")
    assert (rotated.returncode, len(keys(here).public)) == (0, 2), rotated.stderr
    made = verb(here, "root", "checkpoint", "make")
    second = Checkpoint.model_validate_json(verb(here, "lan", "checkpoint", "show", "--json").stdout)
    assert f"Checkpoint {second.number} of " in made.stdout
    assert second.root in made.stdout
    assert (second.key_id == first.key_id, second.endorsement is None) == (False, False)
    listed = done(here, "lan", "checkpoint", "list")["items"]
    assert verify_checkpoints([Checkpoint.model_validate(one) for one in listed], keys(here).public) == second
