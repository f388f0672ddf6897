"""`python -m embedded.bootstrap`: what must be true before a worker or the API starts; idempotent.

The database's schema is brought to the newest, the rules are entered as an edition, read tables catch up with the
journal, the namespace gets its retention and its search attributes. In the profile `server` the namespace is only
checked: it belongs to whoever runs the cluster. The schedules are Legation's own everywhere.
"""

import asyncio
import os
import sys
from pathlib import Path

from temporalio.service import RPCError

from embedded.connection import connect
from embedded.namespace import NamespaceUnfit, check_namespace, prepare_namespace
from embedded.schedules import keep_schedules
from settings import Settings, SettingsRefused, load_settings
from storage.editions import Editions
from storage.editions_file import RulesFileError, load_edition
from storage.engine import Database
from storage.errors import StoreUnavailable
from storage.migrate import SchemaTooNew, migrate
from storage.projection import Projection

RULES = Path(__file__).parent.parent / "rules"


class ServerUnreachable(Exception):
    """No Temporal server answers where the settings say."""

    def __init__(self) -> None:
        super().__init__("The Temporal server that the settings name does not answer.")


async def bootstrap(settings: Settings) -> None:
    """Refuses with `NamespaceUnfit`, `ServerUnreachable`, or what `storage.migrate` refuses with."""
    await migrate(settings.database_url)
    await enter_rules(settings)
    await catch_up(settings)
    try:
        client = await connect(settings)
    except RuntimeError as refused:
        raise ServerUnreachable from refused
    if settings.profile == "server":
        await check_namespace(client, settings.retention)
    else:
        await prepare_namespace(client, settings.retention)
    await keep_schedules(client, settings)


async def enter_rules(settings: Settings) -> str:
    """Enters the rules folder as an edition and returns its digest; files opened from now on come under it.

    An edition that stands in the register already changes nothing. Refuses with `RulesFileError`.
    """
    database = Database(settings.database_url)
    try:
        return await Editions(database).put(load_edition(RULES))
    finally:
        await database.close()


async def catch_up(settings: Settings) -> int:
    """Fills what a migration emptied: read tables from the journal. Returns how many delegations were behind."""
    database = Database(settings.database_url)
    try:
        return await Projection(database).catch_up()
    finally:
        await database.close()


def main() -> int:
    """0, or 1 after one plain sentence on standard error."""
    try:
        asyncio.run(bootstrap(load_settings()))
    except (NamespaceUnfit, RulesFileError, ServerUnreachable, SettingsRefused) as refused:
        return _refuse(str(refused))
    except (SchemaTooNew, StoreUnavailable) as unavailable:
        return _refuse(f"The database cannot be used: {unavailable}.")
    except RPCError as failed:
        return _refuse(f"The Temporal server refuses to prepare the namespace: {failed.message}.")
    return 0


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # A short process that used the SDK can abort while the interpreter is taken down (PyGILState_Release, an open bug
    # of the SDK); the exit code must be the one above.
    os._exit(code)
