from __future__ import annotations

import sys
from pathlib import Path

from bench.impact import equivalences
from bench.tracker import emissions, summary
from bench.tracker.program_record import ProgramRecord


def show(track: ProgramRecord, edition: str = equivalences.DEFAULT_EDITION) -> None:
    """Print the summary on standard error. `edition` names the phone charge to compare with."""
    from rich.console import Console

    summary.show(track, Console(file=sys.stderr, highlight=False), edition, "not saved")


def append(track: ProgramRecord, path: str | Path) -> None:
    """Add a row to a file in CodeCarbon's 38 columns. Raises ValueError where it has others."""
    emissions.append(track, Path(path))
