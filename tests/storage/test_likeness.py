"""Which organisations and people look alike, with a score and the reason."""

import time

from storage.likeness import Known, Organisations, People

TOKYO = Known("a", "partner", "JP", ("Tokyo Friendship Association", "TFA"), "https://www.tfa.example/en")


def found(name: str, country: str = "JP", web: str | None = None) -> list[tuple[str, int, tuple[str, ...]]]:
    """What an organisation of this name looks like, beside two others."""
    osaka = Known("b", "partner", "JP", ("Osaka Chamber of Commerce",))
    known = Organisations([TOKYO, osaka, Known("c", "host", "JP", ("Tokyo Friendship",))])
    return [(one.entry, one.score, one.reasons) for one in known.alike(Known("?", "partner", country, (name,), web))]


def test_one_name_is_the_same_however_it_is_written() -> None:
    """Case, diacritics, the order of words and the legal form say nothing; another kind is another thing."""
    for name in ("TOKYO FRIENDSHIP ASSOCIATION", "Tōkyō friendship", "Friendship Association of Tokyo", "tfa"):
        assert found(name) == [("a", 100, ("same_name",))], name


def test_a_name_with_a_slip_is_similar() -> None:
    """The score is the share of letters that agree."""
    assert found("Tokio Friendship Association") == [("a", 94, ("similar_name",))]
    assert found("Nagoya Sister City Committee") == []


def test_one_name_in_two_countries_is_a_weaker_sign() -> None:
    assert found("Tokyo Friendship Association", country="DE") == [("a", 80, ("same_name",))]


def test_one_web_address_is_a_strong_sign() -> None:
    """Whatever the path, with or without www."""
    assert found("Nagoya City", web="http://tfa.example/contact") == [("a", 90, ("same_web",))]
    assert found("Tokyo Friendship", web="https://tfa.example") == [("a", 100, ("same_name", "same_web"))]


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


def test_five_thousand_rows_against_five_thousand_entries_stay_within_seconds() -> None:
    """The worst case of an import: all of one country, none alike."""
    names = [f"Hội {number:05d} {number * 7919 % 100_003:06d} Kyoto" for number in range(5_000)]
    known = Organisations(Known(name, "partner", "JP", (name,)) for name in names)
    began = time.perf_counter()
    for name in names[:100]:
        known.alike(Known("?", "partner", "JP", (name + " x",)))
    assert (time.perf_counter() - began) * 50 < 60
