"""One progress line from events."""

from __future__ import annotations

from typing import TextIO

from bench.reports.program_summary import energy_so_far
from bench.tracker.program_record import ProgramRecord


class ProgramProgress:
    """One line about a tracked program, overwritten; nothing where the stream is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream if stream.isatty() else None

    def __call__(self, record: ProgramRecord) -> None:
        """Show the energy so far; the cursor stays at the line's start for the program's output."""
        if self._stream is not None:
            self._stream.write(f"\r\033[K· {energy_so_far(record)}\r")
            self._stream.flush()

    def clear(self) -> None:
        """Clear the line."""
        if self._stream is not None:
            self._stream.write("\r\033[K")
            self._stream.flush()


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
