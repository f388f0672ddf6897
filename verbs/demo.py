"""`legation demo`: plays a scenario on the real stack, with clocks that can be moved, and sums up what came of it."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from embedded.failure import Sentence
from embedded.folder import StackRecord
from embedded.ports import HOST
from embedded.stack import Stack, run
from locales import Translator, mark
from settings import Settings
from verbs.asking import Api
from verbs.children import answer_of
from verbs.language import translator_of
from verbs.options import options
from verbs.own_token import keep_token
from verbs.refusal import Refusal
from verbs.token import TOKENS
from verbs.up import PortChoice, addresses, ports_of

if TYPE_CHECKING:
    # What scenarios are made of takes as long to import as the whole command: only who plays one waits for it.
    from scenariofile import Scenario
    from scenarioplayer import StepPlayed, Summary

SHIPPED = Path(__file__).parent.parent / "scenarios" / "inbound-study-visit.yaml"
DEMO_DATA = Path("var") / "demo"
ADMINISTRATOR = "demo-administrator"
SIGNATORY = {"signatory_name": "Đặng Hoài Nam"}
"""Who signs the invented province's letters."""

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds after each look whether a closed file's run has been archived."""

CANCELLATIONS = mark("cancellations: %(messages)s, calendars: %(calendars)s")
INVITATIONS = mark("invitations: %(messages)s, calendars: %(calendars)s")


def demo(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="A scenario file (docs/scenarios.md); else the shipped one.")
    ] = None,
    leave: Annotated[bool, typer.Option("--exit", help="End by itself after the summary.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else.")] = False,
    ports: Annotated[
        PortChoice, typer.Option(help="The well-known ports, or free ones beside another stack.")
    ] = PortChoice.default,
) -> None:
    """Play a scenario through the public API on a real server whose clocks can be moved: weeks pass in seconds.

    Keeps running until Ctrl-C, so that the API, the mailbox and Temporal's web pages can be looked at; with --exit it
    ends by itself. The data stay in the data folder (./var/demo unless --data names another).
    """
    chosen_options = options(context)
    folder = {} if chosen_options.data is not None or os.environ.get("LEGATION_DATA_DIR") else {"data_dir": DEMO_DATA}
    given = {**folder, "profile": "demo", **({} if os.environ.get("LEGATION_SIGNATORY_NAME") else SIGNATORY)}
    chosen = ports_of(ports, chosen_options.settings(**given).api_port)
    settings = chosen_options.settings(api_port=chosen.api, **given)
    translator, messages = translator_of(settings), Console(stderr=True)
    # Programs read standard output, people read the rest.
    console = messages if as_json else Console()
    scenario = _scenario(file or SHIPPED)

    def report(sentence: Sentence) -> None:
        messages.print(sentence.told(translator), markup=False, highlight=False, soft_wrap=True)

    async def play(stack: Stack) -> None:
        summary = await _play(stack.record, settings, scenario, console, translator)
        if as_json:
            typer.echo(json.dumps(summary.document(), ensure_ascii=False, indent=2))
        else:
            show(summary, console, translator)
        console.print(addresses(stack.record, translator))
        if not leave:
            console.print(translator.tr("Data: %(folder)s   Stop: Ctrl-C", folder=settings.data_dir), soft_wrap=True)
            await asyncio.Event().wait()

    console.print(translator.tr("Legation is starting."))
    asyncio.run(run(Stack(settings, chosen, report=report), _told_plainly(play)))


def _scenario(file: Path) -> "Scenario":
    from scenariofile import ScenarioFileError, load_scenario

    try:
        return load_scenario(file)
    except ScenarioFileError as refused:
        raise Refusal(mark("%(problems)s"), problems=refused) from refused
    except OSError as unreadable:
        raise Refusal(
            mark("The scenario %(file)s cannot be read: %(reason)s."),
            file=file,
            reason=(unreadable.strerror or "unknown error").lower(),
        ) from unreadable


def _told_plainly(play: Callable[[Stack], Awaitable[None]]) -> Callable[[Stack], Awaitable[None]]:
    async def body(stack: Stack) -> None:
        from scenarioplayer import ScenarioFailed

        try:
            await play(stack)
        except ScenarioFailed as failed:
            raise Refusal(mark("%(problems)s"), problems=failed) from failed

    return body


