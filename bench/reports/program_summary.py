"""A tracked program on the terminal."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.impact import equivalences, regions
from bench.impact.facts import DerivedQuantity
from bench.results.formatting import (
    energy_unit,
    format_nonnegative,
    format_number,
    format_rough,
    printable,
)
from bench.results.record import Estimate, Reading
from bench.results.statistics import CONFIDENCE
from bench.tracker import program_record
from bench.tracker.program_record import ProgramRecord


def print_program(track: ProgramRecord, console: Console, edition: str, where: str) -> None:
    """Print the summary. `where` says what became of the record."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True, min_width=16)
    table.add_column(overflow="fold")
    for name, value in (*_energy(track), *_meaning(track, edition), *_about(track)):
        table.add_row(name, value)
    console.print(Padding(_headline(track), (1, 2, 1, 2)))
    console.print(Padding(table, (0, 2, 0, 2)))
    if track.warnings:
        console.print(Padding(_warnings(track), (1, 2, 0, 2)))
    console.print(f"\n  {where}\n", soft_wrap=True, markup=False)


def _headline(track: ProgramRecord) -> Text:
    head = Text(f"{printable(track.name)}", style="bold")
    head.append(f" · {_duration(track.duration_seconds)}{_ended(track)}\n\n", style="not bold")
    energy = track.energy_kwh
    if energy is None:
        return head.append("The energy could not be read; the warnings say why.", style="bold red")
    unit, size = energy_unit(energy.value)
    value, low, high = format_rough(energy.value / size, energy.low / size, energy.high / size)
    modelled = track.boundary.kind == "modelled"
    head.append(f"{value} {unit}", style="bold yellow" if modelled else "bold green")
    head.append("   modelled, NOT measured" if modelled else "   measured")
    return head.append(f"   ({low} to {high} {unit})", style="not bold")


def _ended(track: ProgramRecord) -> str:
    if track.status == "running":
        return " so far, or until the tracker was killed"
    code = track.exit_code or 0
    if code > 128 and code - 128 in set(signal.Signals):
        return f", ended by {signal.Signals(code - 128).name}"
    return f", ended with exit code {code}" if code else ""


def _energy(track: ProgramRecord) -> Iterator[tuple[str, str]]:
    for reading in track.readings:
        inside = reading.domain in track.boundary.domains
        outside = "" if inside else "   not in the figure above"
        yield reading.domain, f"{_joules(reading)}{outside}"
    if track.calibration is not None:
        percent = 100 * track.calibration.relative_half_width
        yield "scale error", f"±{percent:.0f} %, in the figure above: {track.calibration.source}"


def _joules(reading: Reading) -> str:
    energy = reading.energy_joules
    if energy is None:
        return "could not be read"
    power = f"{format_number(energy / max(reading.duration_seconds, 1e-9), 3)} W"
    low, high = reading.low_joules, reading.high_joules
    if reading.method == "modelled" or low is None or high is None:
        return f"{format_number(energy)} J, {power}   {reading.method}"
    found = Estimate(value=energy, low=low, high=high, confidence_level=CONFIDENCE, sample_count=1)
    value, *ends = format_nonnegative(found)
    return f"{value} J ({' to '.join(ends)}), {power}   {reading.method}, {reading.meter}"


def _meaning(track: ProgramRecord, edition: str) -> Iterator[tuple[str, str]]:
    found = program_record.charges(track, edition)
    if found is not None:
        yield "phone charges", f"{_span(found)}   ({found.fact.edition})"
    building = f", PUE {track.pue:g} counted" if track.pue else ""
    for index, quantity in enumerate(program_record.carbon(track)):
        apart = "; another basis, not to be compared with the line above"
        basis = f"{quantity.fact.basis}, {quantity.fact.edition}{building}"
        basis += apart if index and track.region is not None else ""
        yield "" if index else "CO2e", f"{_span(quantity)} g   {quantity.fact.label}, {basis}"
    if track.region is None and track.energy_kwh is not None:
        yield "", "Where it ran is not known: the cleanest grid, the world's, the dirtiest."


def _about(track: ProgramRecord) -> Iterator[tuple[str, str]]:
    if track.pue is None and track.region is not None:
        known = regions.find(track.region).pue
        said = f" (its provider states {known.value:g})" if known else ""
        yield "building", f"cooling and power supplies are not counted: --pue 1.2 does{said}"
    domains = ", ".join(track.boundary.domains) or "nothing"
    yield "boundary", f"{domains} ({track.boundary.kind})"
    if track.tracker_cpu_seconds is not None:
        share = track.tracker_cpu_seconds / max(track.duration_seconds, 1e-9)
        cost = f"{track.tracker_cpu_seconds:.2f} s of CPU ({100 * share:.1f} %), not counted"
        yield "the tracker", cost


def _span(quantity: DerivedQuantity) -> str:
    if quantity.value == 0:
        return "0"
    value, low, high = format_rough(quantity.value, quantity.low, quantity.high)
    return f"{value} ({low} to {high})"


def _warnings(track: ProgramRecord) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=16)
    table.add_column(overflow="fold")
    for warning in track.warnings:
        table.add_row(
            Text("! note", style="yellow"),
            Text.assemble(warning.message, " ", (warning.remedy, "dim")),
        )
    return table


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def print_measurement(track: ProgramRecord, edition: str = equivalences.DEFAULT_EDITION) -> None:
    """Print the summary on standard error. `edition` names the phone charge to compare with."""
    from rich.console import Console

    print_program(track, Console(file=sys.stderr, highlight=False), edition, "not saved")
