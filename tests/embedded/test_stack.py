"""The embedded stack as a person meets it: it starts, survives its parts, stops in order, and says no plainly."""

import imaplib
import json
import os
import signal
import smtplib
import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import httpx2
import pytest

from tests.embedded.running_stack import RunningStack, legation, lives, running_stack, until

# One group: the tests share a stack, and two test processes would start two.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with running_stack(tmp_path_factory.mktemp("stack") / "var") as running:
        yield running


def test_status_names_every_part_as_ready(stack: RunningStack) -> None:
    """As JSON, one object; the exit code is 0."""
    answer = legation("--data", str(stack.folder), "status", "--json")
    assert answer.returncode == 0, answer.stderr
    status = json.loads(answer.stdout)
    assert status["ready"] is True
    assert {part["name"]: part["detail"] for part in status["parts"]} == {
        "temporal": "ready",
        "mailbox": "ready",
        "worker": "ready",
        "api": "ready",
    }


def test_status_is_a_table_for_people(stack: RunningStack) -> None:
    lines = legation("--data", str(stack.folder), "status").stdout.splitlines()
    assert lines[0].split() == ["Part", "Health", "Address", "Process", "Restarts"]
    assert [line.split()[0] for line in lines[1:5]] == ["temporal", "mailbox", "worker", "api"]


@pytest.mark.parametrize("part", ["worker", "api", "mailbox", "temporal"])
def test_a_killed_part_is_running_again_within_a_second(stack: RunningStack, part: str) -> None:
    """Another process takes its place, and all parts become ready again."""
    killed, restarts = stack.pids()[part], stack.record()["parts"][part]["restarts"]
    os.kill(killed, signal.SIGKILL)
    took = until(lambda: stack.pids()[part] != killed and lives(stack.pids()[part]))
    print(f"{part}: started again after {took:.2f} s")
    assert stack.record()["parts"][part]["restarts"] == restarts + 1
    until(lambda: legation("--data", str(stack.folder), "status").returncode == 0)


def test_the_temporal_server_keeps_closed_runs_for_ten_years(stack: RunningStack) -> None:
    """The development server's own default of 24 hours would lose the audit trail."""
    ports = stack.record()["ports"]
    url = f"http://127.0.0.1:{ports['temporal_http']}/api/v1/namespaces/legation"
    namespace = httpx2.get(url).json()
    assert namespace["config"]["workflowExecutionRetentionTtl"] == f"{3650 * 86400}s"


def test_only_the_owner_may_read_the_data(stack: RunningStack) -> None:
    """Keys, record, databases and logs: none is open to group or others."""
    files = [path for path in stack.folder.rglob("*") if path.is_file()]
    assert {"master.key", "stack.json", "temporal.db", "legation.db", "worker.log"} <= {path.name for path in files}
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []


def test_a_second_stack_on_the_same_data_is_refused(stack: RunningStack) -> None:
    answer = legation("--data", str(stack.folder), "up", "--ports", "free")
    assert answer.returncode == 1
    assert answer.stderr.strip() == (
        f"Legation already runs on {stack.folder}: see `legation status`, or choose another --data folder."
    )


def test_a_first_ctrl_c_stops_every_part(tmp_path: Path) -> None:
    """In order, with exit code 0; the record is gone, and the data is there for the next start."""
    with running_stack(tmp_path / "var") as stack:
        pids = stack.pids()
        assert stack.interrupt() == 0
        assert [name for name, pid in pids.items() if lives(pid)] == []
        assert stack.record() == {}
        key = (stack.folder / "keys" / "master.key").read_text()
    with running_stack(tmp_path / "var") as again:
        assert (again.folder / "keys" / "master.key").read_text() == key


def test_a_second_ctrl_c_kills_what_does_not_end(tmp_path: Path) -> None:
    """A stopped process cannot answer SIGTERM: the first Ctrl-C waits for it, the second does not."""
    with running_stack(tmp_path / "var") as stack:
        pids = stack.pids()
        os.kill(pids["api"], signal.SIGSTOP)
        stack.process.send_signal(signal.SIGINT)
        stack.process.send_signal(signal.SIGTERM)
        assert stack.process.wait(timeout=5) == 0
        until(lambda: not any(lives(pid) for pid in pids.values()))


def test_no_part_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """kill -9 of the supervisor gives it no chance to stop anything; and the data folder is free at once."""
    with running_stack(tmp_path / "var") as stack:
        pids = stack.pids()
        stack.process.kill()
        stack.process.wait()
        until(lambda: not any(lives(pid) for pid in pids.values()), seconds=5)
        answer = legation("--data", str(stack.folder), "status")
        assert answer.returncode == 1
        assert answer.stderr.strip() == (f"Legation does not run on {stack.folder}: start it with `legation up`.")


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        answer = legation("--data", str(tmp_path), "up", api_port=str(port))
    assert answer.returncode == 1
    assert answer.stderr.strip() == (
        f"Port {port} on 127.0.0.1, which the API needs, is in use by another program: "
        "end that program, or start with --ports free."
    )


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    answer = legation("--data", str(tmp_path / "file" / "var"), "up", "--ports", "free")
    assert answer.returncode == 1
    assert answer.stderr.strip() == f"The data folder {tmp_path}/file/var cannot be used: not a directory."


def test_a_temporal_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    """The settings name a server elsewhere, so none is started."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        answer = legation("--data", str(tmp_path / "var"), "up", "--ports", "free", temporal_address=address)
    assert answer.returncode == 1
    assert "The Temporal server that the settings name does not answer" in answer.stderr.splitlines()[-1]


def test_a_malformed_setting_is_named_without_its_value(tmp_path: Path) -> None:
    answer = legation("--data", str(tmp_path), "status", zone="Asia/Nowhere")
    assert answer.returncode == 1
    assert answer.stderr.strip() == "The setting LEGATION_ZONE: is not the IANA name of a time zone."


def test_each_addressee_has_a_mailbox_that_the_record_opens(stack: RunningStack) -> None:
    """What goes in by SMTP comes out by IMAP, byte for byte the same subject; no address stands in a log."""
    ports, password = stack.record()["ports"], stack.record()["mail_password"]
    for addressee in ("one@example.org", "two@example.org"):
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"] = "lich@hoihuunghi.example", addressee
        message["Subject"] = f"Thư mời gửi {addressee.partition('@')[0]}"
        message.set_content("Kính gửi quý vị")
        with smtplib.SMTP("127.0.0.1", ports["smtp"]) as sender:
            sender.send_message(message)
    for addressee in ("one@example.org", "two@example.org"):
        with imaplib.IMAP4("127.0.0.1", ports["imap"]) as mailbox:
            mailbox.login(addressee, password)
            mailbox.select("INBOX")
            assert mailbox.search(None, "ALL")[1] == [b"1"]
            raw = mailbox.fetch("1", "(RFC822)")[1][0]
            assert isinstance(raw, tuple)
            found = message_from_bytes(raw[1], policy=SMTP)
            assert found["Subject"] == f"Thư mời gửi {addressee.partition('@')[0]}"
    assert "example.org" not in (stack.folder / "logs" / "mailbox.log").read_text()
