"""Sheets of comma-separated values (RFC 4180) that a spreadsheet opens as the text they are."""

import csv
import io
from collections.abc import Iterable, Sequence

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it spreadsheets take UTF-8 for the code page of the machine, and Vietnamese for noise."""

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet calculates instead of showing it; full-width signs too, which some take for the others."""


def sheet(lines: Iterable[Sequence[str]], *, first: bool = False) -> bytes:
    """Return lines of cells in UTF-8; `first`: they begin the file.

    A cell that would be calculated gets an apostrophe before it, which spreadsheets take for “this is text”.
    """
    written = io.StringIO(newline="")
    csv.writer(written).writerows([literal(cell) for cell in line] for line in lines)
    return ((BYTE_ORDER_MARK if first else "") + written.getvalue()).encode()


def literal(cell: str) -> str:
    """Return a cell that no spreadsheet calculates."""
    return f"'{cell}" if cell.lstrip(" \u00a0").startswith(BEGINS_A_FORMULA) else cell
