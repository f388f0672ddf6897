"""Files in the read model without a worker: put there as their trail would have put them, the last one an hour ago."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from sqlalchemy import event

from domain.events import AnyEvent
from domain.values import BUSINESS_ZONE, business_date
from tests.api.front import Browser, Front
from tests.pages.asking import signed_in
from tests.rulebook import edition
from tests.storage.streams import opened, sealed

NOW = datetime.now(UTC)
TODAY = business_date(NOW, BUSINESS_ZONE)


async def put(found: Front, name: str, *more: AnyEvent, **opening: object) -> None:
    """Let a file be there that `lan` coordinates, its events an hour apart; `opening` changes what the first says."""
    known = {"coordinator": "lan", "organisation": "song-lam", "starts": TODAY + timedelta(days=60)}
    first = opened(name).model_copy(update={**known, "edition": edition().digest(), **opening})
    first = first.model_copy(update={"ends": first.starts + timedelta(days=6)})
    chain = sealed(name, [first, *more], start=NOW - timedelta(hours=1 + len(more)))
    await found.at.registers.projection.project(name, chain)


@contextmanager
def statements(found: Front) -> Iterator[list[str]]:
    """What is asked of an installation's database meanwhile."""
    asked: list[str] = []

    def noted(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.split()[0] in ("SELECT", "UPDATE", "INSERT", "DELETE", "WITH"):
            asked.append(statement)

    engine = found.at.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", noted)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", noted)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def text_of(page: str) -> str:
    """What a page says in its content, blanks single."""
    parser = _Text()
    parser.feed("<main" + page.partition("<main")[2].partition("</main>")[0])
    return " ".join(" ".join(parser.said).split())


def part_of(page: str, name: str) -> str:
    """What the section says whose heading has this id."""
    found = page.partition(f'aria-labelledby="{name}"')[2].partition("</section>")[0]
    return text_of(f"<main{found}</main>")


async def reading(found: Front, account: str) -> Browser:
    """A browser in a session of an account, in English."""
    browser, _ = await signed_in(found, account)
    browser.http.cookies.set(found.at.cookies.language, "en", domain="legation.test")
    return browser
