"""Comparison of results, or of a result with published figures: as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.analysis.comparison import ResultComparison, Verdict, is_comparable
from bench.analysis.published_results import PublishedResult
from bench.reports.text_layout import print_blocks, print_template, render_json, template_blocks
from bench.results import views
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.formatting import (
    MISSING,
    decimals,
    energy_unit,
    format_fixed,
    format_nonnegative,
    printable,
    time_unit,
)
from bench.results.record import Estimate, Result

FOLDER = Path(__file__).parent
TONES = {"less": "green", "better": "green", "more": "red", "worse": "red", "tie": "yellow"}


def print_comparison(comparisons: Sequence[ResultComparison], console: Console) -> None:
    """Print a table of all results, the base first, then verdicts and differences of each."""
    verdicts = template_blocks(
        FOLDER / "comparison.jinja",
        comparisons=comparisons,
        interval=_interval,
        ends=_ends,
        is_modelled=views.is_modelled,
        is_comparable=is_comparable,
    )
    print_blocks([_table(comparisons), *verdicts], console)


def print_published(result: Result, rows: Sequence[PublishedResult], console: Console) -> None:
    """Print a result, then each published figure with its ratio and the differences."""
    energy = rows[0].measured_kwh_per_1000
    measured = _energy(energy).replace("\n", " (") + ")" if energy else ""
    values = {"result": result, "rows": rows, "measured": measured, "interval": _interval}
    print_template(FOLDER / "published.jinja", console, **values)


def published_json(item: PublishedResult) -> dict[str, Any]:
    """A published figure and its ratio to the measured one, as JSON values."""
    return render_json("published.json.jinja", item=item)


def comparison_json(item: ResultComparison) -> dict[str, Any]:
    """A comparison as JSON values: ratios are other / base, quality is other - base."""
    return render_json(
        "comparison.json.jinja",
        item=item,
        equals=is_comparable(item),
        views=views,
        calibrated=_with_calibration,
    )


def _table(comparisons: Sequence[ResultComparison]) -> Table:
    base = comparisons[0].base
    table = Table(box=None, padding=(0, 2, 1, 0), title_justify="left", title_style="bold")
    table.title = f"{base.task.id}: {len(comparisons) + 1} results"
    table.caption = "per 1,000: range with calibration uncertainty; the others: 95 % interval"
    table.caption_justify = "left"
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
    yield Text(_energy(_with_calibration(result)), style=style)
    yield _verdict(item.energy, item.energy_verdict) if item else Text()
    yield Text(_quality(result))
    yield _verdict(item.quality, item.quality_verdict, sign=True) if item else Text()
    yield Text(_duration(duration))


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
    has_digits = estimate.high > estimate.low and estimate.value != 0
    places = max(0, min(3, decimals(estimate))) if has_digits else 3
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


def _with_calibration(result: Result) -> Estimate | None:
    energy = views.headline_energy(result)
    return energy and with_calibration(energy, calibration_half_width(result))


def _quality(result: Result) -> str:
    q = result.quality
    return MISSING if q is None else f"{q.value:.3f}\n{q.low:.3f} to {q.high:.3f}"


def _duration(estimate: Estimate | None) -> str:
    if estimate is None:
        return MISSING
    unit, size = time_unit(estimate.value)
    return f"{format_nonnegative(estimate, size)[0]} {unit}"
