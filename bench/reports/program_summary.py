"""The record of a tracked program as text for the terminal: the summary, and the progress line."""

from __future__ import annotations

import signal
from pathlib import Path

from rich.console import Console, RenderableType

from bench.impact import equivalences, regions
from bench.reports.text_layout import print_blocks, template_blocks, warnings_table
from bench.results import units
from bench.results.formatting import energy_unit, format_number
from bench.tracker.program_record import ProgramRecord, emissions


def print_program(record: ProgramRecord, console: Console, edition: str, saved: str) -> None:
    """Print the summary of a program.

    `edition` names the phone charge, such as "epa-current"; `saved` is the last line, which says
    where the record lies or why it was not saved.
    """
    kwh = record.nonnegative_kwh
    region = regions.find(record.region) if record.region is not None else None
    blocks: list[RenderableType] = template_blocks(
        Path(__file__).with_name("program.jinja"),
        record=record,
        duration=_duration(record.duration_seconds),
        end=_end(record),
        charges=None if kwh is None else equivalences.phone_charges(kwh, edition),
        emissions=emissions(record),
        stated_pue=region.pue if region else None,
    )
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
    watts = energy.value * units.JOULES_PER_KWH / max(record.duration_seconds, 1e-9)
    modelled = ", modelled" if record.boundary.kind == "modelled" else ""
    return (
        f"{_duration(record.duration_seconds)} · {format_number(energy.value / size)} {unit} so far"
        f" · {format_number(watts, 2)} W{modelled}"
    )


def _end(record: ProgramRecord) -> str:
    if record.status == "running":
        return " so far, or until the tracker was killed"
    code = record.exit_code or 0
    if code > 128 and code - 128 in set(signal.Signals):
        return f", ended by {signal.Signals(code - 128).name}"
    return f", ended with exit code {code}" if code else ""


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
