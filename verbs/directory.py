"""`legation directory`: partners, hosts and contacts: looking them up, entering them, and making two entries one."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from locales import Translator, mark
from settings import Settings
from verbs.asking import Api, api_of
from verbs.directory_import import import_
from verbs.directory_words import name_of, why
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.tables import add_row, output, say, table
from words.codes import word
from words.directory import ACTIONS, KINDS, NATURES

LARGEST_PAGE = 200

app = typer.Typer(help="Look up, enter, merge and import partners, hosts and contacts.", no_args_is_help=True)
app.command("import")(import_)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object for programs.")]
EntryId = Annotated[str, typer.Argument(metavar="ID", help="The entry's id, as `legation directory list` shows it.")]


class Kind(StrEnum):
    """What an entry is."""

    partner = "partner"
    host = "host"
    contact = "contact"


class Nature(StrEnum):
    """What kind of organisation a partner is."""

    friendship_association = "friendship_association"
    mass_organisation = "mass_organisation"
    authority = "authority"
    mission = "mission"
    international = "international"
    school = "school"
    company = "company"
    other = "other"


@app.command("list")
def list_entries(
    context: typer.Context,
    kind: Annotated[list[Kind] | None, typer.Option(help="Only this kind; may be repeated.")] = None,
    q: Annotated[str | None, typer.Option("--q", help="Words of names or place; with or without diacritics.")] = None,
    country: Annotated[str | None, typer.Option(help="Only this country, as JP.")] = None,
    at: Annotated[str | None, typer.Option(metavar="ID", help="Only the contacts of this organisation.")] = None,
    merged: Annotated[bool, typer.Option("--merged", help="Also entries that gave way to others.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LARGEST_PAGE, help="How many lines a page has.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next_cursor` of the page before.")] = None,
    every_page: Annotated[bool, typer.Option("--all", help="Every page, not only one.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the directory by name; contacts come first."""
    api, translator = _api(context)
    query = {
        "kind": kind or None,
        "q": q,
        "country": country,
        "at": at,
        "merged": merged or None,
        "limit": LARGEST_PAGE if every_page else limit,
        "cursor": cursor,
    }
    with api:
        if every_page:
            page: dict[str, Any] = {"items": list(api.pages("/directory", **query)), "next_cursor": None}
        else:
            page = api.get("/directory", **query)
    if as_json:
        _print_json(page)
        return
    if not page["items"]:
        say(translator.tr("The directory has nothing like that."))
        return
    titles = (mark("Entry"), mark("Kind"), mark("Called"), mark("Country"), mark("Place or organisation"))
    rows = table([translator.tr(title) for title in titles], whole=[0])
    for item in page["items"]:
        entry = item["entry"]
        where = entry.get("place") or entry.get("at") or ""
        style = "dim" if item["merged_into"] else None
        country_name = translator.country(entry["country"]) if entry.get("country") else ""
        kind_word = word(KINDS, entry["kind"], translator)
        add_row(rows, item["id"], kind_word, name_of(item, translator), country_name, where, style=style)
    output().print(rows)
    if page["next_cursor"]:
        say(translator.tr("There are more: --all shows them all."))


@app.command("show")
def show(context: typer.Context, entry: EntryId, as_json: AsJson = False) -> None:
    """Show an entry, and who made each of its versions."""
    api, translator = _api(context)
    with api:
        found = api.get(f"/directory/{entry}")
        versions = api.get(f"/directory/{entry}/versions")["items"]
    if as_json:
        _print_json(found | {"versions": versions})
        return
    rows = table(["", ""])
    for title, value in _lines(found, translator):
        add_row(rows, translator.tr(title), value)
    rows.show_header = False
    output().print(rows)
    say("")
    titles = (mark("Version"), mark("When"), mark("Who"), mark("What"))
    rows = table([translator.tr(title) for title in titles], right=[0])
    for version in versions:
        at = datetime.fromisoformat(version["at"]).astimezone().strftime("%Y-%m-%d %H:%M")
        what = " ".join((word(ACTIONS, version["action"], translator), version["other"] or "")).strip()
        add_row(rows, str(version["version"]), at, version["actor"], what)
    output().print(rows)


@app.command("add")
def add(
    context: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What to enter.")],
    name: Annotated[str | None, typer.Option(help="The organisation's name.")] = None,
    other_name: Annotated[list[str] | None, typer.Option(help="Another name of it; may be repeated.")] = None,
    country: Annotated[str | None, typer.Option(help="Its country, as JP; VN for a host unless given.")] = None,
    nature: Annotated[Nature | None, typer.Option(help="What kind of organisation a partner is.")] = None,
    place: Annotated[str | None, typer.Option(help="Where a host receives.")] = None,
    web: Annotated[str | None, typer.Option(help="Its address on the web.")] = None,
    at: Annotated[str | None, typer.Option(metavar="ID", help="The organisation of a contact.")] = None,
    full_name: Annotated[str | None, typer.Option(help="A contact's name.")] = None,
    given_name: Annotated[str | None, typer.Option(help="What a contact is called in letters.")] = None,
    honorific: Annotated[str | None, typer.Option(help="What stands before a contact's name.")] = None,
    email: Annotated[str | None, typer.Option(help="A contact's address.")] = None,
    phone: Annotated[str | None, typer.Option(help="A contact's telephone.")] = None,
    function: Annotated[str | None, typer.Option(help="What a contact is at the organisation.")] = None,
    language: Annotated[str | None, typer.Option(help="Of letters to a contact: vi or en.")] = None,
    nationality: Annotated[str | None, typer.Option(help="A contact's nationality, as JP.")] = None,
    as_json: AsJson = False,
) -> None:
    """Enter a partner, a host or a contact. A contact's name and addresses go to the register of people."""
    api, translator = _api(context)
    person = {
        "full_name": full_name,
        "given_name": given_name,
        "honorific": honorific,
        "email": email,
        "phone": phone,
        "function": function,
        "language": language,
        "nationality": nationality,
    }
    entry = {
        "name": name,
        "other_names": other_name or None,
        "country": country,
        "nature": nature,
        "place": place,
        "web": web,
        "at": at,
    }
    body: dict[str, Any] = {"kind": str(kind)} | {field: value for field, value in entry.items() if value is not None}
    said = {field: value for field, value in person.items() if value is not None}
    if kind is not Kind.contact and said:
        raise Refusal(mark("Only a contact has a person's name and addresses."))
    if kind is Kind.contact and at is None:
        raise Refusal(mark("A contact needs --at with the id of its organisation."))
    with api:
        if kind is Kind.contact:
            body["person"] = api.post("/persons", said)
        made = api.post("/directory", body)
    alike = made["alike"]
    if as_json:
        _print_json(made)
        return
    say(translator.tr("Entered as %(entry)s.", entry=made["id"]))
    if alike:
        say(translator.tr("It looks like what is there already:"), style="yellow")
        _show_alike(alike, translator)


