"""A result on the terminal: energy with its intervals, equivalences, quality, warnings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.text import Text

from bench.impact import carbon, equivalences
from bench.impact.facts import DerivedQuantity
from bench.reports.text_layout import name_value_table, print_blocks, warnings_table
from bench.results import statistics
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.formatting import (
    energy_unit,
    format_count,
    format_interval,
    format_number,
    printable,
    time_unit,
    unit_label,
    unit_plural,
)
from bench.results.record import Estimate, Result

MODELLED, MEASURED = "modelled, NOT measured", "measured"


def print_result(
    result: Result, path: Path, console: Console, edition: str, next_step: str | None = None
) -> None:
    """Print the summary of a run; `edition` selects the figure for one phone charge.

    `path` is where the record is saved, `next_step` the command that may follow: by default submit.
    """
    blocks: list[RenderableType] = [result_title(result)]
    energy = result.summary.energy_kwh_per_1000 if result.summary else None
    failure = result.failure
    if failure is not None:
        text = f"Failed at {failure.stage} ({failure.code}): {failure.message}"
        blocks.append(Text(text, style="bold red"))
    elif energy is not None:
        blocks += [_headline(result, energy), name_value_table(detail_rows(result, edition))]
    else:
        blocks.append(Text("No energy could be read; the warnings say why.", style="bold red"))
    if result.warnings:
        blocks.append(warnings_table(result.warnings))
    print_blocks(blocks, console, below=0)
    # Paths and commands are for copying, so they are not wrapped.
    saved = f"\n  saved  {path}\n  next   {next_step or next_command(path)}\n"
    console.print(saved, soft_wrap=True, markup=False)


def result_title(result: Result) -> Text:
    """One line: task, model, parameters, precision, batch size, device."""
    random = " (random weights)" if result.model.weights == "random" else ""
    parts = [
        result.model.dtype or "no dtype",
        f"batch {result.model.settings.get('batch_size')}",
        _device(result),
    ]
    if result.model.parameter_count:
        parts.insert(0, f"{format_count(result.model.parameter_count)} parameters")
    name = printable(f"{result.task.id} · {result.model.id}{random}")
    return Text.assemble((name, "bold"), printable("".join(f" · {part}" for part in parts)))


def headline(result: Result, energy: Estimate) -> tuple[str, str]:
    """The energy ("750 mWh") and its denominator ("per 1,000 images")."""
    unit, size = energy_unit(energy.value)
    value = format_interval(_nonnegative(energy), size)[0]
    return f"{value} {unit}", f"per 1,000 {unit_plural(result.task.unit)}"


def interval_rows(result: Result, energy: Estimate) -> list[tuple[str, str]]:
    """The two intervals of the energy: repeatability alone, and with calibration uncertainty."""
    unit, size = energy_unit(energy.value)
    _, low, high = format_interval(_nonnegative(energy), size)
    rows = [("95 % interval (repeatability)", f"{low} to {high} {unit}")]
    if _calibration(result) > 0:
        wide = with_calibration(energy, calibration_half_width(result))
        low, high = (format_number(end / size, 2) for end in (wide.low, wide.high))
        rows.append(("range with calibration uncertainty", f"{low} to {high} {unit}"))
    return rows


def detail_rows(result: Result, edition: str) -> Iterator[tuple[str, str]]:
    """The lines below the headline, as names and values; none for a result without energy.

    Raises ValueError for an unknown `edition` of the phone charge.
    """
    summary = result.summary
    energy = summary.energy_kwh_per_1000 if summary else None
    if summary is None or energy is None:
        return
    if summary.energy_joules_per_unit is not None:
        name = f"per {unit_label(result.task.unit)}"
        yield name, f"{_text(_nonnegative(summary.energy_joules_per_unit), 1.0)} J"
    if summary.duration_seconds_per_inference is not None:
        duration = summary.duration_seconds_per_inference
        unit, size = time_unit(duration.value)
        yield "duration", f"{_text(_nonnegative(duration), size)} {unit} per inference"
    # The CPU model has no idle power, so modelled energy has no net figure.
    if summary.net_energy_kwh_per_1000 is not None and result.boundary.kind == "measured":
        unit, size = energy_unit(energy.value)
        text = _text(summary.net_energy_kwh_per_1000, size)
        yield "net of idle", f"{text} {unit} per 1,000"
    wide = with_calibration(energy, calibration_half_width(result))
    yield "phone charges", _charges(wide, edition)
    yield "CO2e per 1,000", "\n".join(_carbon(wide))
    if result.quality is not None:
        q = result.quality
        interval = f"{q.value:.2f} ({q.low:.2f} to {q.high:.2f})"
        yield (
            "quality",
            f"{q.metric} {interval}, {q.sample_count} request{'s' * (q.sample_count != 1)}",
        )
    if result.model.revision or result.task.dataset_revision:
        yield "versions", _versions(result)
    yield "boundary", f"{', '.join(result.boundary.domains)} ({result.boundary.kind})"
    trials = result.measured()
    if trials:
        count = trials[0].work.inference_count
        yield "trials", f"{energy.sample_count} of {count:,} inferences each"
    if result.calibration is not None and _calibration(result) > 0:
        yield "calibration", f"±{100 * _calibration(result):.0f} %: {result.calibration.source}"
    yield "main uncertainty", main_uncertainty(result, energy)


def main_uncertainty(result: Result, energy: Estimate) -> str:
    """The larger of repeatability and calibration uncertainty, with both half-widths."""
    repeatability = statistics.relative_half_width(energy) or 0.0
    text = f"repeatability ±{100 * repeatability:.1f} %"
    if _calibration(result) < repeatability:
        return text
    source = "CPU model" if result.boundary.kind == "modelled" else "sensor calibration"
    return f"{source} ±{100 * _calibration(result):.0f} % ({text})"


def next_command(path: Path) -> str:
    """The command that submits a result: by make in a checkout, else by joulebench."""
    if Path("Makefile").is_file() and Path("bench/task.py").is_file():
        return f"make submit RESULT={path} && make board plots"
    return f"joulebench submit {path} && joulebench board"


def _headline(result: Result, energy: Estimate) -> RenderableType:
    modelled = result.boundary.kind == "modelled"
    value, denominator = headline(result, energy)
    line = Text.assemble(
        (value, "bold yellow" if modelled else "bold green"),
        f" {denominator}   ",
        (MODELLED if modelled else MEASURED, "bold"),
    )
    return Group(line, name_value_table(interval_rows(result, energy)))


def _device(result: Result) -> str:
    if result.machine.used_gpus:
        return ", ".join(d.name for d in result.machine.used_gpus)
    return f"CPU ({result.machine.cpu_name}, {result.machine.cpu_logical_count} logical)"


def _calibration(result: Result) -> float:
    """Relative half-width of the calibration uncertainty; 0 where the record states none."""
    return result.calibration.relative_half_width if result.calibration else 0.0


def _versions(result: Result) -> str:
    """The commits of model and data set, their first 12 digits."""
    commits = {
        f"model {result.model.id}": result.model.revision,
        f"data set {result.task.dataset}": result.task.dataset_revision,
    }
    return ", ".join(f"{name} at {commit[:12]}" for name, commit in commits.items() if commit)


def _charges(energy: Estimate, edition: str) -> str:
    charges = equivalences.phone_charges(energy, edition)
    charge = equivalences.phone_charge(edition)
    text = (
        f"{_rounded(charges)} per 1,000\none charge: {1000 * charge.value:g} Wh ({charge.edition})"
    )
    if charges.value > 0:
        text += f", {format_number(1000 / charges.value, 2)} inferences"
    return text


def _carbon(energy: Estimate) -> Iterator[str]:
    """Grams of CO2e on each grid, the grids of one basis together, each basis named."""
    bases: dict[str, list[str]] = {}
    for key in carbon.DEFAULT_GRIDS:
        mass, grid = carbon.co2e_grams(energy, key), carbon.grid_factor(key)
        line = f"  {_rounded(mass)} g   {grid.label} ({grid.value:g} g/kWh)"
        bases.setdefault(f"{grid.basis}, {grid.edition}", []).append(line)
    for index, (basis, lines) in enumerate(bases.items()):
        yield f"{basis}{' (not comparable with above)' if index else ''}:"
        yield from lines


def _rounded(quantity: DerivedQuantity) -> str:
    """A derived quantity and its range, two digits each."""
    ends = (quantity.value, quantity.low, quantity.high)
    value, low, high = (format_number(end, 2) for end in ends)
    return f"{value} ({low} to {high})"


def _nonnegative(estimate: Estimate) -> Estimate:
    """The estimate with its low end at 0 or above: duration and gross energy are not negative."""
    return estimate.model_copy(update={"low": min(estimate.value, max(0.0, estimate.low))})


def _text(estimate: Estimate, size: float) -> str:
    value, low, high = format_interval(estimate, size)
    return f"{value} ({low} to {high})"
