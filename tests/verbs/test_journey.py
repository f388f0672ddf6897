"""A delegation from its file to its trail by the daily verbs alone, on the real stack.

What has no verb (submitting, deciding, inviting, the clock of the demo) goes through the API, as any program would.
"""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.command import legation
from tests.embedded.running_stack import ROOT
from tests.installed import Installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]

VISIT = """\
id: {id}
direction: inbound
title: Đoàn Hội hữu nghị Tokyo
purpose: Trao đổi về hợp tác địa phương
organisation: song-lam
partner: Tokyo Friendship Association
countries: [JP]
places: [Hà Nội]
starts: 2028-04-03
ends: 2028-04-05
grade: C
members:
  - member_id: m-1
    role: head
    country: JP
    person: {{full_name: Haruka Satō, email: haruka@tokyo.example, language: en, nationality: JP}}
  - member_id: m-2
    country: JP
    person: {{full_name: Kenji Itō, email: kenji@tokyo.example, language: en, nationality: JP}}
participants:
  - participant_id: host-1
    role: host
    person: {{full_name: Lê Thị Hoa, email: hoa@songlam.example, language: vi, nationality: VN}}
items:
  - item_id: opening
    title: Họp mở đầu
    starts: 2028-04-03T09:00
    ends: 2028-04-03T11:00
    place: Hội trường A
    audience: {{groups: [delegates, hosts]}}
  - item_id: tour
    title: Tham quan
    starts: 2028-04-03T14:00
    ends: 2028-04-03T16:00
    audience: {{groups: [delegates]}}
"""


def verb(here: Installed, by: str, *words: str, language: str = "en") -> "subprocess.CompletedProcess[str]":
    """One invocation in somebody's name."""
    return legation("--data", str(here.folder), *words, token=here.token(by), language=language)


