"""A block of code under `track()`, as the record that a tracked program leaves.

with track() as measurement:
    train()
record = block.record(measurement, "training", region="FR", pue=1.2)
block.show(record)
block.append(record, "emissions.csv")
"""

from __future__ import annotations

import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

from bench.impact import equivalences, regions
from bench.results.versions import __version__
from bench.tracker import emissions, summary
from bench.tracker.record import Track, boundary_of, doubts_of, total
from bench.tracking import Measurement

__all__ = ["append", "record", "show"]


def record(
    measurement: Measurement, name: str, region: str | None = None, pue: float | None = None
) -> Track:
    """The record of a block that has ended: its energy over the boundary, in kWh, and all else.

    Raises ValueError where the block has not ended, the region is unknown or the PUE below 1.
    """
    if measurement.machine is None or measurement.duration_seconds is None:
        raise ValueError("the block has not ended yet: call this after the with statement")
    if pue is not None and not 1 <= pue < 100:
        raise ValueError(f"a PUE of {pue:g} can't be: it is 1 or more")
    boundary, gain = boundary_of(measurement.machine)
    return Track(
        track_id=uuid.uuid4().hex[:12],
        name=name[:300],
        created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        joulebench_version=__version__,
        status="done",
        exit_code=None,
        duration_seconds=measurement.duration_seconds,
        tracker_cpu_seconds=None,
        region=None if region is None else regions.find(region).key,
        pue=pue,
        boundary=boundary,
        energy_kwh=total(measurement.readings, boundary, gain),
        gain=gain,
        readings=measurement.readings,
        machine=measurement.machine,
        doubts=doubts_of(measurement.readings, boundary, gain, measurement.machine),
    )


def show(track: Track, edition: str = equivalences.DEFAULT_EDITION) -> None:
    """Print the summary on standard error. `edition` names the phone charge to compare with."""
    from rich.console import Console

    summary.show(track, Console(file=sys.stderr, highlight=False), edition, "not saved")


def append(track: Track, path: str | Path) -> None:
    """Add a row to a file in CodeCarbon's 38 columns. Raises ValueError where it has others."""
    emissions.append(track, Path(path))
