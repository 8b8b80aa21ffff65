"""A tracked program as a row of CodeCarbon's emissions.csv."""

from __future__ import annotations

import math
from pathlib import Path

from bench.exporters import codecarbon
from bench.impact import regions
from bench.results import units
from bench.tracker.program_record import ProgramRecord


def append(track: ProgramRecord, path: Path) -> None:
    """Add the program's row. Raises ValueError where the file has other columns, and OSError."""
    codecarbon.append(path, codecarbon.row(job(track)))


def job(track: ProgramRecord) -> codecarbon.Job:
    """The program as CodeCarbon knows one: only what is in the boundary."""
    machine, energy = track.machine, track.energy_kwh
    region = regions.find(track.region) if track.region else None
    gpus = [d.name for d in machine.devices if d.used and d.domain.startswith("gpu:")]
    models = " / ".join(dict.fromkeys(gpus))
    return codecarbon.Job(
        timestamp=track.created_at.removesuffix("Z"),
        project_name=track.name,
        run_id=track.track_id,
        duration_seconds=track.duration_seconds,
        energy_kwh=energy.value if energy else None,
        cpu_kwh=_kwh(track, "cpu-package"),
        gpu_kwh=_kwh(track, "gpu"),
        ram_kwh=_kwh(track, "dram"),
        modelled=track.boundary.kind == "modelled",
        version=track.joulebench_version,
        region=region,
        pue=track.pue or 1.0,
        wue=region.wue.value if region and region.wue else None,
        os=machine.operating_system,
        python_version=machine.python_version,
        cpu_count=machine.cpu_logical_count,
        cpu_model=machine.cpu_name,
        gpu_count=len(gpus),
        gpu_model=f"{len(gpus)} x {models}" if gpus else "",
        ram_total_bytes=machine.memory_bytes,
    )


def _kwh(track: ProgramRecord, kind: str) -> float | None:
    """The energy of all domains of a kind in the boundary; None where one could not be read."""
    domains = [d for d in track.boundary.domains if d.partition(":")[0] == kind]
    read = {r.domain: r.energy_joules for r in track.readings}
    joules = [read.get(domain) for domain in domains]
    known = [value for value in joules if value is not None]
    return units.kwh_from_joules(math.fsum(known)) if known and len(known) == len(joules) else None
