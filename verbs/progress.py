"""What a long piece of work says on a terminal while it runs, and when it cannot: for children of a verb."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

Watch = Callable[[int, int], None]
"""Hears how many are done, of how many."""


@contextmanager
def progress(console: Console, *, quiet: bool) -> Iterator[Watch]:
    """Show a bar while this context lasts, unless `quiet` or nobody watches."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as shown:
        task = shown.add_task("", total=None)
        yield lambda done, of: shown.update(task, completed=done, total=of)


def refuse(console: Console, sentence: str) -> int:
    """Say in a sentence why not, and return the exit code for it."""
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    return 1