@app.command("duplicates")
def duplicates(
    context: typer.Context,
    entry: Annotated[str | None, typer.Argument(metavar="[ID]", help="An entry; without one, all of them.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LARGEST_PAGE, help="How many pairs a page has.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next_cursor` of the page before.")] = None,
    every_page: Annotated[bool, typer.Option("--all", help="Every page, not only one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which entries may be the same as this one; without one, every two partners and hosts that may be one."""
    api, translator = _api(context)
    if entry is None:
        with api:
            if every_page:
                items = list(api.pages("/directory-duplicates", limit=LARGEST_PAGE))
                page: dict[str, Any] = {"items": items, "count": len(items), "next_cursor": None}
            else:
                page = api.get("/directory-duplicates", limit=limit, cursor=cursor)
        _show_pairs(page, translator, as_json=as_json)
        return
    with api:
        found = api.get(f"/directory/{entry}/duplicates")
    if as_json:
        _print_json(found)
    elif found["items"]:
        _show_alike(found["items"], translator)
    else:
        say(translator.tr("Nothing in the directory looks like it."))


@app.command("merge")
def merge(
    context: typer.Context,
    entry: EntryId,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The entry that stands for both from now on.")],
    as_json: AsJson = False,
) -> None:
    """Let one entry give way to another of its kind. Both keep their history; `split` undoes it."""
    api, translator = _api(context)
    with api:
        won = api.post(f"/directory/{entry}/merge", {"into": into})
    if as_json:
        _print_json(won)
    else:
        name = name_of(won, translator)
        say(translator.tr("%(entry)s now stands for both: %(name)s", entry=won["id"], name=name))


@app.command("split")
def split(context: typer.Context, entry: EntryId, as_json: AsJson = False) -> None:
    """Undo the merge of an entry."""
    api, translator = _api(context)
    with api:
        found = api.post(f"/directory/{entry}/split", None)
    if as_json:
        _print_json(found)
    else:
        name = name_of(found, translator)
        say(translator.tr("%(entry)s stands for itself again: %(name)s", entry=found["id"], name=name))


def _api(context: typer.Context) -> tuple[Api, Translator]:
    settings: Settings = options(context).settings()
    return api_of(settings), translator_of(settings)


def _print_json(found: Any) -> None:
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))


def _lines(found: Mapping[str, Any], translator: Translator) -> list[tuple[str, str]]:
    entry, person = found["entry"], found["person"] or {}
    lines = [
        (mark("Entry"), found["id"]),
        (mark("Kind"), word(KINDS, entry["kind"], translator)),
        (mark("Called"), name_of(found, translator)),
        (mark("Other names"), "; ".join(entry.get("other_names", []))),
        (mark("Country"), translator.country(entry["country"]) if entry.get("country") else ""),
        (mark("Nature"), word(NATURES, entry["nature"], translator) if entry.get("nature") else ""),
        (mark("Place"), entry.get("place") or ""),
        (mark("Web"), entry.get("web") or ""),
        (mark("Organisation"), entry.get("at") or ""),
        (mark("Function"), person.get("function") or ""),
        (mark("E-mail"), person.get("email") or ""),
        (mark("Telephone"), person.get("phone") or ""),
        (mark("Gave way to"), found["merged_into"] or ""),
    ]
    return [(title, value) for title, value in lines if value]


def _show_pairs(page: Mapping[str, Any], translator: Translator, *, as_json: bool) -> None:
    if as_json:
        _print_json(page)
        return
    if not page["items"]:
        say(translator.tr("Nothing in the directory looks like anything else there."))
        return
    titles = (mark("Score"), mark("Entry"), mark("Kind"), mark("Called"), mark("Why"))
    rows = table([translator.tr(title) for title in titles], right=[0], whole=[1])
    for item in page["items"]:
        reasons = why(item["reasons"], translator)
        for found, score, said in ((item["first"], str(item["score"]), reasons), (item["second"], "", "")):
            kind = word(KINDS, found["entry"]["kind"], translator)
            add_row(rows, score, found["id"], kind, name_of(found, translator), said)
    output().print(rows)
    if page["next_cursor"]:
        say(translator.tr("There are more: --all shows them all."))


def _show_alike(items: list[Mapping[str, Any]], translator: Translator) -> None:
    titles = (mark("Entry"), mark("Called"), mark("Score"), mark("Why"))
    rows = table([translator.tr(title) for title in titles], right=[2], whole=[0])
    for item in items:
        found = item["found"]
        add_row(rows, found["id"], name_of(found, translator), str(item["score"]), why(item["reasons"], translator))
    output().print(rows)
