"""What stands in every template and script of the pages, whoever adds the next one."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates" / "pages").glob("*.html"))
VENDORED = {"htmx.js", "hx-sse.js", "event-calendar.js"}
SCRIPTS = sorted(path for path in (ROOT / "templates" / "static").glob("*.js") if path.name not in VENDORED)

WITHOUT_TOKEN = {
    # Before a sign-in there is no session; where these come from is checked all the same.
    ("sign_in.html", "/sign-in"),
    ("choose_password.html", "/choose-password"),
    ("layout.html", "/language"),
}

FORM = re.compile(r"<form\b[^>]*\bmethod=\"post\"[^>]*>.*?(?:</form>|\{% endmacro %\}|\Z)", re.DOTALL)

PASSWORD = re.compile(r'field\("(\w+)"[^\n]*type="password", autocomplete="([a-z-]+)"')


def name_of(path: Path) -> str:
    """A file's name."""
    return path.name


@cache
def carrying() -> frozenset[str]:
    """The macros that write the token into a form."""
    macro = re.compile(r"\{% macro (\w+)\(.*?\{% endmacro %\}", re.DOTALL)
    text = "".join(template.read_text("utf-8") for template in TEMPLATES)
    return frozenset(found[1] for found in macro.finditer(text) if 'name="csrf"' in found[0])


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_every_form_that_changes_something_carries_the_token_of_its_session(template: Path) -> None:
    """By itself, or by the macro that begins it."""
    lacking = {
        (template.name, found[1] if (found := re.search(r'action="([^"]*)"', form)) else "")
        for form in FORM.findall(template.read_text("utf-8"))
        if 'name="csrf"' not in form and not any(f"{{{{ {macro}(" in form for macro in carrying())
    }
    assert lacking - WITHOUT_TOKEN == set()


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_nothing_in_a_template_is_code(template: Path) -> None:
    """No script within the page, no handler in an attribute, no style of its own, no address that is code."""
    text = template.read_text("utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"\s(?:on[a-z]+|style|hx-on[\w:-]*)=[\"']", text) == []
    assert re.findall(r"(?:javascript|vbscript):", text, re.IGNORECASE) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=name_of)
def test_what_people_wrote_is_never_taken_for_html(template: Path) -> None:
    """`safe` stands behind literals alone, and escaping is never switched off."""
    text = template.read_text("utf-8")
    assert "autoescape" not in text
    for before in re.findall(r"([^{}]*?)\|\s*safe\b", text):
        assert re.fullmatch(r".*'[^'{}]*'\s*", before, re.DOTALL), before


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_a_script_keeps_nothing_and_writes_no_html(script: Path) -> None:
    """No storage of the browser, no text taken for HTML or code, no message from another window."""
    text = script.read_text("utf-8")
    forbidden = (
        r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.open"
        r"|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|__proto__"
        r"|postMessage"
    )
    assert re.findall(forbidden, text) == []


def test_passwords_are_hidden_may_be_pasted_and_are_known_to_password_managers() -> None:
    """The fields say which password they want, and no script listens to pasting."""
    fields = {(path.name, *found) for path in TEMPLATES for found in PASSWORD.findall(path.read_text("utf-8"))}
    assert fields >= {
        ("sign_in.html", "password", "current-password"),
        ("choose_password.html", "password", "new-password"),
        ("choose_password.html", "repeated", "new-password"),
    }
    assert not any('"paste"' in path.read_text("utf-8") for path in SCRIPTS)


def test_the_frame_of_pages_has_the_way_out() -> None:
    """Whoever is signed in signs out from every page that stands in it; what is printed has a frame of its own."""
    assert 'action="/sign-out"' in (ROOT / "templates" / "pages" / "layout.html").read_text("utf-8")
    whole = {path.name for path in TEMPLATES if "<html" in path.read_text("utf-8")}
    assert "layout.html" in whole
    assert {name for name in whole - {"layout.html"} if "print" not in name} == set()
