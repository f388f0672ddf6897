"""`legation erase`: a person is erased, once two administrators agree; and what that cannot reach."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from embedded.folder import DataFolder
from locales import Translator, mark
from settings import Settings
from verbs.asking import ADDRESS, Api
from verbs.at_hand import api_at_hand
from verbs.language import translator_of
from verbs.options import options
from verbs.refusal import Refusal
from verbs.show import AsJson
from verbs.tables import say
from words.erasures import REASONS, STATES, beyond, goes

PATIENCE = 60.0
"""Seconds that the command waits for what it began."""

PAUSE = 0.2


class Reason(StrEnum):
    """On which ground somebody is erased."""

    asked_by_person = "asked_by_person"
    consent_withdrawn = "consent_withdrawn"
    objection = "objection"
    purpose_fulfilled = "purpose_fulfilled"
    retention_over = "retention_over"
    unlawful = "unlawful"


def erase(
    context: typer.Context,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The person's reference: per_…")],
    reason: Annotated[Reason | None, typer.Option(help="On which ground; whoever asks says it.")] = None,
    agree: Annotated[bool, typer.Option("--agree", help="Agree to what another administrator asked for.")] = False,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back what you asked for.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase a person: one administrator asks with --reason, another one agrees with --agree. It cannot be undone.

    Without either it shows how far it is. Everything of the person in registers, mails, letters and calendars goes; the
    trail keeps references, which then name nobody. What cannot be reached is listed.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    if agree + withdraw + (reason is not None) > 1:
        raise Refusal(mark("Choose one of --reason, --agree and --withdraw."))
    with api_at_hand(settings) as api:
        if reason is not None:
            found = api.post("/erasures", {"person": person, "reason": reason})
        else:
            found = _known(api, person)
            if agree:
                found = api.post(f"/erasures/{found['id']}/agreement", None)
                if is_worked_on(settings):
                    found = _until_done(api, found)
            elif withdraw:
                found = api.post(f"/erasures/{found['id']}/withdrawal", None)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for line in told(found, translator):
        say(line)
    if found["state"] == "agreed" and not is_worked_on(settings):
        say(translator.tr("Nothing runs here: it is carried out as soon as Legation does."))


def is_worked_on(settings: Settings) -> bool:
    """Whether somebody is there to carry out what is agreed: the stack of the data folder, or an API elsewhere."""
    return bool(os.environ.get(ADDRESS, "").strip()) or DataFolder(settings.data_dir).read() is not None


def _known(api: Api, person: str) -> dict[str, Any]:
    """Return the newest erasure of a person; one that was withdrawn only where there is no other."""
    items = api.get("/erasures", person=person)["items"]
    if not items:
        raise Refusal(mark("Nobody has asked for the erasure of %(person)s: ask with --reason."), person=person)
    standing = [one for one in items if one["state"] != "withdrawn"] or items
    found: dict[str, Any] = api.get(f"/erasures/{standing[-1]['id']}")
    return found


def _until_done(api: Api, found: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    while found["state"] == "agreed" and time.monotonic() < until:
        time.sleep(PAUSE)
        found = api.get(f"/erasures/{found['id']}")
    return found


def told(found: Mapping[str, Any], translator: Translator) -> Iterator[str]:
    """Yield what is said of an erasure, given the API's answer: how far it is, what goes, what cannot be reached."""
    state, reason, person = STATES[found["state"]], REASONS[found["reason"]], found["person"]
    said = {"erasure": found["id"], "person": person, "state": translator.tr(state)}
    yield translator.tr("Erasure %(erasure)s of %(person)s: %(state)s", **said)
    yield translator.tr("On the ground that %(reason)s", reason=translator.tr(reason))
    at = _at(found["asked_at"], translator)
    yield translator.tr("Asked by %(account)s, %(at)s", account=found["asked_by"], at=at)
    if found["agreed_by"]:
        at = _at(found["agreed_at"], translator)
        yield translator.tr("Agreed by %(account)s, %(at)s", account=found["agreed_by"], at=at)
    if found["state"] == "asked":
        yield translator.tr("Another administrator agrees with: legation erase %(person)s --agree", person=person)
    yield from goes(found, translator)
    yield from beyond(found["out_of_reach"], translator)


def _at(instant: str, translator: Translator) -> str:
    # Wall time of this machine, as registers keep it.
    return translator.date_and_time(datetime.fromisoformat(instant).astimezone())
