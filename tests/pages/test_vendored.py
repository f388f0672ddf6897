"""The vendored files of the pages are those that VENDORED.md names."""

import hashlib
import re

from api.pages.static import FOLDER, files, packed

ROW = re.compile(r"^\| `(?P<file>[^`]+)` \| .+ \| `(?P<digest>[0-9a-f]{64})` \|$", re.MULTILINE)
OURS = re.compile(
    r"(?:pages|today|live|file|request|board|trail|my|step|checklist|admin|directory)\.(?:css|js)|mark\.svg|VENDORED\.md"
)


def test_every_vendored_file_has_the_digest_that_is_written_down() -> None:
    """No file is unnamed, none is missing, none was changed."""
    written = {row["file"]: row["digest"] for row in ROW.finditer((FOLDER / "VENDORED.md").read_text("utf-8"))}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.iterdir()}
    assert written == {name: digest for name, digest in found.items() if not OURS.fullmatch(name)}


def test_the_typeface_comes_with_its_licence_and_stays_small() -> None:
    """The Open Font License asks for its text beside the font; a page's fonts weigh at most 120 kB."""
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FOLDER / "OFL.txt").read_text("utf-8")
    assert sum(path.stat().st_size for path in FOLDER.glob("*.woff2")) < 120_000


def test_styles_and_scripts_leave_room_for_the_page() -> None:
    """Everything that is no font weighs, as it is transferred, at most 110 kB: a page may be 150 kB with its HTML."""
    sent = {name: len(packed(name)) for name in files() if not name.endswith(".woff2")}
    assert sum(sent.values()) < 110_000, sent
