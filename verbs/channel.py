"""`legation channel`: chooses how somebody's calendar hears of the programme."""

from enum import StrEnum
from typing import Annotated

import typer

from verbs.asking import api_of
from verbs.language import translator_of
from verbs.options import options
from verbs.receipt import answer
from verbs.show import AsJson, Delegation


class Channel(StrEnum):
    """One of three."""

    mail = "mail"
    feed = "feed"
    caldav = "caldav"


def channel(
    context: typer.Context,
    delegation: Delegation,
    participant: Annotated[str, typer.Argument(help="Who, by the id on the file, as `legation show` has it.")],
    chosen: Annotated[Channel, typer.Argument(metavar="CHANNEL", help="mail, feed or caldav.")],
    as_json: AsJson = False,
) -> None:
    """Choose how somebody's calendar hears of the programme from now on: by one channel, never by two.

    Whoever leaves mail has the items taken out of the mailbox's calendar; whoever comes back gets them again.
    """
    settings = options(context).settings()
    translator = translator_of(settings)
    with api_of(settings) as api:
        command = {"type": "choose_channel", "participant_id": participant, "channel": chosen.value}
        receipt = api.send(delegation, command)
    answer(receipt, translator.tr("The channel was chosen."), translator, as_json=as_json)
