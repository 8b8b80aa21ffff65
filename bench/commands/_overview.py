"""Several tasks in one table: what each cost, how well it went, how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.commands._each import Ended
    from bench.results.record import Quality, Result

HEADS = ("task", "energy per 1,000", "time each", "", "quality")
WIDTH = 116  # where nobody looks at a terminal


def print_overview(ended: Sequence[Ended], seconds: float, stream: Any) -> None:
    """Print one line a task; `seconds` is how long all of it took."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in HEADS:
        table.add_column(head, overflow="fold", no_wrap=head != "quality")
    for one in ended:
        table.add_row(one.task, *_cells(one))
    console = Console(file=stream, highlight=False, width=None if stream.isatty() else WIDTH)
    console.print(Padding(table, (1, 2)))
    kinds = {one.result.boundary.kind for one in ended if one.result}
    if "modelled" in kinds:
        console.print("  The energy is modelled, NOT measured: joulebench doctor says why.")
    if any(one.result and one.result.model.weights == "random" for one in ended):
        console.print("  random: drawn weights; the quality is what chance gives.")
    console.print(f"  {len(ended)} tasks in {seconds:.0f} s\n")


def _cells(one: Ended) -> tuple[str, str, str, str]:
    from bench.results import formatting

    result = one.result
    if result is None or result.failure is not None:
        said = result.failure.message if result and result.failure else one.words
        return formatting.MISSING, formatting.MISSING, "", f"exit {one.code}: {said}"
    summary = result.summary
    energy = summary and summary.energy_kwh_per_1000
    spent = summary and summary.duration_seconds_per_inference
    cost = time = formatting.MISSING
    if energy:
        unit, size = formatting.energy_unit(energy.value)
        floor = energy.model_copy(update={"low": max(0.0, energy.low)})
        value, low, high = formatting.format_interval(floor, size)
        cost = f"{value} ({low} to {high}) {unit}"
    if spent:
        unit, size = formatting.time_unit(spent.value)
        time = f"{formatting.format_interval(spent, size)[0]} {unit}"
    return cost, time, _notes(result), _quality(result.quality)


def _quality(quality: Quality | None) -> str:
    from bench.results import formatting

    if quality is None:
        return formatting.MISSING
    return f"{quality.metric} {quality.value:.2f} ({quality.low:.2f} to {quality.high:.2f})"


def _notes(result: Result) -> str:
    notes = ["random"] if result.model.weights == "random" else []
    return ", ".join([*notes, "interrupted"] if result.status == "interrupted" else notes)
