"""`legation erase`: two administrators at their terminals, and what they are told."""

from typing import Any

import httpx2
import pytest

from locales import translator
from tests.faults.asking import SATO
from tests.installed import Installed, opening
from tests.verbs.test_journey import done, verb
from verbs.erase import told

MAILS = [{"delegation": "spring-visit", "mails": 2, "first": "2026-03-10T02:00:00Z", "last": "2026-03-11T02:00:00Z"}]
SHOWN: dict[str, Any] = {
    "id": "era_1",
    "person": "per_keiko0000",
    "reason": "objection",
    "state": "asked",
    "asked_by": "root",
    "asked_at": "2026-03-12T02:00:00Z",
    "agreed_by": None,
    "agreed_at": None,
    "ended_at": None,
    "places": {"spring-visit": [9]},
    "documents": 2,
    "mails": 3,
    "letters_to_others": 1,
    "received": 0,
    "accounts": ["keiko"],
    "removed": {},
    "out_of_reach": {
        "to_person": MAILS,
        "to_others": [],
        "exports": 1,
        "key": "person:per_keiko0000",
        "remote_items": 7,
        "subscribed": 0,
        "received": ["rcv_1"],
        "texts": [{"delegation": "spring-visit", "ref": "txt_1", "names": True}],
        "files": [{"delegation": "spring-visit", "digest": "a" * 64, "kind": "passport"}],
        "sealed": [{"stream": "spring-visit", "seq": 1, "what": "DelegationOpened"}],
    },
}


def test_both_are_told_what_goes_and_what_cannot_be_reached() -> None:
    """In English and in Vietnamese, line by line; what there is nothing of is not said."""
    english, vietnamese = [list(told(SHOWN, translator(language))) for language in ("en", "vi")]
    assert english[0] == "Erasure era_1 of per_keiko0000: asked for; another administrator has to agree"
    assert english[3:10] == [
        "Another administrator agrees with: legation erase per_keiko0000 --agree",
        "On spring-visit: erased person 9",
        "  Mails whose text and address go: 3",
        "  Letters to others that name the person, whose text goes: 1",
        "  Documents that are erased and rendered anew without the person: 2",
        "  Accounts that are closed and lose their names: keiko",
        "What this cannot reach, and what a person has to look at:",
    ]
    assert english[11:] == [
        "  Backups made before hold the key person:per_keiko0000: destroy them, or erase again after restoring one.",
        "  Evidence bundles given out: 1",
        "  Items in the person's own calendar: 7",
        "  Received mail rcv_1: says the name and nothing else that is theirs; look whose it is",
        "  Text txt_1 of spring-visit: names the person",
        "  File aaaaaaaaaaaa of spring-visit (passport): look whom it is about",
        "  Sealed in spring-visit, entry 1 (DelegationOpened): its wording names the person, and stays",
    ]
    assert "Trong hồ sơ spring-visit: người đã xóa số 9" in vietnamese
    assert len(vietnamese) == len(english)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.xdist_group("verbs")
def test_a_person_is_erased_from_the_terminal(here: Installed) -> None:
    """Asked by one, agreed by another; then the file names them by their place."""
    person = opened(here, "erased-2028")
    asked = done(here, "root", "erase", person, "--reason", "asked_by_person")
    assert (asked["state"], asked["places"]) == ("asked", {"erased-2028": [1]})
    agreed = verb(here, "ha", "erase", person, "--agree").stdout
    assert agreed.startswith(f"Erasure {asked['id']} of {person}: carried out\n")
    assert "người đã xóa số 1" in verb(here, "lan", "show", "erased-2028", language="vi").stdout


def opened(here: Installed, delegation: str) -> str:
    """Open a file with one member, who is returned by reference."""

    def post(path: str, body: Any) -> Any:
        answer = httpx2.post(f"{here.url}{path}", json=body, headers=here.headers("lan"), timeout=60)
        assert answer.is_success, answer.text
        return answer.json()

    post("/delegations", opening(id=delegation))
    person = post("/persons", SATO)
    joining = {"type": "add_member", "member_id": "haruka", "person": person, "country": "JP", "role": "head"}
    post(f"/delegations/{delegation}/commands", joining)
    return str(person["ref"])
