"""The changes that the faults of tampering are made of are what they say."""

import json

from tests.faults.alterations import classes, of_json


def test_every_class_of_byte_of_every_leaf_is_changed_once() -> None:
    """Digits, letters, punctuation, escapes, the first and the other bytes of a letter with diacritics."""
    value = {"a": "Đoàn 12-3\n", "b": [7, True, None]}
    found = {one.what for one in of_json(value)}
    assert found == {
        *(f".a {kind}" for kind in ("lead byte", "continuation byte", "letter", "punctuation", "digit", "escape")),
        ".b[0] digit",
        ".b[1] letter",
        ".b[2] letter",
        ".a key",
        ".b key",
        "a blank",
        "cut",
        "not UTF-8",
        "escaped otherwise",
    }
    assert {one.written.decode() for one in of_json(value) if one.what in (".b[0] digit", ".a key")} == {
        '{"a":"Đoàn 12-3\\n","b":[6,true,null]}',
        '{"x":"Đoàn 12-3\\n","b":[7,true,null]}',
    }


def test_each_change_is_one() -> None:
    """Nothing is written as it was, and only the last one says the same in other words."""
    value = {"name": "Ban “Hợp tác”\n", "of": {"x": 10}}
    for one in of_json(value):
        assert one.written != json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert json.loads([*of_json(value)][-1].written) == value


def test_the_other_byte_is_of_the_same_class() -> None:
    """A changed digit is a digit, so that a change of value is tried and not only of form."""
    assert [*classes(b"2026-04")] == [("digit", 0, b"1"), ("punctuation", 4, b"~")]
