"""A real CalDAV server (Radicale) for tests: a process of its own, with a folder, two users and passwords."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from calendars.caldav import Credentials
from calendars.resources import said
from embedded.ports import HOST, free_ports

USER, PASSWORD = "haruka", "mật khẩu"
CREDENTIALS = Credentials(USER, PASSWORD)

CONFIGURATION = """\
[server]
hosts = {host}:{port}
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/collections
[logging]
level = critical
"""

MKCALENDAR = """\
<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>
<D:displayname>{name}</D:displayname>
<C:supported-calendar-component-set><C:comp name="{takes}"/></C:supported-calendar-component-set>
</D:prop></D:set></C:mkcalendar>"""


@dataclass
class Radicale:
    """Where it listens, and the shortest way to look into it past everything of ours."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "radicale", "--config", str(self.folder / "config")],
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": ""},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            try:
                httpx2.get(f"{self.url}/.web/", trust_env=False)
            except httpx2.TransportError:
                assert self.process.poll() is None, "Radicale ended"
                time.sleep(0.05)
            else:
                return
        raise AssertionError("Radicale does not listen")

    def stop(self) -> None:
        """End it; what it holds stays in its folder."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)

    def ask(self, method: str, path: str, body: str = "", user: str = USER, **headers: str) -> httpx2.Response:
        """Send a request past everything of ours."""
        return httpx2.request(
            method,
            f"{self.url}{path}",
            content=body.encode(),
            headers=headers,
            auth=(user.encode(), PASSWORD.encode()),
            trust_env=False,
        )

    def make(self, name: str, takes: str = "VEVENT", user: str = USER) -> str:
        """Make a collection and return its address."""
        path = f"/{user}/{name}/"
        answer = self.ask("MKCALENDAR", path, MKCALENDAR.format(name=f"Lịch {name}", takes=takes), user)
        assert answer.status_code == 201, answer.text
        return f"{self.url}{path}"

    def holds(self, name: str, user: str = USER) -> list[tuple[str, str, str]]:
        """Return (UID, start, summary) of everything in a collection, in order, read from its files."""
        folder = self.folder / "collections" / "collection-root" / user / name
        found = []
        for path in folder.glob("*.ics"):
            read = said(path.read_bytes())
            assert read is not None
            found.append((read.uid, read.span[0], read.texts[0]))
        return sorted(found)


@contextmanager
def radicale(folder: Path) -> Iterator[Radicale]:
    """Run a server on a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Radicale(free_ports(1)[0], folder)
    (folder / "users").write_text(f"{USER}:{PASSWORD}\noffice:{PASSWORD}\n", "utf-8")
    (folder / "config").write_text(CONFIGURATION.format(host=HOST, port=server.port, folder=folder), "utf-8")
    server.start()
    try:
        yield server
    finally:
        server.stop()
