"""How tables look. Cells are text and nothing else: brackets in a title are not markup."""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

UNBROKEN = 10_000
"""Columns of an output that is no terminal: a row stays one line, so that it can be searched."""


def output(*, messages: bool = False) -> Console:
    """Standard output, or with `messages` standard error, as wide as its terminal is."""
    stream = sys.stderr if messages else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else UNBROKEN)


def table(
    titles: Sequence[str], *, title: str | None = None, right: Sequence[int] = (), whole: Sequence[int] = ()
) -> Table:
    """A table without lines. `right` names the columns that stand on the right, `whole` those that are never broken."""
    made = Table(box=None, padding=(0, 2, 0, 0), title=title, title_justify="left", title_style="bold", show_edge=False)
    for place, head in enumerate(titles):
        made.add_column(
            Text(head),
            justify="right" if place in right else "left",
            no_wrap=place in whole,
            overflow="fold",
        )
    return made


def add_row(rows: Table, *cells: str, style: str | None = None) -> None:
    """Add a row of plain cells."""
    rows.add_row(*(Text(cell) for cell in cells), style=style)


def say(text: str, *, style: str | None = None, console: Console | None = None) -> None:
    """Print one paragraph; long ones are left to the terminal to break."""
    (console or output()).print(Text(text), style=style, soft_wrap=True)
