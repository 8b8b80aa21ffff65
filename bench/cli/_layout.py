"""Terminal layout of the commands on impact: title, headline, quantities, stages and caveats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.impact.lifecycle import LifeCycleStage
from bench.reports.text_layout import name_value_table, print_blocks
from bench.results.formatting import (
    MISSING,
    interval_text,
    large_energy_unit,
    mass_unit,
)
from bench.results.interval import Interval


def print_parts(parts: Iterable[RenderableType]) -> None:
    """Print the parts with an empty line between them."""
    print_blocks(parts, Console(highlight=False))


def title(text: str, detail: str = "") -> Text:
    """The subject in bold, with a detail after it."""
    return Text.assemble((text, "bold"), f" · {detail}" if detail else "")


def headline(figure: str, label: str, kind: str) -> Text:
    """The main figure, its label, and whether it was measured."""
    style = "bold green" if kind == "measured" else "bold yellow"
    return Text.assemble((figure, style), f" {label}".rstrip(), "   ", (kind, "bold"))


def notes(texts: Iterable[str]) -> Table:
    """The caveats."""
    return name_value_table([("! caveat", text) for text in texts], style="yellow")


def quantities(rows: Iterable[Sequence[str]]) -> Table:
    """Rows of (value, unit with low and high, name, comparison); the comparison below the name."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True, justify="right", min_width=11)
    table.add_column(no_wrap=True, min_width=11)
    table.add_column(overflow="fold")
    for value, unit, name, comparison in rows:
        table.add_row(Text(value), Text(unit), Text.assemble(name, (f"\n{comparison}", "dim")))
    return table


def stages(rows: Iterable[LifeCycleStage]) -> Table:
    """The stages of a life cycle: energy and emissions, and below them their calculation."""
    texts = [(stage, energy_text(stage.energy_kwh), mass_text(stage.grams)) for stage in rows]
    width = max(len(energy) for _, energy, _ in texts)
    cells = []
    for stage, energy, mass in texts:
        text = Text(f"not known: {stage.missing}", style="yellow")
        if not stage.missing:
            calculation = (f"\n{stage.calculation}", "dim")
            text = Text.assemble(f"{energy:<{width}}   {mass}", calculation)
        cells.append((stage.name, text))
    return name_value_table(cells)


def section(heading: str, content: RenderableType) -> Group:
    """A heading over a part."""
    return Group(Text(heading, style="italic"), content)


def energy_text(kwh: Interval | float | None) -> str:
    """An energy in kWh in a readable unit: "500 (283 to 828) MWh"; a dash where not known."""
    if kwh is None:
        return MISSING
    energy = Interval.of(kwh)
    unit, size = large_energy_unit(energy.value)
    return interval_text(energy / size, unit)


def mass_text(grams: Interval | None) -> str:
    """A mass in grams in a readable unit: "24.7 t"; a dash where not known."""
    if grams is None:
        return MISSING
    unit, size = mass_unit(grams.value)
    return interval_text(grams / size, unit)
