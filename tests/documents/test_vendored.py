"""The vendored fonts are the files that VENDORED.md names."""

import hashlib
import re

from documents.coverage import FONTS

ROW = re.compile(r"^\| `(?P<file>[^`]+)` \| .+ \| `(?P<digest>[0-9a-f]{64})` \|$", re.MULTILINE)


def test_every_vendored_file_has_the_digest_that_is_written_down() -> None:
    """No file is unnamed, none is missing, none was changed."""
    written = {row["file"]: row["digest"] for row in ROW.finditer((FONTS / "VENDORED.md").read_text("utf-8"))}
    found = {
        path.relative_to(FONTS).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in FONTS.glob("*/*")
    }
    assert written == found


def test_every_family_comes_with_its_licence() -> None:
    """The Open Font License asks for its text beside the font."""
    families = sorted({path.parent for path in FONTS.glob("*/*.ttf")})
    assert [family.name for family in families] == ["be-vietnam-pro", "noto-emoji", "noto-sans-math", "noto-serif"]
    assert all("SIL OPEN FONT LICENSE Version 1.1" in (family / "OFL.txt").read_text("utf-8") for family in families)
