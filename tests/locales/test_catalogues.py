"""Everything a person reads is said in Vietnamese and in English, and says the same."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from locales import LANGUAGES, Language
from locales.catalogue import catalogue_path, read_catalogue
from locales.extraction import messages_in_use, says_something, update_catalogues

PLACE = re.compile(r"%\((\w+)\)s")


def keys(catalogue: Catalog) -> set[str | tuple[str, ...]]:
    """The keys of a catalogue, without its header."""
    return {tuple(message.id) if isinstance(message.id, list) else message.id for message in catalogue if message.id}


def forms(text: str | tuple[str, ...] | list[str] | None) -> list[str]:
    """Every plural form of a key or of a translation."""
    return [text] if isinstance(text, str) else list(text or ())


@pytest.fixture(scope="module")
def in_use() -> Catalog:
    """What the code and the templates ask for."""
    return messages_in_use()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_has_what_is_asked_for_and_nothing_else(language: Language, in_use: Catalog) -> None:
    """`python -m locales` was run after the last change of a sentence."""
    catalogue = keys(read_catalogue(language))
    asked = keys(in_use)
    assert sorted(map(str, asked - catalogue)) == []
    assert sorted(map(str, catalogue - asked)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_silent_or_fuzzy(language: Language) -> None:
    """Each form of each message has a text that a person checked."""
    assert [message.id for message in read_catalogue(language) if message.id and not says_something(message)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_the_same_places(language: Language) -> None:
    """No value is lost, none is asked for that the code does not give; a lone percent sign is doubled."""
    for message in read_catalogue(language):
        if not message.id:
            continue
        keyed = {place for text in forms(message.id) for place in PLACE.findall(text)}
        for text in [*forms(message.id), *forms(message.string)]:
            places = set(PLACE.findall(text))
            assert places == keyed or (isinstance(message.id, tuple) and places | {"count"} == keyed), text
            assert text % dict.fromkeys(keyed, "x") is not None


def test_english_is_its_own_key() -> None:
    """A sentence is edited in the code, not in a catalogue."""
    assert [message.id for message in read_catalogue("en") if message.id and message.id != message.string] == []


def test_vietnamese_has_one_plural_form() -> None:
    """Vietnamese nouns do not change with number."""
    plurals = [message for message in read_catalogue("vi") if isinstance(message.id, tuple)]
    assert plurals
    assert {len(forms(message.string)) for message in plurals} == {1}


def test_a_new_message_joins_and_an_unused_one_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Extraction sees methods, plurals, marks and Jinja templates; what was translated stays."""
    root = tmp_path / "project"
    (root / "templates").mkdir(parents=True)
    (root / "code.py").write_text(
        'words.tr("Kept %(x)s", x=1)\nwords.ntr("%(count)s way", "%(count)s ways", n)\nPHASE = mark("Closed")\n'
    )
    (root / "templates" / "page.html").write_text("{{ _('On the page') }}{% trans %}In a block{% endtrans %}")
    header = catalogue_path("vi").read_text("utf-8").partition("\n\n")[0]
    for language in LANGUAGES:
        (tmp_path / f"{language}.po").write_text(
            f'{header}\n\nmsgid "Kept %(x)s"\nmsgstr "Giữ %(x)s"\n\nmsgid "Gone"\nmsgstr "Mất"\n', "utf-8"
        )
    monkeypatch.setattr("locales.catalogue.catalogue_path", lambda language: tmp_path / f"{language}.po")
    monkeypatch.setattr("locales.extraction.catalogue_path", lambda language: tmp_path / f"{language}.po")

    silent = update_catalogues(root)

    wanted: list[str | tuple[str, str]] = [
        "Closed", "In a block", "Kept %(x)s", "On the page", ("%(count)s way", "%(count)s ways")
    ]  # fmt: skip
    vietnamese = read_catalogue("vi")
    assert keys(vietnamese) == set(wanted)
    kept = vietnamese.get("Kept %(x)s")
    assert isinstance(kept, Message)
    assert kept.string == "Giữ %(x)s"
    assert len(silent["vi"]) == 4
    assert silent["en"] == []
    once = (tmp_path / "vi.po").read_bytes()
    update_catalogues(root)
    assert (tmp_path / "vi.po").read_bytes() == once
