"""Comparison of results, or of a result with published figures: as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.analysis.comparison import Difference, ResultComparison, Verdict, is_comparable
from bench.analysis.published_results import PublishedResult
from bench.reports.text_layout import print_blocks, render_json
from bench.results import views
from bench.results.formatting import (
    MISSING,
    decimals,
    energy_text,
    energy_unit,
    format_fixed,
    format_nonnegative,
    printable,
    time_unit,
)
from bench.results.record import Estimate, Result

INDENT = (0, 0, 0, 2)
TONES = {"less": "green", "better": "green", "more": "red", "worse": "red", "tie": "yellow"}


def print_comparison(comparisons: Sequence[ResultComparison], console: Console) -> None:
    """Print a table of all results, the base first, then verdicts and differences of each."""
    blocks: list[RenderableType] = [_table(comparisons)]
    blocks += [Group(*_verdicts(item)) for item in comparisons]
    print_blocks(blocks, console)


def print_published(result: Result, rows: Sequence[PublishedResult], console: Console) -> None:
    """Print a result, then each published figure with its ratio and the differences."""
    energy = rows[0].measured_kwh_per_1000
    measured = _energy(energy).replace("\n", " (") + ")" if energy else "no measured GPU energy"
    title = f"{result.task.id}, {printable(result.model.id)}: {measured} per 1,000, GPU alone"
    blocks: list[RenderableType] = [Text(title, style="bold")]
    if energy is None:
        blocks.append(Text("No ratio: studies state GPU energy, and this result has none."))
    print_blocks([*blocks, *(Group(*_published(item)) for item in rows)], console)


def published_json(item: PublishedResult) -> dict[str, Any]:
    """A published figure and its ratio to the measured one, as JSON values."""
    return render_json("published.json.jinja", item=item)


def comparison_json(item: ResultComparison) -> dict[str, Any]:
    """A comparison as JSON values: ratios are other / base, quality is other - base."""
    return render_json("comparison.json.jinja", item=item, equals=is_comparable(item), views=views)


def _table(comparisons: Sequence[ResultComparison]) -> Table:
    base = comparisons[0].base
    table = Table(box=None, padding=(0, 2, 1, 0), title_justify="left", title_style="bold")
    table.title = f"{base.task.id}: {len(comparisons) + 1} results"
    metric = printable(base.quality.metric if base.quality else "quality")
    table.add_column("model", header_style="dim", overflow="fold", min_width=14)
    for column in ("per 1,000", "times base", metric, "difference", "duration"):
        table.add_column(column, header_style="dim", overflow="fold")
    table.add_row(*_cells(base, None))
    for item in comparisons:
        table.add_row(*_cells(item.other, item))
    return table


def _cells(result: Result, item: ResultComparison | None) -> Iterator[Text]:
    modelled = views.is_modelled(result)
    duration = result.summary.duration_seconds_per_inference if result.summary else None
    notes = ["base"] * (item is None) + ["modelled"] * modelled
    style = "yellow" if modelled else ""
    name = printable(result.model.id)
    yield Text.assemble((name, "bold"), (f"\n{', '.join(notes)}", style or "dim"))
    yield Text(_energy(views.headline_energy(result)), style=style)
    yield _verdict(item.energy, item.energy_verdict) if item else Text()
    yield Text(_quality(result))
    yield _verdict(item.quality, item.quality_verdict, sign=True) if item else Text()
    yield Text(_duration(duration))


def _verdicts(item: ResultComparison) -> Iterator[RenderableType]:
    name = printable(item.other.model.id)
    yield Text(f"{name}: {_energy_verdict(item)}; {_quality_verdict(item)}.", style="bold")
    for reason in item.why_not:
        yield Text(f"  not compared: {reason}", style="yellow")
    differences = [each for each in item.differences if each.name != "model"]
    if differences:
        yield _differences(differences, "base", "other")
    if not is_comparable(item):
        yield Text("  not comparable: they would not be ranked together", style="yellow")


def _energy_verdict(item: ResultComparison) -> str:
    if item.energy is None:
        return "its energy cannot be compared"
    ratio = _interval(item.energy)
    if item.energy_verdict == "tie":
        return f"no significant difference in energy, {ratio} times that of the base"
    modelled = " (modelled: a ratio of CPU time)" if views.is_modelled(item.other) else ""
    return f"{item.energy_verdict} energy, {ratio} times that of the base{modelled}"


def _quality_verdict(item: ResultComparison) -> str:
    if item.quality is None:
        return "its quality cannot be compared"
    if item.quality_verdict == "tie":
        return "no significant difference in quality"
    return f"{item.quality_verdict} quality"


def _published(item: PublishedResult) -> Iterator[RenderableType]:
    row = item.row
    head = (
        f"{row.study.title}: {printable(row.model)}, {energy_text(row.gpu_energy_kwh_per_1000, 3)}"
    )
    yield Text(head, style="bold" if item.same == "model" else "")
    if item.ratio is not None:
        yield Text(f"  this result is {_interval(item.ratio)} times that", style="green")
    if row.energy_kwh_per_1000 > row.gpu_energy_kwh_per_1000:
        energy = energy_text(row.energy_kwh_per_1000, 3)
        yield Text(f"  with the study's own boundary it is {energy}", style="yellow")
    if item.differences:
        yield _differences(item.differences, "this result", "study")
    yield Padding(Text(row.study.caveat, style="dim italic"), INDENT)


def _differences(differences: Sequence[Difference], base: str, other: str) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), style="dim", header_style="dim italic")
    for column in ("differs", base, other):
        table.add_column(column, overflow="fold")
    for each in differences:
        table.add_row(each.name, Text(each.base), Text(each.other))
    return Padding(table, INDENT)


def _verdict(estimate: Estimate | None, verdict: Verdict | None, sign: bool = False) -> Text:
    if estimate is None or verdict is None:
        return Text(MISSING)
    value, low, high = _ends(estimate)
    plus = "+" if sign and estimate.value > 0 else ""
    return Text(f"{plus}{value} {verdict}\n{low} to {high}", style=TONES[verdict])


def _interval(estimate: Estimate) -> str:
    value, low, high = _ends(estimate)
    return f"{value} ({low} to {high})"


def _ends(estimate: Estimate) -> tuple[str, str, str]:
    places = max(0, min(3, decimals(estimate))) if estimate.high > estimate.low else 3
    ends = (estimate.value, estimate.low, estimate.high)
    # Adding 0.0 turns a rounded negative zero into zero.
    rounded = (round(end, places) + 0.0 for end in ends)
    value, low, high = (format_fixed(end, places).replace("-", "−") for end in rounded)
    return value, low, high


def _energy(estimate: Estimate | None) -> str:
    if estimate is None:
        return MISSING
    unit, size = energy_unit(estimate.value)
    value, low, high = format_nonnegative(estimate, size)
    return f"{value} {unit}\n{low} to {high}"


def _quality(result: Result) -> str:
    q = result.quality
    return MISSING if q is None else f"{q.value:.3f}\n{q.low:.3f} to {q.high:.3f}"


def _duration(estimate: Estimate | None) -> str:
    if estimate is None:
        return MISSING
    unit, size = time_unit(estimate.value)
    return f"{format_nonnegative(estimate, size)[0]} {unit}"
