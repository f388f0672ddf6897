"""Organisations, positions and leave by the verbs alone, up to a signature in somebody's place, on the real stack."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.command import legation
from tests.installed import EVERY_SCOPE, Installed, installed
from tests.verbs.test_journey import VISIT, done, send, verb, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    with installed(tmp_path_factory.mktemp("institution") / "data") as installation:
        yield installation


def test_an_organisation_a_position_and_who_holds_it_are_entered_and_shown(here: Installed) -> None:
    """The tree by indentation; an administrator alone may change it."""
    names = ("--name-vi", "Đơn vị", "--name-en", "Unit", "--from", "2026-01-01")
    central = ("central", "--kind", "central_union", *names)
    assert done(here, "root", "organisation", "add", *central)["slug"] == "central"
    below = ("dong-lam", "--kind", "member_organisation", "--parent", "central", *names)
    assert done(here, "root", "organisation", "add", *below)["parent"] == "central"
    hue = ("hue", "--kind", "provincial_union", *names)
    assert verb(here, "lan", "organisation", "add", *hue).stderr == "Your role may not use this address.\n"
    shown = verb(here, "lan", "organisation", "list").stdout.splitlines()
    assert [line.split("Unit")[0].rstrip() for line in shown[1:]] == ["central", "  dong-lam"]
    assert "member organisation" in shown[2]
    assert "1 Jan 2026" in shown[2]

    words = ("finance", "--title-vi", "Tài chính", "--title-en", "Finance", "--organisation", "dong-lam")
    assert verb(here, "root", "position", "add", *words).stdout == "The position finance is entered.\n"
    tenure = done(here, "root", "position", "hold", "lan", "finance", "--from", "2026-01-01")["id"]
    assert tenure in verb(here, "lan", "position", "list").stdout
    assert done(here, "root", "position", "end", tenure, "--until", "2026-06-30")["until"].startswith("2026-06-30T17")
    assert "30 Jun 2026" in verb(here, "lan", "position", "list").stdout
    corrected = ("finance", "--title-vi", "Kế toán", "--title-en", "Accounts")
    assert done(here, "root", "position", "rename", *corrected)["title"]["en"] == "Accounts"
    assert done(here, "root", "position", "close-desk", "finance", "dong-lam")["organisation"] == "dong-lam"
    named = verb(here, "root", "position", "abolish", "finance")
    assert named.stderr == "Rules in force, or to come, name this position.\n"
    done(here, "root", "position", "add", "clerk", *words[1:-2])
    assert "ended_at" in done(here, "root", "position", "abolish", "clerk")

    moved = done(here, "root", "organisation", "change", "dong-lam", "--name-en", "Lam River", "--from", "2026-02-01")
    assert (moved["name"], moved["parent"]) == ({"vi": "Đơn vị", "en": "Lam River"}, "central")
    nowhere = verb(here, "root", "organisation", "change", "nowhere", "--top")
    assert nowhere.stderr == "There is no organisation of this id at that time.\n"
    done(here, "root", "organisation", "add", "nam-lam", *below[1:])
    ended = done(here, "root", "organisation", "end", "dong-lam", "--until", "2026-06-30", "--successor", "nam-lam")
    assert (ended["until"][:13], ended["successor"]) == ("2026-06-30T17", "nam-lam")


def test_a_substitute_signs_by_registered_leave_until_it_is_revoked(here: Installed, tmp_path: Path) -> None:
    """One's own leave, in one's own name; the file and the trail show both."""
    new = ("token", "create", "thay", "--role", "approver", *EVERY_SCOPE)
    made = legation("--data", str(here.folder), *new)
    assert made.returncode == 0, made.stderr
    as_substitute = made.stdout.strip()
    done(here, "lan", "open", written(tmp_path, "visit.yaml", VISIT.format(id="tokyo-leave")))
    send(here, "tokyo-leave", type="submit_request")
    assert done(here, "hung", "sign", "tokyo-leave", "--yes")["types"][0] == "StepSigned"

    words = ("--data", str(here.folder), "sign", "tokyo-leave", "--yes")
    assert legation(*words, token=as_substitute).stderr.endswith("The attempt is recorded.\n")
    today = datetime.now(UTC).date()
    days = ("--from", str(today - timedelta(days=1)), "--until", str(today + timedelta(days=1)))
    leave = done(here, "mai", "leave", "register", "thay", *days)
    assert (leave["account"], leave["substitute"]) == ("mai", "thay")
    signed = legation(*words, token=as_substitute)
    assert signed.returncode == 0, signed.stderr
    assert "KT. Vice-president: thay, in place of mai" in verb(here, "lan", "show", "tokyo-leave").stdout
    assert ", in place of mai" in verb(here, "lan", "trail", "tokyo-leave").stdout

    assert leave["id"] in verb(here, "lan", "leave", "list", "thay").stdout
    another = done(here, "mai", "leave", "substitute", leave["id"], "hung")
    assert (another["account"], another["substitute"], another["until"]) == ("mai", "hung", leave["until"])
    tomorrow = (today + timedelta(days=2)).isoformat()
    assert done(here, "mai", "leave", "end", another["id"], "--until", tomorrow)["until"] > leave["until"]
    leave = another
    refused = verb(here, "hung", "leave", "revoke", leave["id"])
    assert refused.stderr == "Only an administrator registers or changes the leave of somebody else.\n"
    revoked = verb(here, "mai", "leave", "revoke", leave["id"])
    assert revoked.stdout == f"The leave {leave['id']} is revoked.\n"
    assert "revoked" in verb(here, "lan", "leave", "list").stdout
