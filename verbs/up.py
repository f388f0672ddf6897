"""`legation up`: the embedded stack for real use, in real time, until Ctrl-C."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from embedded.failure import Sentence
from embedded.folder import StackRecord
from embedded.ports import HOST, Ports
from embedded.stack import Stack, run
from locales import Translator, mark
from verbs.language import translator_of
from verbs.options import options

TOY_MAILBOX = mark(
    "Mail stays in a development mailbox that forgets it at the next start. Set LEGATION_SMTP_HOST to send real mail."
)


class PortChoice(StrEnum):
    """Which ports the parts take."""

    default = "default"
    free = "free"


def ports_of(choice: PortChoice, api_port: int) -> Ports:
    """The fixed ports, the API's as the settings have it, or free ones."""
    return Ports.free() if choice is PortChoice.free else Ports(api=api_port)


def up(
    context: typer.Context,
    ports: Annotated[
        PortChoice, typer.Option(help="The well-known ports, or free ones beside another stack.")
    ] = PortChoice.default,
    workers: Annotated[int, typer.Option(min=1, max=16, help="How many worker processes to run.")] = 1,
) -> None:
    """Start Legation on this machine and keep it running until Ctrl-C.

    Starts Temporal's server, the worker, the API and, unless real SMTP is configured, a development mailbox. Data stays
    in the data folder and survives any restart.
    """
    console, messages = Console(), Console(stderr=True)
    settings = options(context).settings()
    chosen = ports_of(ports, settings.api_port)
    settings = options(context).settings(api_port=chosen.api)
    translator = translator_of(settings)

    async def until_stopped(stack: Stack) -> None:
        console.print(addresses(stack.record, translator))
        if stack.record.mail_password is not None:
            console.print(translator.tr(TOY_MAILBOX))
        console.print(translator.tr("Data: %(folder)s   Stop: Ctrl-C", folder=settings.data_dir), soft_wrap=True)
        await asyncio.Event().wait()

    def report(sentence: Sentence) -> None:
        messages.print(sentence.told(translator), markup=False, highlight=False, soft_wrap=True)

    console.print(translator.tr("Legation is starting."))
    asyncio.run(run(Stack(settings, chosen, workers=workers, report=report), until_stopped))
    console.print(translator.tr("Legation has stopped."))


def addresses(record: StackRecord, translator: Translator) -> Table:
    """Where the parts that have a face are reached."""
    table = Table(
        title=translator.tr("Legation runs"), title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0)
    )
    table.add_row("API", f"{record.api_url}/docs")
    if record.mail_password is not None:
        table.add_row(translator.tr("Mailbox"), f"http://{HOST}:{record.ports.webmail}")
    if record.has_own_server:
        table.add_row("Temporal", f"http://{HOST}:{record.ports.ui}/namespaces/{record.temporal_namespace}/workflows")
    else:
        table.add_row("Temporal", record.temporal_address)
    return table
