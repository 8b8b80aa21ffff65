"""A result on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.impact import carbon, equivalences
from bench.impact.facts import DerivedQuantity
from bench.results import statistics
from bench.results.calibration import estimate_with_calibration
from bench.results.formatting import (
    energy_unit,
    format_count,
    format_interval,
    format_number,
    time_unit,
    unit_label,
    unit_plural,
)
from bench.results.record import Estimate, Failure, Result


def print_result(
    result: Result, path: Path, console: Console, edition: str, next_step: str
) -> None:
    """Print the summary of a run. `edition` names the phone charge to compare with."""
    parts: list[RenderableType] = [result_title(result)]
    summary = result.summary
    energy = summary.energy_kwh_per_1000 if summary else None
    if result.failure is not None:
        parts.append(_failure(result.failure))
    elif energy is not None:
        parts += [_headline(result, energy), _grid(impact_rows(result, energy, edition))]
    else:
        parts.append(Text("No energy could be read; the warnings say why.", style="bold red"))
    parts += [_warnings(result)] if result.warnings else []
    console.print(Padding(Group(*_spaced(parts)), (1, 2, 0, 2)))
    # Paths and commands are to be copied: they are never broken over lines.
    console.print(f"\n  saved  {path}\n  next   {next_step}\n", soft_wrap=True, markup=False)


def greatest_uncertainty(result: Result, energy: Estimate) -> str:
    """Which source makes the figure least sure, in words."""
    scatter = statistics.relative_half_width(energy) or 0.0
    calibration = result.calibration.relative_half_width if result.calibration else 0.0
    if calibration < scatter:
        return f"scatter from trial to trial: ±{100 * scatter:.1f} %"
    modelled = result.boundary.kind == "modelled"
    kind = "the model of the CPU" if modelled else "the scale of the sensor"
    return f"{kind}: ±{100 * calibration:.0f} %, against ±{100 * scatter:.1f} % from trial to trial"


def result_title(result: Result) -> Text:
    """Task, model, size, precision, batch and device, in a line."""
    title = Text()
    title.append(result.task.id, style="bold")
    title.append(f" · {result.model.id}", style="bold")
    if result.model.weights == "random":
        title.append(" (random weights)", style="bold")
    size = result.model.parameter_count
    if size:
        title.append(f" · {format_count(size)} parameters")
    batch = result.model.settings.get("batch_size")
    title.append(f" · {result.model.dtype or 'no dtype'} · batch {batch} · {_device(result)}")
    return title


def _device(result: Result) -> str:
    used = [d for d in result.machine.devices if d.used and d.domain.startswith("gpu:")]
    if used:
        return ", ".join(d.name for d in used)
    return f"CPU ({result.machine.cpu_name}, {result.machine.cpu_logical_count} logical)"


def _headline(result: Result, energy: Estimate) -> RenderableType:
    modelled = result.boundary.kind == "modelled"
    figure, rest, rows = headline_rows(result, energy)
    line = Text(figure, style="bold yellow" if modelled else "bold green")
    line.append(f" {rest}", style="default")
    line.append("   modelled, NOT measured" if modelled else "   measured", style="bold")
    return Group(line, _grid(rows))


def headline_rows(result: Result, energy: Estimate) -> tuple[str, str, list[tuple[str, str]]]:
    """The figure ("750 mWh"), what it is for, and how sure it is, a name and a value a line."""
    unit, size = energy_unit(energy.value)
    value, low, high = format_interval(_physical(energy), size)
    trials = result.measured()
    each = trials[0].work.inference_count if trials else 0
    rows = [
        (
            "repeats within",
            f"{low} to {high} {unit}   95 % interval, {energy.sample_count} trials of "
            f"{each:,} inferences",
        )
    ]
    if result.calibration is not None and result.calibration.relative_half_width > 0:
        whole = estimate_with_calibration(energy, result.calibration)
        ends = [format_number(end / size, 2) for end in (whole.low, whole.high)]
        percent = 100 * result.calibration.relative_half_width
        rows.append(
            (
                "true within",
                f"{ends[0]} to {ends[1]} {unit}   with the scale error of ±{percent:.0f} %: "
                f"{result.calibration.source}",
            )
        )
    return f"{value} {unit}", f"per 1,000 {unit_plural(result.task.unit)}", rows


def _grid(rows: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=16)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def impact_rows(result: Result, energy: Estimate, edition: str) -> Iterator[tuple[str, str]]:
    """What stands under the headline, a name and a value a line."""
    summary = result.summary
    if summary is None:
        return
    if summary.energy_joules_per_unit is not None:
        each = _plus_minus(_physical(summary.energy_joules_per_unit), 1.0)
        yield f"per {unit_label(result.task.unit)}", f"{each} J"
    if summary.duration_seconds_per_inference is not None:
        unit, size = time_unit(summary.duration_seconds_per_inference.value)
        text = _plus_minus(_physical(summary.duration_seconds_per_inference), size)
        yield "time each", f"{text} {unit}"
    # The model of the CPU knows no idle power, so that nothing stands above it.
    if summary.net_energy_kwh_per_1000 is not None and result.boundary.kind == "measured":
        unit, size = energy_unit(energy.value)
        text = _plus_minus(summary.net_energy_kwh_per_1000, size)
        yield "above idle", f"{text} {unit} per 1,000"
    whole = estimate_with_calibration(energy, result.calibration)
    yield "phone charges", _charges(whole, edition)
    yield from _carbon(whole)
    if result.quality is not None:
        q = result.quality
        span = f"{q.value:.2f} ({q.low:.2f} to {q.high:.2f}, {q.sample_count} requests)"
        yield "quality", f"{q.metric} {span}"
    if result.model.revision or result.task.dataset_revision:
        yield "versions", _versions(result)
    yield "boundary", f"{', '.join(result.boundary.domains)} ({result.boundary.kind})"
    yield "least sure of", greatest_uncertainty(result, energy)


def _versions(result: Result) -> str:
    """The commits that answered for the model and the data set, as much of them as is unique."""
    names = {
        f"model {result.model.id}": result.model.revision,
        f"data set {result.task.dataset}": result.task.dataset_revision,
    }
    return ", ".join(f"{name} at {commit[:12]}" for name, commit in names.items() if commit)


def _charges(energy: Estimate, edition: str) -> str:
    charges = equivalences.phone_charges(energy, edition)
    charge = equivalences.phone_charge(edition)
    text = f"{_rounded(charges)} per 1,000"
    if charges.value > 0:
        text += f"; one charge makes about {format_number(1000 / charges.value, 2)}"
    return f"{text}   ({1000 * charge.value:g} Wh a charge: {charge.edition})"


def _carbon(energy: Estimate) -> Iterator[tuple[str, str]]:
    """Grams of CO2e on each grid, those of one basis together; never a ratio across bases."""
    bases: dict[str, list[str]] = {}
    for key in carbon.SHOWN:
        found, fact = carbon.co2e_grams(energy, key), carbon.grid_factor(key)
        bases.setdefault(f"{found.basis}, {fact.edition}", []).append(
            f"{_rounded(found)} g {fact.label} ({fact.value:g} g/kWh)"
        )
    for index, (basis, texts) in enumerate(bases.items()):
        apart = "; another basis, not to be compared with the line above" if index else ""
        yield "CO2e per 1,000", f"{', '.join(texts)}   {basis}{apart}"


def _rounded(quantity: DerivedQuantity) -> str:
    """A derived figure with the range that the energy's whole uncertainty gives it."""
    value, low, high = (format_number(n, 2) for n in (quantity.value, quantity.low, quantity.high))
    return f"{value} ({low} to {high})"


