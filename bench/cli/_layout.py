"""How the commands that compute a meaning show it: a title, a headline, rows, and the caveats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.impact.lifecycle import LifeCycleStage
from bench.results import formatting
from bench.results.formatting import interval_text, large_energy_unit, large_mass_unit
from bench.results.interval import Interval

Row = Sequence[str]


def show(parts: Iterable[RenderableType]) -> None:
    """Print the parts, a free line between them."""
    Console(highlight=False).print(Padding(Group(*_spaced(parts)), (1, 2, 1, 2)))


def head(title: str, more: str = "") -> Text:
    """What this is about."""
    return Text.assemble((title, "bold"), f" · {more}" if more else "")


def headline(figure: str, words: str, kind: str) -> Text:
    """The one figure to keep, and whether it was measured."""
    style = "bold green" if kind == "measured" else "bold yellow"
    return Text.assemble((figure, style), f" {words}".rstrip(), "   ", (kind, "bold"))


def grid(rows: Iterable[Row], right: Sequence[int] = ()) -> Table:
    """Rows under each other: the first column names, those in `right` are numbers."""
    rows = list(rows)
    table = Table.grid(padding=(0, 2, 0, 0))
    width = max((len(row) for row in rows), default=0)
    for column in range(width):
        name, last = column == 0, column == width - 1
        table.add_column(
            style="dim" if name else "",
            no_wrap=not last,
            min_width=16 if name else None,
            justify="right" if column in right else "left",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in (*row, *[""] * (width - len(row)))))
    return table


def numbers(rows: Iterable[Row]) -> Table:
    """Rows of (figure, its unit with low and high, what it is, what stands beside it)."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True, justify="right", min_width=11)
    table.add_column(no_wrap=True, min_width=11)
    table.add_column(overflow="fold")
    for figure, unit, what, beside in rows:
        table.add_row(Text(figure), Text(unit), Text.assemble(what, (f"\n{beside}", "dim")))
    return table


def steps(rows: Iterable[Row]) -> Table:
    """Figures that lead from one to the other, each with its words."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=16)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def stages(found: Iterable[LifeCycleStage]) -> Table:
    """The stages of a life cycle: energy and emissions, and under them how they come about."""
    rows = [(stage, energy(stage.energy_kwh), grams(stage.grams)) for stage in found]
    width = max(len(text) for _, text, _ in rows)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=16)
    table.add_column(overflow="fold")
    for stage, power, mass in rows:
        if stage.missing:
            table.add_row(stage.name, Text(f"not known: {stage.missing}", style="yellow"))
        else:
            how = (f"\n{stage.how}", "dim")
            table.add_row(stage.name, Text.assemble(f"{power:<{width}}   {mass}", how))
    return table


def titled(title: str, below: RenderableType) -> Group:
    """A small heading over something."""
    return Group(Text(title, style="italic"), below)


def energy(kwh: Interval | float | None) -> str:
    """An energy in kWh in the unit that fits: "500 (283 to 828) MWh"; a dash where not known."""
    if kwh is None:
        return formatting.MISSING
    found = Interval.of(kwh)
    unit, size = large_energy_unit(found.value)
    return interval_text(found / size, unit)


def grams(mass: Interval | None) -> str:
    """A mass in grams in the unit that fits: "24.7 t"; a dash where not known."""
    if mass is None:
        return formatting.MISSING
    unit, size = large_mass_unit(mass.value)
    return interval_text(mass / size, unit)


def notes(texts: Iterable[str]) -> Table:
    """What a reader must know before passing the figures on."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=16, style="yellow")
    table.add_column(overflow="fold")
    for text in texts:
        table.add_row("! caveat", Text(text))
    return table


def _spaced(parts: Iterable[RenderableType]) -> Iterable[RenderableType]:
    for index, part in enumerate(parts):
        if index:
            yield Text()
        yield part
