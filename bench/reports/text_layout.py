"""Blocks of text and tables for the terminal, shared by reports and commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.results import formatting
from bench.results.escaping import json_environment, text_environment
from bench.results.interval import Interval
from bench.results.record import MeasurementWarning

NAME_WIDTH = 18  # columns of the names on the left, so that all blocks align
SEPARATOR, HEADS, WRAPPED, INDENT = " :: ", "# ", "~", "  "  # signs in a template


def print_template(path: Path, console: Console | None = None, **values: object) -> None:
    """Print the blocks of a template, by default on standard output."""
    print_blocks(template_blocks(path, **values), console or Console(highlight=False))


def template_blocks(path: Path, **values: object) -> list[RenderableType]:
    """The blocks of a template of rich markup, which empty lines separate: text and tables.

    Lines "name :: value" that follow one another are a table, in which a name is dim where it has
    no style of its own. Where the first one starts with "# " it has the heads of any number of
    columns; the cells below a head that ends with "~" may take several lines. Lines that start
    with two spaces are indented. A value is printed on one line and is no markup.
    """
    environment = text_environment(
        path.parent, shown=lambda text: escape(formatting.printable(text))
    )
    environment.filters |= {
        "energy": _energy_text,
        "mass": _mass_text,
        "interval": formatting.interval_text,
        "large_number": lambda figure: formatting.large_number_text(Interval.of(figure)),
    }
    text = environment.get_template(path.name).render(values, formatting=formatting)
    return [_block(block.splitlines()) for block in re.split("\n\n+", text.strip("\n"))]


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


def _block(lines: Iterable[str]) -> Group:
    parts: list[RenderableType] = []
    for (in_table, indented), group in groupby(
        lines, key=lambda line: (SEPARATOR in line, line.startswith(INDENT))
    ):
        texts = [line.removeprefix(INDENT) for line in group]
        made: list[RenderableType] = (
            [_template_table(texts)] if in_table else [*map(_markup, texts)]
        )
        parts += [Padding(part, (0, 0, 0, len(INDENT))) if indented else part for part in made]
    return Group(*parts)


def _template_table(lines: Sequence[str]) -> Table:
    if not lines[0].startswith(HEADS):
        rows = (line.partition(SEPARATOR)[::2] for line in lines)
        styled = ((name, value, "" if name.startswith("[") else "dim") for name, value in rows)
        cells = ((_markup(n, s), _markup(v)) for n, v, s in styled)
        return name_value_table(cells, style="")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in lines[0].removeprefix(HEADS).split(SEPARATOR):
        name, no_wrap = head.removesuffix(WRAPPED), not head.endswith(WRAPPED)
        head_text = _markup(name)
        table.add_column(head_text, header_style="dim", overflow="fold", no_wrap=no_wrap)
    for line in lines[1:]:
        table.add_row(*map(_markup, line.split(SEPARATOR)))
    return table


def _markup(line: str, style: str = "") -> Text:
    return Text.from_markup(line, style=style, emoji=False)


def _energy_text(kwh: Interval | float | None) -> str:
    """An energy in kWh in a readable unit: "500 (283 to 828) MWh"; a dash where not known."""
    if kwh is None:
        return formatting.MISSING
    energy = Interval.of(kwh)
    unit, size = formatting.large_energy_unit(energy.value)
    return formatting.interval_text(energy / size, unit)


def _mass_text(grams: Interval | None) -> str:
    """A mass in grams in a readable unit: "24.7 t"; a dash where not known."""
    if grams is None:
        return formatting.MISSING
    unit, size = formatting.mass_unit(grams.value)
    return formatting.interval_text(grams / size, unit)