def _physical(estimate: Estimate) -> Estimate:
    """The estimate as it can be: neither time nor gross energy goes below zero."""
    return estimate.model_copy(update={"low": min(estimate.value, max(0.0, estimate.low))})


def _plus_minus(estimate: Estimate, size: float) -> str:
    value, low, high = format_interval(estimate, size)
    return f"{value} ({low} to {high})"


def _warnings(result: Result) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=16)
    table.add_column(overflow="fold")
    for warning in result.warnings:
        bars = warning.blocks_ranking
        mark = Text("✗ blocks ranking" if bars else "! note", style="red" if bars else "yellow")
        table.add_row(mark, Text.assemble(warning.message, " ", (warning.remedy, "dim")))
    return table


def _failure(failure: Failure) -> Text:
    return Text(f"Failed at {failure.stage} ({failure.code}): {failure.message}", style="bold red")


def _spaced(parts: list[RenderableType]) -> Iterator[RenderableType]:
    for index, part in enumerate(parts):
        if index:
            yield Text()
        yield part


def print_summary(result: Result, path: Path, edition: str, stream: Any) -> None:
    """Print what a person reads of a result."""
    from rich.console import Console

    print_result(
        result, path, Console(file=stream, highlight=False), edition, suggested_command(path)
    )


def suggested_command(path: Path) -> str:
    """The next command, as the reader would type it here."""
    if Path("Makefile").is_file() and Path("bench/task.py").is_file():
        return f"make submit RESULT={path} && make board plots"
    return f"joulebench submit {path} && joulebench board"
