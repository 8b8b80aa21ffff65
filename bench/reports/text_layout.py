"""Blocks of text and tables for the terminal, shared by reports and commands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.results import formatting
from bench.results.escaping import json_environment, text_environment
from bench.results.record import MeasurementWarning

NAME_WIDTH = 18  # columns of the names on the left, so that all blocks align


def print_blocks(blocks: Iterable[RenderableType], console: Console, below: int = 1) -> None:
    """Print the blocks with an empty line between them, and `below` empty lines after the last."""
    spaced: list[RenderableType] = []
    for block in blocks:
        spaced += [Text(), block] if spaced else [block]
    console.print(Padding(Group(*spaced), (1, 2, below, 2)))


def name_value_table(rows: Iterable[tuple[str | Text, str | Text]], style: str = "dim") -> Table:
    """Two columns: a name, and a value that may take several lines."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style=style, no_wrap=True, min_width=NAME_WIDTH)
    table.add_column(overflow="fold")
    for row in rows:
        # A `Text` is printed as it is; a plain string would be read as markup.
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table


def template_rows(template: str, **values: object) -> list[tuple[str, str]]:
    """Names and values from a template of this folder with lines `name | value`.

    A line without a name continues the value of the line above. Values of records are printed on
    one line each; the functions of `bench.results.formatting` are at hand.
    """
    environment = text_environment(Path(__file__).parent)
    text = environment.get_template(template).render(values, formatting=formatting)
    rows: list[tuple[str, str]] = []
    for line in text.splitlines():
        name, _, value = line.partition("| ")
        if name.strip() or not rows:
            rows.append((name.strip(), value))
        else:
            rows[-1] = rows[-1][0], f"{rows[-1][1]}\n{value}"
    return rows


def render_json(template: str, **values: object) -> dict[str, Any]:
    """The object that a JSON template of this folder gives for these values."""
    environment = json_environment(Path(__file__).parent)
    content: dict[str, Any] = json.loads(environment.get_template(template).render(values))
    return content


def warnings_table(warnings: Iterable[MeasurementWarning], ranked: bool = True) -> Table:
    """Each warning with its remedy; of a `ranked` result the name says whether it blocks that."""
    rows = []
    for warning in warnings:
        blocks = ranked and warning.blocks_ranking
        name = Text("✗ blocks ranking", "red") if blocks else Text("! note", "yellow")
        rows.append((name, Text.assemble(warning.message, " ", (warning.remedy, "dim"))))
    return name_value_table(rows, style="")


def column_table(
    columns: Sequence[str],
    rows: Iterable[Iterable[str | Text]],
    title: str,
    wrapped: Sequence[str] = (),
) -> Table:
    """A table with column heads; cells of the `wrapped` columns may take several lines."""
    table = Table(title=title, title_justify="left", title_style="", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, header_style="dim", overflow="fold", no_wrap=column not in wrapped)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table
