"""A result on the terminal: energy with its intervals, equivalences, quality, warnings."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.text import Text

from bench.impact import carbon, equivalences
from bench.reports.text_layout import name_value_table, print_blocks, template_rows, warnings_table
from bench.results import statistics, views
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.formatting import (
    energy_unit,
    format_count,
    format_interval,
    format_number,
    printable,
    unit_plural,
)
from bench.results.record import Estimate, Result

BUSY_CODES = ("cpu-shared", "machine-busy")  # stated directly under the headline
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
    if result.calibration is not None and result.calibration.relative_half_width > 0:
        wide = with_calibration(energy, calibration_half_width(result))
        low, high = (format_number(end / size, 2) for end in (wide.low, wide.high))
        rows.append(("range with calibration uncertainty", f"{low} to {high} {unit}"))
    return rows


def detail_rows(result: Result, edition: str) -> list[tuple[str, str]]:
    """The lines below the headline, as names and values; none for a result without energy.

    Raises ValueError for an unknown `edition` of the phone charge.
    """
    energy = result.summary.energy_kwh_per_1000 if result.summary else None
    if energy is None:
        return []
    wide = with_calibration(energy, calibration_half_width(result))
    charges = equivalences.phone_charges(wide, edition)
    return template_rows(
        "terminal.txt.jinja",
        result=result,
        energy=energy,
        repeatability=statistics.relative_half_width(energy) or 0.0,
        calibration=result.calibration.relative_half_width if result.calibration else 0.0,
        charges=charges,
        co2e=[carbon.co2e_grams(wide, grid) for grid in carbon.DEFAULT_GRIDS],
        nonnegative=_nonnegative,
        not_counted=views.NOT_COUNTED,
    )


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
    busy = [item for item in result.warnings if item.code in BUSY_CODES]
    notes = [Text(printable(item.message), style="bold red") for item in busy]
    return Group(line, *notes, name_value_table(interval_rows(result, energy)))


def _device(result: Result) -> str:
    if result.machine.used_gpus:
        return ", ".join(d.name for d in result.machine.used_gpus)
    return f"CPU ({result.machine.cpu_name}, {result.machine.cpu_logical_count} logical)"


def _nonnegative(estimate: Estimate) -> Estimate:
    """The estimate with its low end at 0 or above: duration and gross energy are not negative."""
    return estimate.model_copy(update={"low": min(estimate.value, max(0.0, estimate.low))})
