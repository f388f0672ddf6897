"""Text is only ever text, the same data give the same bytes, and nothing doubtful is printed."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents import final_report, invitation_letter
from documents.typeset import TEMPLATES, TypesettingFailed, typeset
from tests.documents import samples
from tests.documents.reading import flowing, pages
from tests.documents.test_coverage import VIETNAMESE

NAMED_LIKE_CODE = (
    '#import "administrative.typ": *',
    '#read("/etc/passwd")',
    "{{7*7}}",
    "*bold* _italic_ `raw`",
    "$x^2$ @ref <label>",
    "= Heading // comment /* more */",
    "\\u{41} \\ ~ -- --- ... 'q' \"q\"",
    "https://legation.example/#a",
    "[#panic()]",
    "=cmd() %s %(name)s",
    "😀 👩‍🚀",
)


@pytest.mark.parametrize("text", NAMED_LIKE_CODE)
def test_a_text_that_looks_like_code_is_printed_as_it_stands(text: str) -> None:
    """In a title, a name and running text alike (faults.md, row 15)."""
    changed = samples.letter(
        subject=text,
        members=(invitation_letter.Invited(name=text, role=text),),
        programme=(),
        purpose=text,
        cities=(text,),
    )
    for language in ("vi", "en"):
        printed = "".join(flowing(invitation_letter.render(changed, language, samples.AT)).split())
        assert printed.count("".join(text.split())) == 5  # without blanks, since a line may break within the text


def test_the_whole_alphabet_is_printed_and_read_back() -> None:
    """A small and a capital letter in each tone, in running text and in a table."""
    alphabet = "".join(VIETNAMESE)
    changed = samples.report(results=alphabet, title=alphabet)
    assert flowing(final_report.render(changed, "vi", samples.AT)).replace(" ", "").count(alphabet) == 3


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.characters(), max_size=60))
def test_no_text_stops_a_letter(text: str) -> None:
    """Whatever Unicode somebody writes, the letter is printed."""
    pdf = invitation_letter.render(samples.letter(purpose=f"[{text}]", members=(), programme=()), "vi", samples.AT)
    assert pdf.startswith(b"%PDF-1.7")


def test_the_same_letter_is_the_same_bytes() -> None:
    """Twice here, at once in several threads, and in another process."""
    first = invitation_letter.render(samples.letter(), "vi", samples.AT)
    with ThreadPoolExecutor(4) as threads:
        others = list(threads.map(lambda _: invitation_letter.render(samples.letter(), "vi", samples.AT), range(8)))
    assert set(others) == {first}
    program = (
        "import sys; from documents import invitation_letter; from tests.documents import samples;"
        "sys.stdout.buffer.write(invitation_letter.render(samples.letter(), 'vi', samples.AT))"
    )
    root = TEMPLATES.parent.parent
    elsewhere = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, check=True, timeout=60)
    assert elsewhere.stdout == first


def test_the_time_of_making_is_the_given_one() -> None:
    """The file says when it was made by the clock of the business, in UTC."""
    pdf = invitation_letter.render(samples.letter(), "vi", samples.AT)
    assert b"(D:20260310020000Z)" in pdf
    assert invitation_letter.render(samples.letter(), "vi", samples.AT.replace(hour=10)) != pdf


def test_the_file_is_tagged_and_archivable() -> None:
    """PDF/A-2a and PDF/UA-1, its language named."""
    pdf = invitation_letter.render(samples.letter(), "en", samples.AT)
    assert b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in pdf
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert b"/Lang(en-GB)" in pdf


def test_a_warning_is_a_failure_that_does_not_quote_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown font is only a warning for Typst, and the wrong font for a reader."""
    (tmp_path / "doubtful.typ").write_text(
        '#set document(title: "x")\n#set text(font: ("No Such Font", "Noto Serif"), lang: "en")\nText', "utf-8"
    )
    (tmp_path / "quoting.typ").write_text("#(:).at(json(bytes(sys.inputs.data)).name)", "utf-8")
    (tmp_path / "panicking.typ").write_text("#panic(json(bytes(sys.inputs.data)).name)", "utf-8")
    monkeypatch.setattr("documents.typeset.TEMPLATES", tmp_path)
    with pytest.raises(TypesettingFailed, match=r"^doubtful: unknown font family: no such font$"):
        typeset("doubtful", {}, language="en", at=samples.AT)
    for template, complaint in (
        ("quoting", "quoting: dictionary does not contain key … and no default value was specified"),
        ("panicking", "panicking: panicked with: …"),
    ):
        with pytest.raises(TypesettingFailed) as failure:
            typeset(template, {"name": 'Nguyễn "Thuỳ" Trang'}, language="en", at=samples.AT)
        assert str(failure.value) == complaint
        assert failure.value.__cause__ is None


def test_what_cannot_be_meant_is_refused() -> None:
    """A time without a zone, a language and a template that nobody has."""
    with pytest.raises(ValueError, match="needs a zone"):
        typeset("invitation_letter", {}, language="vi", at=datetime(2026, 3, 10))
    with pytest.raises(ValueError, match="unknown language 'fr'"):
        typeset("invitation_letter", {}, language="fr", at=datetime(2026, 3, 10, tzinfo=UTC))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no document template"):
        typeset("../invitation_letter", {}, language="vi", at=datetime(2026, 3, 10, tzinfo=UTC))


def test_overfull_documents_break_with_their_headers() -> None:
    """98 members and 67 items: every page of a list repeats its header, the day too, and every row is there."""
    letter = pages(invitation_letter.render(samples.overfull_letter(), "vi", samples.AT))
    assert len(letter) == 9
    assert "Họ và tên" not in letter[0]
    assert [page.split("\n")[0] for page in letter[1:]] == [str(number) for number in range(2, 10)]
    assert sum("Họ và tên" in page for page in letter) + sum("Hoạt động" in page for page in letter) == 8
    assert sum(page.count("Nguyễn Thị Thuỳ Trang Đặng Hữu Kỷ") for page in letter) == 98
    assert "".join(letter).count("Thứ Ba, ngày 7 tháng 4 năm 2026") == 2

    report = pages(final_report.render(samples.overfull_report(), "en", samples.AT))
    assert len(report) == 11
    assert [f"{number} / 11" in page for number, page in enumerate(report, 1)] == [True] * 11
