"""One progress line from events."""

from __future__ import annotations

from typing import TextIO

from bench.reports.program_summary import _duration
from bench.results import units
from bench.results.formatting import energy_unit, format_number
from bench.tracker.program_record import ProgramRecord


class Progress:
    """One line on a terminal, written over and over; nothing where nobody looks."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream if stream.isatty() else None

    def __call__(self, track: ProgramRecord) -> None:
        """Show the energy so far. The cursor waits at the line's start, for the program's words."""
        if self._stream is not None:
            self._stream.write(f"\r\033[K· {energy_so_far(track)}\r")
            self._stream.flush()

    def clear(self) -> None:
        """Wipe the line."""
        if self._stream is not None:
            self._stream.write("\r\033[K")
            self._stream.flush()


def energy_so_far(track: ProgramRecord) -> str:
    """The energy up to now in one short line."""
    energy = track.energy_kwh
    if energy is None:
        return f"{_duration(track.duration_seconds)} · energy: not read yet"
    unit, size = energy_unit(energy.value)
    watts = units.joules_from_kwh(energy.value) / max(track.duration_seconds, 1e-9)
    figure = f"{format_number(energy.value / size)} {unit} so far"
    kind = ", modelled" if track.boundary.kind == "modelled" else ""
    return f"{_duration(track.duration_seconds)} · {figure} · {format_number(watts, 2)} W{kind}"


class ProgressLine:
    """Says what a run is at, a line a step; on a terminal the trials share one line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._shared = stream, False

    def __call__(self, text: str) -> None:
        self.clear()
        self._shared = self._stream.isatty() and text.startswith("trial ")
        self._stream.write(f"· {text}" + ("" if self._shared else "\n"))
        self._stream.flush()

    def clear(self) -> None:
        """Wipe the shared line."""
        if self._shared:
            self._stream.write("\r\033[K")
            self._shared = False
