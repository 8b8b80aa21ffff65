"""A comparison as a person reads it on a terminal, and as plain values for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.analysis.comparison import ResultComparison, Verdict, is_comparable
from bench.analysis.published_results import PublishedResult
from bench.results import formatting, views
from bench.results.formatting import (
    decimals,
    energy_unit,
    format_fixed,
    format_nonnegative,
    format_number,
    printable,
    time_unit,
)
from bench.results.record import Estimate, Result

TONES = {"less": "green", "better": "green", "more": "red", "worse": "red", "tie": "yellow"}


def print_comparison(made: Sequence[ResultComparison], console: Console) -> None:
    """Print a table of all results, the base first, then a sentence and the differences each."""
    parts: list[RenderableType] = [_table(made)]
    for item in made:
        parts += [Text(), Group(*_sentences(item))]
    console.print(Padding(Group(*parts), (1, 2)))


def show_published(result: Result, found: Sequence[PublishedResult], console: Console) -> None:
    """Print a result, then each published figure with its ratio and all that differs."""
    energy = found[0].ours_kwh_per_1000
    name = f"{result.task.id}, {printable(result.model.id)}"
    ours = _energy(energy).replace("\n", " (") + ")" if energy else "no measured GPU energy"
    parts: list[RenderableType] = [Text(f"{name}: {ours} per 1,000, GPU alone", style="bold")]
    if energy is None:
        parts.append(Text("No ratio: studies state what a GPU took, and none was measured here."))
    for item in found:
        parts += [Text(), *_published(item)]
    console.print(Padding(Group(*parts), (1, 2)))


def _published(item: PublishedResult) -> Iterator[Text]:
    row = item.row
    theirs = _energy_of(row.gpu_energy_kwh_per_1000)
    head = f"{row.study.title}: {printable(row.model)}, {theirs}"
    yield Text(head, style="bold" if item.same == "model" else "")
    if item.ratio is not None:
        yield Text(f"  ours is {_span(item.ratio)} times that", style="green")
    if row.energy_kwh_per_1000 > row.gpu_energy_kwh_per_1000:
        whole = _energy_of(row.energy_kwh_per_1000)
        yield Text(f"  the study's own figure is {whole}, with all that it bills", style="yellow")
    for difference in item.differences:
        line = f"  {difference.what}: {difference.base} here, {difference.other} there"
        yield Text(line, style="dim")
    yield Text(f"  {row.study.caveat}", style="dim italic")


def _energy_of(kwh: float) -> str:
    unit, size = energy_unit(kwh)
    return f"{format_number(kwh / size, 3)} {unit}"


def plain_published(item: PublishedResult) -> dict[str, Any]:
    """A published figure beside ours as JSON values."""
    row = item.row
    return {
        "study": row.study.title,
        "source_url": row.study.source_url,
        "licence": row.study.licence,
        "caveat": row.study.caveat,
        "model": row.model,
        "same": item.same,
        "published_gpu_kwh_per_1000": row.gpu_energy_kwh_per_1000,
        "published_kwh_per_1000": row.energy_kwh_per_1000,
        "ours_gpu_kwh_per_1000": item.ours_kwh_per_1000 and item.ours_kwh_per_1000.model_dump(),
        "ratio": item.ratio and item.ratio.model_dump(),
        "differences": [vars(difference) for difference in item.differences],
    }


def comparison_json(item: ResultComparison) -> dict[str, Any]:
    """A comparison as JSON values; ratios are other / base, the quality a difference."""

    def side(result: Result) -> dict[str, Any]:
        energy = views.headline_energy(result)
        return {
            "model": result.model.id,
            "run_id": result.run_id,
            "kind": "modelled" if views.is_modelled(result) else "measured",
            "energy_kwh_per_1000": energy and energy.model_dump(),
            "quality": result.quality and result.quality.model_dump(),
        }

    return {
        "task": item.base.task.id,
        "base": side(item.base),
        "other": side(item.other),
        "energy_ratio": item.energy and item.energy.model_dump(),
        "energy_verdict": item.energy_verdict,
        "duration_ratio": item.duration and item.duration.model_dump(),
        "quality_difference": item.quality and item.quality.model_dump(),
        "quality_verdict": item.quality_verdict,
        "equals": is_comparable(item),
        "differences": [vars(difference) for difference in item.differences],
        "why_not": list(item.why_not),
    }


def _table(made: Sequence[ResultComparison]) -> Table:
    base = made[0].base
    table = Table(box=None, padding=(0, 2, 1, 0), title_justify="left", title_style="bold")
    table.title = f"{base.task.id}: {len(made) + 1} results"
    metric = printable(base.quality.metric if base.quality else "quality")
    for column in ("model", "per 1,000", "times base", metric, "difference", "time each"):
        table.add_column(column, header_style="dim", overflow="fold")
    _row(table, base, None)
    for item in made:
        _row(table, item.other, item)
    return table


def _row(table: Table, result: Result, item: ResultComparison | None) -> None:
    summary, style = result.summary, "yellow" if views.is_modelled(result) else ""
    note = "base" if item is None else ""
    if views.is_modelled(result):
        note = f"{note}, modelled".removeprefix(", ")
    table.add_row(
        Text.assemble((printable(result.model.id), "bold"), (f"\n{note}", style or "dim")),
        Text(_energy(views.headline_energy(result)), style=style),
        Text() if item is None else _judged(item.energy, item.energy_verdict),
        Text(_quality(result)),
        Text() if item is None else _judged(item.quality, item.quality_verdict, sign=True),
        Text(_seconds(summary.duration_seconds_per_inference if summary else None)),
    )


def _sentences(item: ResultComparison) -> Iterator[Text]:
    name = printable(item.other.model.id)
    yield Text(f"{name}: {_energy_sentence(item)}; {_quality_sentence(item)}.", style="bold")
    for why in item.why_not:
        yield Text(f"  not compared: {why}", style="yellow")
    apart = [d for d in item.differences if d.what != "model"]
    for difference in apart:
        line = f"  {difference.what}: {difference.base} against {difference.other}"
        yield Text(line, style="dim")
    if not is_comparable(item):
        yield Text("  not equals: they would not be ranked together", style="yellow")


def _energy_sentence(item: ResultComparison) -> str:
    if item.energy is None:
        return "its energy can't be compared"
    of = _span(item.energy)
    if item.energy_verdict == "tie":
        return f"no real difference in energy, {of} times that of the base"
    modelled = " (modelled: a ratio of CPU time)" if views.is_modelled(item.other) else ""
    return f"{item.energy_verdict} energy, {of} times that of the base{modelled}"


def _quality_sentence(item: ResultComparison) -> str:
    if item.quality is None:
        return "its quality can't be compared"
    if item.quality_verdict == "tie":
        return "no real difference in quality"
    return f"{item.quality_verdict} quality"


def _judged(of: Estimate | None, verdict: Verdict | None, sign: bool = False) -> Text:
    if of is None or verdict is None:
        return Text(formatting.MISSING)
    value, low, high = _ends(of)
    plus = "+" if sign and of.value > 0 else ""
    return Text(f"{plus}{value} {verdict}\n{low} to {high}", style=TONES[verdict])


def _span(of: Estimate) -> str:
    value, low, high = _ends(of)
    return f"{value} ({low} to {high})"


def _ends(of: Estimate) -> tuple[str, str, str]:
    places = max(0, min(3, decimals(of))) if of.high > of.low else 3
    ends = (of.value, of.low, of.high)
    value, low, high = (format_fixed(end, places).replace("-", "−") for end in ends)
    return value, low, high


def _energy(of: Estimate | None) -> str:
    if of is None:
        return formatting.MISSING
    unit, size = energy_unit(of.value)
    value, low, high = format_nonnegative(of, size)
    return f"{value} {unit}\n{low} to {high}"


def _quality(result: Result) -> str:
    of = result.quality
    return formatting.MISSING if of is None else f"{of.value:.3f}\n{of.low:.3f} to {of.high:.3f}"


def _seconds(of: Estimate | None) -> str:
    if of is None:
        return formatting.MISSING
    unit, size = time_unit(of.value)
    return f"{format_nonnegative(of, size)[0]} {unit}"