def done(here: Installed, by: str, *words: str) -> Any:
    """One invocation that succeeds, as a program reads it."""
    ended = verb(here, by, *words, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def send(here: Installed, delegation: str, **command: Any) -> None:
    """What has no verb of its own, through the API."""
    answer = httpx2.post(
        f"{here.url}/delegations/{delegation}/commands", json=command, headers=here.headers("lan"), timeout=60
    )
    assert answer.status_code == 200, answer.text


def clock(here: Installed, delegation: str, to: str) -> None:
    answer = httpx2.post(
        f"{here.url}/demo/clock", json={"delegation": delegation, "to": to}, headers=here.headers("root"), timeout=60
    )
    assert answer.status_code == 200, answer.text


def written(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def test_a_delegation_goes_its_way_by_the_daily_verbs(here: Installed, tmp_path: Path) -> None:
    """Opened from a file, returned, signed twice, moved, reported, accepted; the trail has all of it."""
    file = written(tmp_path, "visit.yaml", VISIT.format(id="tokyo-2028"))
    assert done(here, "lan", "policy", "explain", file)["policy"]["id"] == "IN-APPROVAL"
    shown = verb(here, "hung", "policy", "explain", file).stdout
    assert shown.startswith("Chosen: IN-APPROVAL, version 2: Approval of an inbound delegation\n")
    assert "KT. President / vice_president" in shown

    receipt = done(here, "lan", "open", file)
    assert receipt["delegation"] == "tokyo-2028"
    assert receipt["types"][:6] == [
        "DelegationOpened", "MemberAdded", "MemberAdded", "ParticipantAppointed", "ItemScheduled", "ItemScheduled",
    ]  # fmt: skip

    told = verb(here, "hung", "policy", "explain", "--delegation", "tokyo-2028").stdout
    assert told.startswith("Nothing was submitted yet in this matter.\n")
    assert "Who sits there now" in told
    assert "no register has the position finance" in verb(here, "hung", "policy", "check").stdout.replace("\n", " ")

    listed = done(here, "lan", "list", "--waits-for", "coordinator", "--q", "doan hoi tokyo")["items"]
    [item] = [one for one in listed if one["id"] == "tokyo-2028"]
    assert (item["head_count"], item["next_due_rule"]) == (2, "IN-PROPOSAL")
    table = verb(here, "lan", "list").stdout
    assert "tokyo-2028" in table
    assert "Inbound proposal (IN-PROPOSAL)" in table

    send(here, "tokyo-2028", type="submit_request")
    assert "Submitted: waits for Department head until " in verb(here, "hung", "show", "tokyo-2028").stdout
    assert [(one["delegation"], one["what"]) for one in done(here, "hung", "inbox")["items"]] == [
        ("tokyo-2028", "department_head")
    ]
    assert "Signature: Department head" in verb(here, "hung", "inbox").stdout
    assert verb(here, "mai", "inbox").stdout == "Nothing waits for you.\n"
    totals = done(here, "lan", "desk", "--totals", "position")["items"]
    assert [(one["name"], one["files"], one["missed"]) for one in totals] == [("department_head", 1, 0)]
    assert "Department head" in verb(here, "lan", "desk", "--totals", "position").stdout
    words = ("return", "tokyo-2028", "--reason", "Thiếu hộ chiếu của m-2.", "--missing", "Bản sao hộ chiếu")
    assert "Họp mở đầu, session, Mon 3 Apr 2028" in verb(here, "hung", *words).stdout
    returned = verb(here, "hung", *words, "--yes")
    assert returned.returncode == 0, returned.stderr
    assert "The dossier was returned.\nPhase: returned." in returned.stdout

    send(here, "tokyo-2028", type="submit_request")
    digest = done(here, "mai", "show", "tokyo-2028")["open_step"]["dossier_digest"]
    nobody = verb(here, "hung", "sign", "tokyo-2028")
    assert (nobody.returncode, nobody.stderr) == (
        1,
        "Nobody can be asked here: read what is signed, then give --yes.\n",
    )
    assert digest in nobody.stdout
    assert "Nothing changed since proposal 1, which you answered last." in nobody.stdout
    read = verb(here, "hung", "dossier", "tokyo-2028").stdout
    for told in (digest, "Haruka Satō, head of delegation, Japan", "Họp mở đầu, session, Mon 3 Apr 2028, 09:00–11:00"):
        assert told in read
        assert told in nobody.stdout
    assert "Thành viên m-2" in verb(here, "mai", "dossier", "tokyo-2028", language="vi").stdout
    forbidden = verb(here, "lan", "sign", "tokyo-2028", "--yes")
    assert forbidden.returncode == 1
    assert forbidden.stderr == "You do not hold the position that signs here. The attempt is recorded.\n"
    assert done(here, "hung", "sign", "tokyo-2028", "--yes")["types"][0] == "StepSigned"
    assert done(here, "mai", "sign", "tokyo-2028", "vice_president", "--digest", digest)["types"][0] == "StepSigned"
    assert verb(here, "mai", "sign", "tokyo-2028", "--yes").stderr == ("No step of tokyo-2028 waits for a signature.\n")

    send(here, "tokyo-2028", type="issue_decision", number="12/QĐ-LH")
    send(here, "tokyo-2028", type="publish_programme")
    send(here, "tokyo-2028", type="invite")
    moved = verb(here, "lan", "move", "tokyo-2028", "opening", "--starts", "2028-04-03T13:00", "--publish")
    assert moved.returncode == 0, moved.stderr
    first, _, *consequences = moved.stdout.splitlines()
    assert first == "Moved: Họp mở đầu, 13:00, 3 Apr 2028 – 15:00 Viet Nam Time (UTC+7)."
    assert re.fullmatch(r"3 people hear of it after \d\d:\d\d, unless it changes again\.", consequences[0])
    assert consequences[1:] == [
        "⚠ Haruka Satō: “Họp mở đầu” and “Tham quan” overlap.",
        "⚠ Kenji Itō: “Họp mở đầu” and “Tham quan” overlap.",
    ]

    waiting = verb(here, "lan", "told", "tokyo-2028/opening").stdout
    assert waiting.startswith("Họp mở đầu, 3 Apr 2028, 13:00–15:00, Hội trường A\nWhat is new goes out after ")
    clock(here, "tokyo-2028", "2028-04-03T01:00:00Z")
    uid = done(here, "lan", "told", "tokyo-2028/opening")["uid"]
    told = done(here, "lan", "told", uid)
    assert [one["participant_id"] for one in told["people"] if one["holds"]] == ["m-1", "m-2", "host-1"]
    assert {
        (line["method"], line["sequence"], line["view"]["starts"]["local"])
        for one in told["people"]
        for line in one["tellings"]
    } == {("REQUEST", 0, "2028-04-03T13:00")}
    assert "Haruka Satō" in verb(here, "lan", "told", uid).stdout
    assert "thư điện tử" in verb(here, "lan", "told", uid, language="vi").stdout
    nameless = verb(here, "lan", "told", "opening")
    assert (nameless.returncode, nameless.stderr) == (1, "Name the item by its UID, or as DELEGATION/ITEM.\n")
    assert "ChannelChosen" in done(here, "lan", "channel", "tokyo-2028", "m-2", "feed")["types"]
    again = verb(here, "lan", "channel", "tokyo-2028", "m-2", "feed")
    assert (again.returncode, again.stderr) == (1, "This person's calendar hears in that way already.\n")
    clock(here, "tokyo-2028", "2028-04-03T05:00:00Z")
    send(here, "tokyo-2028", type="depart")
    clock(here, "tokyo-2028", "2028-04-05T12:00:00Z")
    send(here, "tokyo-2028", type="conclude")
    results = written(tmp_path, "results.txt", "Hai bên thống nhất kế hoạch hợp tác năm 2029.")
    annex = written(tmp_path, "minutes.txt", "Biên bản làm việc.")
    assert (
        done(here, "lan", "report", "tokyo-2028", "--results", results, "--annex", annex)["types"][0] == "ReportFiled"
    )
    accepted = verb(here, "mai", "report", "tokyo-2028", "--accept", "--yes", language="vi")
    assert accepted.returncode == 0, accepted.stderr
    assert "Báo cáo đã được duyệt." in accepted.stdout

    events = done(here, "mai", "trail", "tokyo-2028")["items"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["prev_hash"] for event in events[1:]] == [event["hash"] for event in events[:-1]]
    types = [event["type"] for event in events]
    for one in ("StepReturned", "SignOffRefused", "DecisionIssued", "ItemMoved", "ReportFiled", "ReportAccepted"):
        assert types.count(one) == 1
    answers = done(here, "mai", "sign-offs", "tokyo-2028")["items"]
    assert [(one["act"], one["step"], one["actor"], one["verdict"], one["factor"]) for one in answers] == [
        ("return_step", "department_head", "hung", "vouched", "token"),
        ("sign_off", "department_head", "hung", "vouched", "token"),
        ("sign_off", "vice_president", "mai", "vouched", "token"),
        ("accept_report", "report", "mai", "vouched", "token"),
    ]
    assert verb(here, "mai", "sign-offs", "tokyo-2028", language="vi").stdout.count("xác thực bằng mã truy cập") == 4
    shown = verb(here, "mai", "trail", "tokyo-2028", language="vi").stdout
    assert shown.count("; xác thực bằng mã truy cập") == 4
    assert "dời mục opening sang 13:00, 03/04/2028" in shown
    assert "không được ký bước “Trưởng ban” (not_entitled_to_sign)" in shown
    # What became of the last mails may have been recorded between the two readings.
    heads = [event["hash"] for event in done(here, "mai", "trail", "tokyo-2028")["items"][len(events) - 1 :]]
    assert shown.splitlines()[-1] in [f"Đầu chuỗi của nhật ký hồ sơ: {head}" for head in heads]


def test_a_trail_that_is_followed_shows_what_comes(here: Installed, tmp_path: Path) -> None:
    """Until Ctrl-C, which is no failure."""
    done(here, "lan", "open", written(tmp_path, "followed.yaml", VISIT.format(id="followed")))
    known = len(done(here, "lan", "trail", "followed")["items"])
    environment = os.environ | {"LEGATION_TOKEN": here.token("lan"), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "--data", str(here.folder), "trail", "followed", "--follow", "--json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as following:
        try:
            assert following.stdout is not None
            seqs = [json.loads(following.stdout.readline())["seq"] for _ in range(known)]
            assert seqs == list(range(1, known + 1))
            send(here, "followed", type="cancel_item", item_id="tour")
            come = json.loads(following.stdout.readline())
            assert (come["seq"], come["type"]) == (known + 1, "ItemCancelled")
            following.send_signal(signal.SIGINT)
            assert following.wait(timeout=30) == 0
        finally:
            following.kill()


def test_what_is_refused_leaves_nothing_and_names_the_line(here: Installed, tmp_path: Path) -> None:
    """A mistake of form is found here, a refusal comes from the delegation: both are told by the line of the file."""
    past = VISIT.format(id="past").replace("starts: 2028-04-03\n", "starts: 2025-04-03\n")
    refused = verb(here, "lan", "open", written(tmp_path, "past.yaml", past))
    assert refused.returncode == 1
    assert refused.stderr.startswith("past.yaml, line 9: starts: The first day, 2025-04-03, is before today, ")
    stranger = VISIT.format(id="stranger").replace("groups: [delegates, hosts]", "people: [nobody]")
    refused = verb(here, "lan", "open", written(tmp_path, "stranger.yaml", stranger), language="vi")
    assert refused.returncode == 1
    assert refused.stderr.startswith("stranger.yaml, dòng 30: items[0].audience.people: ")
    wrong = VISIT.format(id="wrong") + "colour: red\n"
    assert verb(here, "lan", "open", written(tmp_path, "wrong.yaml", wrong)).stderr == (
        "wrong.yaml, line 36: colour: There is no field of this name here.\n"
    )
    ids = {item["id"] for item in done(here, "lan", "list", "--all")["items"]}
    assert not ids & {"past", "stranger", "wrong"}


def test_an_auditor_sees_the_file_without_names(here: Installed, tmp_path: Path) -> None:
    """And opens none."""
    done(here, "lan", "open", written(tmp_path, "audited.yaml", VISIT.format(id="audited")))
    made = legation("--data", str(here.folder), "token", "create", "an", "--role", "auditor")
    token = made.stdout.strip()
    shown = legation("--data", str(here.folder), "show", "audited", token=token)
    assert shown.returncode == 0, shown.stderr
    assert "m-1" in shown.stdout
    assert "Haruka" not in shown.stdout
    refused = legation("--data", str(here.folder), "open", str(tmp_path / "audited.yaml"), token=token)
    assert (refused.returncode, refused.stderr) == (1, "Your role may not use this address.\n")


def test_what_does_not_exist_is_said_in_a_sentence(here: Installed) -> None:
    unknown = verb(here, "lan", "show", "nowhere")
    assert (unknown.returncode, unknown.stderr) == (1, "There is no delegation of this id.\n")
    refused = legation("--data", str(here.folder), "list", token="lgt_wrong")
    assert (refused.returncode, refused.stderr) == (1, "The token is unknown, has expired or was revoked.\n")
    day = verb(here, "lan", "list", "--due-before", "2027-02-30")
    assert day.returncode == 1
    assert "due_before: This must be a day that exists, such as 2026-04-11." in day.stderr


def test_a_file_is_read_as_it_was_and_with_what_changed(here: Installed, tmp_path: Path) -> None:
    """Trail with changes, filters and proof; the sheet; the file, the list and the difference as of then."""
    read, first = "read", "Đoàn Hội hữu nghị Tokyo"
    done(here, "lan", "open", written(tmp_path, "read.yaml", VISIT.format(id=read)))
    send(here, read, type="cancel_item", item_id="tour")
    send(here, read, type="revise_request", title="=cmd()")
    events = done(here, "lan", "trail", read)["items"]
    cancelled = next(event["seq"] for event in events if event["type"] == "ItemCancelled")

    told = verb(here, "lan", "trail", read, "--about", "tour", "--changes", "--proof").stdout
    assert "Programme, tour, cancelled: no → yes" in told
    assert "opens the file" not in told
    proven = done(here, "lan", "trail", read, "--type", "ItemCancelled", "--proof")["items"]
    assert [(one["seq"], one["proof"]["workflow_id"]) for one in proven] == [(cancelled, read)]
    assert proven[0]["proof"]["run_id"] in told
    rows = list(csv.reader(io.StringIO(verb(here, "lan", "trail", read, "--csv").stdout.lstrip("\ufeff"))))
    assert len(rows) == len(events) + 1
    assert any("=cmd()" in cell for row in rows for cell in row)
    assert not [cell for row in rows for cell in row if cell.startswith("=")]
    refused = verb(here, "lan", "trail", read, "--follow", "--about", "tour")
    assert (refused.returncode, refused.stderr[:32]) == (1, "With --follow every event is sho")

    shown = verb(here, "lan", "show", read, "--as-of", events[cancelled - 2]["at"]).stdout
    assert shown.startswith(f"As it was after event no. {cancelled - 1}, ")
    assert done(here, "lan", "show", read, "--seq", "1")["state"]["items"] == {}
    listed = done(here, "lan", "list", "--as-of", events[cancelled - 1]["at"], "--q", "tokyo")["items"]
    assert [one["title"] for one in listed if one["id"] == read] == [first]

    changed = verb(here, "lan", "changes", read, "--since-seq", str(cancelled - 1)).stdout
    assert "Programme, tour, cancelled" in changed
    assert first in changed