async def _play(
    record: StackRecord, settings: Settings, scenario: "Scenario", console: Console, translator: Translator
) -> "Summary":
    from scenarioplayer import Player
    from scenarioplayer.mailboxes import Mailboxes

    if record.mail_password is None:
        raise Refusal(mark("The demo counts what arrives in its own mailbox: unset LEGATION_SMTP_HOST."))
    password = record.mail_password.get_secret_value()
    request = {"type": "create", "account": ADMINISTRATOR, "name": "Demo", "roles": ["administrator"]}
    administrator = await asyncio.to_thread(answer_of, TOKENS, request, settings)
    # So that every command can be tried on the demo's data, while it runs and afterwards.
    keep_token(settings, administrator["token"])
    progress = Progress(scenario, console, translator)
    player = Player(
        scenario,
        record.api_url,
        administrator["token"],
        lambda people: Mailboxes(HOST, record.ports.imap, password, people),
        progress.shifted,
        progress.step,
    )
    summary = await player.play()
    # The clock's own rounds are minutes apart: nothing of what was played is left without one.
    await asyncio.to_thread(_seal, record, administrator["token"], translator, summary)
    return summary


def _seal(record: StackRecord, token: str, translator: Translator, summary: "Summary") -> None:
    """Ask for a checkpoint; for further ones while the run of a file that was closed has not ended, to be archived."""
    with Api(record.api_url, token, translator) as api:
        for pause in PAUSES:
            api.post("/checkpoints", None)
            if summary.phase != "closed" or api.get(f"/delegations/{summary.delegation}/runs")["items"]:
                return
            time.sleep(pause)


class Progress:
    """Tells each step with its business date while the scenario is played."""

    def __init__(self, scenario: "Scenario", console: Console, translator: Translator) -> None:
        self._zone = ZoneInfo(scenario.zone)
        self._console = console
        self._translator = translator
        self._title = scenario.title.text(translator.language)

    def shifted(self, weeks: int) -> None:
        """Say what is played, and how far into the future it is moved."""
        tr = self._translator.tr
        self._console.print(f"\n[bold]{self._title}[/]")
        if weeks:
            self._console.print(
                tr(
                    "A clock only goes forward, so every date is %(weeks)s weeks later: weekdays stay, holidays move.",
                    weeks=weeks,
                )
            )
        self._console.print()

    def step(self, played: "StepPlayed") -> None:
        """Tell one step as it went."""
        tr = self._translator.tr
        local = played.at.astimezone(self._zone)
        when = f"{self._translator.weekday_date(local.date())} {self._translator.clock_time(local)}"
        notes = []
        if played.refused:
            notes.append(tr("refused as expected: %(code)s", code=played.refused))
        for method, count in sorted(played.messages.items()):
            text = CANCELLATIONS if method == "CANCEL" else INVITATIONS
            notes.append(tr(text, messages=count, calendars=played.calendars))
        title = played.step.title.text(self._translator.language)
        tail = f"  [dim]({'; '.join(notes)})[/]" if notes else ""
        line = f"[dim]{played.number:>3}/{played.of}[/]  {when}  {title}{tail}"
        self._console.print(line, highlight=False, soft_wrap=True)


def show(summary: "Summary", console: Console, translator: Translator) -> None:
    """Print the summary for a person."""
    tr = translator.tr
    facts = Table(title=tr("What came of it"), title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    facts.add_row(tr("Phase"), summary.phase)
    facts.add_row(tr("Head count"), translator.number(summary.head_count))
    for step, reached in summary.calendars_reached.items():
        facts.add_row(tr("Calendars reached: %(step)s", step=step), translator.number(reached))
    for method, count in summary.messages.items():
        facts.add_row(tr("Calendar messages: %(method)s", method=method), translator.number(count))
    for amount in summary.ceilings_vnd:
        facts.add_row(tr("Ceiling"), translator.money_vnd(amount))
    for refused in summary.refusals:
        facts.add_row(tr("Refused: %(step)s", step=refused.step), refused.code)
    facts.add_row(tr("Trail"), tr("%(length)s sealed events", length=translator.number(summary.trail.length)))
    facts.add_row(tr("Head of the trail"), summary.trail.head[:32] + "\n" + summary.trail.head[32:])
    facts.add_row(tr("Time taken"), f"{summary.seconds:.1f} s")
    console.print()
    console.print(facts, highlight=False)
    console.print()
    due = Table(title=tr("Deadlines"), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in (tr("Due on"), tr("What"), tr("Rule"), tr("Result")):
        due.add_column(column)
    for one in summary.deadlines:
        due.add_row(translator.short_date(one.due), one.what, one.rule, one.status)
    console.print(due, highlight=False)
    console.print()
