"""The record of a tracked program as text for the terminal: the summary, and the progress line."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.text import Text

from bench.impact import equivalences, regions
from bench.impact.facts import DerivedQuantity
from bench.reports.text_layout import name_value_table, print_blocks, warnings_table
from bench.results import units
from bench.results.formatting import (
    energy_unit,
    format_nonnegative,
    format_number,
    format_rough,
    printable,
)
from bench.results.record import Estimate, Reading
from bench.results.statistics import CONFIDENCE
from bench.tracker.program_record import ProgramRecord, emissions

Rows = Iterator[tuple[str, str]]


def print_program(record: ProgramRecord, console: Console, edition: str, saved: str) -> None:
    """Print the summary of a program.

    `edition` names the phone charge, such as "epa-current"; `saved` is the last line, which says
    where the record lies or why it was not saved.
    """
    rows = (*_energy(record), *_impact(record, edition), *_details(record))
    blocks: list[RenderableType] = [_headline(record), name_value_table(rows)]
    if record.warnings:
        blocks.append(warnings_table(record.warnings, ranked=False))
    print_blocks(blocks, console, below=0)
    console.print(f"\n  {saved}\n", soft_wrap=True, markup=False)


def energy_so_far(record: ProgramRecord) -> str:
    """One short line about a running program: its duration, energy and mean power."""
    energy = record.energy_kwh
    if energy is None:
        return f"{_duration(record.duration_seconds)} · energy: not read yet"
    unit, size = energy_unit(energy.value)
    watts = units.joules_from_kwh(energy.value) / max(record.duration_seconds, 1e-9)
    modelled = ", modelled" if record.boundary.kind == "modelled" else ""
    return (
        f"{_duration(record.duration_seconds)} · {format_number(energy.value / size)} {unit} so far"
        f" · {format_number(watts, 2)} W{modelled}"
    )


def _headline(record: ProgramRecord) -> Text:
    head = Text(printable(record.name), style="bold")
    head.append(f" · {_duration(record.duration_seconds)}{_end(record)}\n\n", style="not bold")
    energy = record.energy_kwh
    if energy is None:
        sentence = "The energy could not be read; the warnings say why."
        return head.append(sentence, style="bold red")
    unit, size = energy_unit(energy.value)
    value, low, high = format_rough(energy.value / size, energy.low / size, energy.high / size)
    modelled = record.boundary.kind == "modelled"
    head.append(f"{value} {unit}", style="bold yellow" if modelled else "bold green")
    head.append("   modelled, NOT measured" if modelled else "   measured")
    return head.append(f"   ({low} to {high} {unit})", style="not bold")


def _end(record: ProgramRecord) -> str:
    if record.status == "running":
        return " so far, or until the tracker was killed"
    code = record.exit_code or 0
    if code > 128 and code - 128 in set(signal.Signals):
        return f", ended by {signal.Signals(code - 128).name}"
    return f", ended with exit code {code}" if code else ""


def _energy(record: ProgramRecord) -> Rows:
    for reading in record.readings:
        inside = reading.domain in record.boundary.domains
        outside = "" if inside else "   not in the figure above"
        yield reading.domain, f"{_reading(reading)}{outside}"
    if record.calibration is not None:
        percent = 100 * record.calibration.relative_half_width
        source = record.calibration.source
        yield "calibration", f"±{percent:.0f} %, included in the range above: {source}"


def _reading(reading: Reading) -> str:
    energy = reading.energy_joules
    if energy is None:
        return "could not be read"
    power = f"{format_number(energy / max(reading.duration_seconds, 1e-9), 3)} W"
    low, high = reading.low_joules, reading.high_joules
    if reading.method == "modelled" or low is None or high is None:
        return f"{format_number(energy)} J, {power}   {reading.method}"
    interval = Estimate(
        value=energy, low=low, high=high, confidence_level=CONFIDENCE, sample_count=1
    )
    value, *ends = format_nonnegative(interval)
    return f"{value} J ({' to '.join(ends)}), {power}   {reading.method}, {reading.meter}"


def _impact(record: ProgramRecord, edition: str) -> Rows:
    if record.nonnegative_kwh is not None:
        charges = equivalences.phone_charges(record.nonnegative_kwh, edition)
        yield "phone charges", f"{_with_range(charges)}   ({charges.fact.edition})"
    pue = f", PUE {record.pue:g} included" if record.pue else ""
    for index, quantity in enumerate(emissions(record)):
        basis = f"{quantity.fact.basis}, {quantity.fact.edition}{pue}"
        if index and record.region is not None:
            basis += "; another basis, not comparable with the line above"
        yield "" if index else "CO2e", f"{_with_range(quantity)} g   {quantity.fact.label}, {basis}"
    if record.region is None and record.energy_kwh is not None:
        yield "", "No --region: the cleanest grid, the world's mean, the dirtiest grid."


def _details(record: ProgramRecord) -> Rows:
    if record.pue is None and record.region is not None:
        stated = regions.find(record.region).pue
        hint = f" (the provider states {stated.value:g})" if stated else ""
        yield "building", f"cooling and power supply are not included; --pue 1.2 does{hint}"
    domains = ", ".join(record.boundary.domains) or "nothing"
    yield "boundary", f"{domains} ({record.boundary.kind})"
    if record.tracker_cpu_seconds is not None:
        share = record.tracker_cpu_seconds / max(record.duration_seconds, 1e-9)
        cpu = f"{record.tracker_cpu_seconds:.2f} s of CPU time ({100 * share:.1f} %)"
        yield "tracker", f"{cpu}, not included"


def _with_range(quantity: DerivedQuantity) -> str:
    if quantity.value == 0:
        return "0"
    value, low, high = format_rough(quantity.value, quantity.low, quantity.high)
    return f"{value} ({low} to {high})"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
