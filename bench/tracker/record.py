"""What the tracker writes to disk: one frozen record per program, complete at every moment."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from bench.results import calibration, domains, units, warning_catalogue
from bench.results.fields import Name, Record, Seconds
from bench.results.machine_record import Machine
from bench.results.record import Boundary, Calibration, Estimate, Reading, Warning_
from bench.results.statistics import CONFIDENCE, NORMAL_95


class Track(Record):
    """One program. While it runs `status` is "running", and stays so if the tracker was killed.

    `name` is the program's or the user's own; its arguments may hold secrets and are not kept.
    `energy_kwh` is over the boundary; its interval holds the scale error of the sensor, or of the
    model. None is what could not be read. `pue` is what the user said of the building, or None;
    no figure here is multiplied by it.
    """

    kind: Literal["track"] = "track"
    schema_version: Literal[1] = 1
    track_id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    name: Name
    created_at: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    joulebench_version: Name
    status: Literal["running", "done"]
    exit_code: int | None
    duration_seconds: Seconds
    tracker_cpu_seconds: Seconds | None
    region: Name | None
    pue: Annotated[float, Field(ge=1)] | None
    boundary: Boundary
    energy_kwh: Estimate | None
    gain: Calibration | None
    readings: tuple[Reading, ...]
    machine: Machine
    doubts: tuple[Warning_, ...]


def load(path: Path) -> Track | None:
    """The record in a file; None where it is a record of another kind, or none at all.

    Raises ValueError with one sentence where it calls itself one and is not.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("kind") != "track":
        return None
    try:
        return Track.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(
            f"{path} is no valid record of a program: {where}: {first['msg']}"
        ) from None


def total(
    readings: Sequence[Reading], boundary: Boundary, gain: Calibration | None
) -> Estimate | None:
    """Energy in kWh over a boundary, None where a domain of it has none.

    The interval is 95 %, with the scale error added in quadrature; a model has that error alone.
    """
    mine = [reading for reading in readings if reading.domain in boundary.domains]
    joules = [reading.energy_joules for reading in mine if reading.energy_joules is not None]
    if not mine or len(joules) < len(boundary.domains):
        return None
    value = math.fsum(joules)
    scatter = 0.0
    if boundary.kind == "measured":
        scatter = math.hypot(*(reading.standard_uncertainty_joules or 0.0 for reading in mine))
    half = math.hypot(NORMAL_95 * scatter, (gain.relative_half_width if gain else 0.0) * value)
    ends = (value, min(value, max(0.0, value - half)), value + half)
    kwh, low, high = (units.kwh_from_joules(joules) for joules in ends)
    return Estimate(value=kwh, low=low, high=high, confidence_level=CONFIDENCE, sample_count=1)


def doubts_of(
    readings: Sequence[Reading], boundary: Boundary, gain: Calibration | None, machine: Machine
) -> tuple[Warning_, ...]:
    """What a reader should know, each with its cure: of the sensors, and of domains without one."""
    found = [doubt for reading in readings for doubt in reading.doubts]
    if boundary.kind == "modelled" and gain is not None:
        found.append(
            warning_catalogue.make_warning(
                "energy-modelled", percent=100 * gain.relative_half_width
            )
        )
    read = {reading.domain for reading in readings}
    found += [
        warning_catalogue.missing_energy_warning(d, machine.sensors)
        for d in boundary.domains
        if d not in read
    ]
    return tuple(found)


def boundary_of(machine: Machine) -> tuple[Boundary, Calibration | None]:
    """What the program is billed for, as a run would be, and the scale error of that."""
    boundary = domains.measurement_boundary(machine)
    return boundary, calibration.boundary_calibration(boundary, machine.sensors)
