"""Which organisations and people look alike, with a score and the reason."""

import csv
from pathlib import Path

import pytest

from storage.likeness import Known, Organisations, Pair, People

with (Path(__file__).parent / "names.csv").open(encoding="utf-8", newline="") as file:
    NAMES = [tuple(row) for row in list(csv.reader(file))[1:]]

TOKYO = Known("a", "partner", "JP", ("Tokyo Friendship Association", "TFA"), "https://www.tfa.example/en")


def found(name: str, country: str = "JP", web: str | None = None) -> list[tuple[str, int, tuple[str, ...]]]:
    """What an organisation of this name looks like, beside two others."""
    osaka = Known("b", "partner", "JP", ("Osaka Chamber of Commerce",))
    known = Organisations([TOKYO, osaka, Known("c", "host", "JP", ("Tokyo Friendship",))])
    return [(one.entry, one.score, one.reasons) for one in known.alike(Known("?", "partner", country, (name,), web))]


def test_one_name_is_the_same_however_it_is_written() -> None:
    """Case, diacritics, the order of words and the legal form say nothing; another kind is a weaker sign."""
    host = ("c", 80, ("same_name",))
    for name in ("TOKYO FRIENDSHIP ASSOCIATION", "Tōkyō friendship", "Friendship Association of Tokyo"):
        assert found(name) == [("a", 100, ("same_name",)), host], name
    assert found("tfa") == [("a", 100, ("same_name",))]


def test_a_name_with_a_slip_is_similar() -> None:
    """The score is the share of letters that agree."""
    assert found("Tokio Friendship Association") == [("a", 94, ("similar_name",)), ("c", 80, ("similar_name",))]
    assert found("Nagoya Sister City Committee") == []


def test_one_name_in_two_countries_is_a_weaker_sign() -> None:
    assert found("Tokyo Friendship Association", country="DE") == [("a", 80, ("same_name",))]


def test_one_web_address_is_a_strong_sign() -> None:
    """Whatever the path, with or without www."""
    assert found("Nagoya City", web="http://tfa.example/contact") == [("a", 90, ("same_web",))]
    [first, _] = found("Tokyo Friendship", web="https://tfa.example")
    assert first == ("a", 100, ("same_name", "same_web"))


def test_an_organisation_is_not_like_itself() -> None:
    assert Organisations([TOKYO]).alike(TOKYO) == []


def test_a_name_without_letters_is_like_nothing() -> None:
    assert Organisations([Known("a", "host", "VN", ("…",))]).alike(Known("b", "host", "VN", ("—",))) == []


def test_people_at_one_organisation() -> None:
    """One name under one address is one person; a shared mailbox or a namesake asks for a look."""
    others = [("x", "Nguyễn Văn An", "an@x.example"), ("y", "Trần Bình", "office@x.example")]
    assert [(one.entry, one.score, one.reasons) for one in People(others).alike("nguyen van an", "AN@x.example")] == [
        ("x", 100, ("same_email", "same_name"))
    ]
    assert [(one.entry, one.score) for one in People(others).alike("Nguyễn Văn An", "other@x.example")] == [("x", 99)]
    assert [(one.entry, one.reasons) for one in People(others).alike("Lê Chi", "office@x.example")] == [
        ("y", ("same_email",))
    ]
    assert People(others).alike("Lê Chi", "chi@x.example") == []


@pytest.mark.parametrize(("wanted", "country", "first", "second"), NAMES)
def test_names_as_offices_write_them(wanted: str, country: str, first: str, second: str) -> None:
    """What is found and what is not, whichever of the two is there already: a table of pairs."""
    for one, other in ((first, second), (second, first)):
        known = Organisations([Known("a", "host", country, (one,))])
        assert bool(known.alike(Known("b", "host", country, (other,)))) is (wanted == "yes"), (one, other)


def test_every_two_that_may_be_one_are_named_once() -> None:
    """With the highest score that any of their names has; what stands for several is one."""
    known = [
        TOKYO,
        Known("a", "partner", "JP", ("Tōkyō Yūkō Kyōkai",)),
        Known("b", "partner", "JP", ("Tokyo Yuko", "Tokio Friendship")),
        Known("c", "host", "JP", ("Tokyo Friendship",)),
        Known("d", "partner", "DE", ("Tokyo Friendship",)),
    ]
    assert Organisations(known).pairs() == [
        Pair("a", "b", 100, ("same_name", "similar_name")),
        Pair("a", "c", 80, ("same_name",)),
        Pair("a", "d", 80, ("same_name",)),
        Pair("b", "c", 80, ("similar_name",)),
    ]


def test_a_name_that_shares_its_words_with_thousands_is_compared_with_few() -> None:
    """Names are looked up by the words that they have to share; numbers that differ are two."""
    known = Organisations(Known(str(number), "host", "VN", (f"Trường THPT số {number}",)) for number in range(3_000))
    assert [one.entry for one in known.alike(Known("?", "host", "VN", ("THPT số 7",)))] == ["7"]
