"""The `legation` command: each verb is a file in verbs/; this one puts them together.

It speaks HTTP to the API and starts the embedded stack. It imports no layer and not the Temporal SDK.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from embedded.failure import StackFailure
from locales import Translator
from settings import SettingsRefused, load_settings
from verbs import (
    admin,
    archive,
    changes,
    channel,
    checkpoint,
    collections,
    dead_letters,
    demo,
    desk,
    directory,
    dossier,
    erase,
    evidence,
    feed,
    keys,
    leave,
    move,
    organisation,
    policy,
    position,
    rebuild,
    replies,
    report,
    request,
    retention,
    return_,
    show,
    sign,
    sign_offs,
    status,
    token,
    told,
    trail,
    up,
    verify,
)
from verbs import list as list_verb
from verbs import open as open_verb
from verbs.language import translator_of
from verbs.options import Options
from verbs.refusal import Refusal

app = typer.Typer(
    help="Runs the journeys of delegations, each as one durable workflow whose history is its audit trail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("status")(status.status)
app.command("list")(list_verb.list_)
app.command("inbox")(desk.inbox)
app.command("desk")(desk.desk)
app.command("show")(show.show)
app.command("open")(open_verb.open_)
app.command("dossier")(dossier.dossier)
app.command("sign")(sign.sign)
app.command("return")(return_.return_)
app.command("reject")(return_.reject)
app.command("move")(move.move)
app.command("report")(report.report)
app.command("dead-letters")(dead_letters.dead_letters)
app.command("resend")(dead_letters.resend)
app.command("channel")(channel.channel)
app.command("told")(told.told)
app.command("trail")(trail.trail)
app.command("changes")(changes.changes)
app.command("sign-offs")(sign_offs.sign_offs)
app.command("verify")(verify.verify)
app.command("evidence")(evidence.evidence)
app.command("rebuild")(rebuild.rebuild)
app.add_typer(archive.app, name="archive")
app.command("erase")(erase.erase)
app.add_typer(token.app, name="token")
app.add_typer(directory.app, name="directory")
app.add_typer(admin.app, name="admin")
app.add_typer(organisation.app, name="organisation")
app.add_typer(position.app, name="position")
app.add_typer(leave.app, name="leave")
app.add_typer(collections.app, name="collection")
app.add_typer(feed.app, name="feed")
app.add_typer(replies.app, name="replies")
app.add_typer(policy.app, name="policy")
app.add_typer(request.app, name="request")
app.add_typer(retention.app, name="retention")
app.add_typer(checkpoint.app, name="checkpoint")
app.add_typer(keys.app, name="keys")


@app.callback()
def _options(
    context: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="The data folder (else LEGATION_DATA_DIR, else ./var)."),
    ] = None,
) -> None:
    context.obj = Options(data=data)


def main() -> None:
    """Runs the command. What a verb refuses becomes one plain sentence on standard error and exit code 1."""
    try:
        app(prog_name="legation")
    except (Refusal, StackFailure) as refused:
        _refuse(refused.sentence.told(_translator()))
    except SettingsRefused as refused:
        _refuse(str(refused))


def _translator() -> Translator:
    try:
        return translator_of(load_settings())
    except SettingsRefused:
        return translator_of()


def _refuse(sentence: str) -> None:
    Console(stderr=True).print(sentence, markup=False, highlight=False, soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
