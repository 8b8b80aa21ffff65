"""Schema of a tracked program; its totals, carbon and phone charges."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from bench.impact import equivalences, regions
from bench.impact.facts import DerivedQuantity, derive
from bench.results import domains, units
from bench.results.calibration import boundary_calibration, with_calibration
from bench.results.fields import Name, Record, Seconds
from bench.results.interval import NORMAL_95
from bench.results.machine_record import Machine
from bench.results.record import Boundary, Calibration, Estimate, MeasurementWarning, Reading
from bench.results.statistics import CONFIDENCE
from bench.results.warning_catalogue import make_warning, missing_energy_warning


class ProgramRecord(Record):
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
    calibration: Calibration | None
    readings: tuple[Reading, ...]
    machine: Machine
    warnings: tuple[MeasurementWarning, ...]


def load(path: Path) -> ProgramRecord | None:
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
        return ProgramRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(
            f"{path} is no valid record of a program: {where}: {first['msg']}"
        ) from None


def total_energy(
    readings: Sequence[Reading], boundary: Boundary, calibration: Calibration | None
) -> Estimate | None:
    """Energy in kWh over a boundary, None where a domain of it has none.

    The interval is 95 %, with the scale error added in quadrature; a model has that error alone.
    """
    mine = [reading for reading in readings if reading.domain in boundary.domains]
    joules = [reading.energy_joules for reading in mine if reading.energy_joules is not None]
    if not mine or len(joules) < len(boundary.domains):
        return None
    value = math.fsum(joules)
    half = 0.0
    if boundary.kind == "measured":
        half = NORMAL_95 * math.hypot(*(r.standard_uncertainty_joules or 0.0 for r in mine))
    value, low, high = (units.kwh_from_joules(end) for end in (value, value - half, value + half))
    energy = Estimate(value=value, low=low, high=high, confidence_level=CONFIDENCE, sample_count=1)
    return with_calibration(energy, calibration.relative_half_width if calibration else 0.0)


def warnings_of(
    readings: Sequence[Reading],
    boundary: Boundary,
    calibration: Calibration | None,
    machine: Machine,
) -> tuple[MeasurementWarning, ...]:
    """What a reader should know, each with its remedy: of the sensors, and of domains without one."""
    found = [warning for reading in readings for warning in reading.warnings]
    if boundary.kind == "modelled" and calibration is not None:
        found.append(make_warning("energy-modelled", percent=100 * calibration.relative_half_width))
    read = {reading.domain for reading in readings}
    found += [missing_energy_warning(d, machine.sensors) for d in boundary.domains if d not in read]
    return tuple(found)


def boundary_of(machine: Machine) -> tuple[Boundary, Calibration | None]:
    """What the program is billed for, as a run would be, and the scale error of that."""
    boundary = domains.measurement_boundary(machine)
    return boundary, boundary_calibration(boundary, machine.sensors)


def energy_with_pue(track: ProgramRecord) -> Estimate | None:
    """The energy in kWh with the building's share (PUE), where the user gave one."""
    energy = track.energy_kwh
    if energy is None or track.pue is None:
        return energy
    ends = {end: getattr(energy, end) * track.pue for end in ("value", "low", "high")}
    return energy.model_copy(update=ends)


def carbon(track: ProgramRecord) -> list[DerivedQuantity]:
    """Grams of CO2e by every basis that is published for the region, the nearest place first.

    Without a region: on the cleanest and on the dirtiest grid of one basis, and the world's.
    """
    energy = energy_with_pue(track)
    if energy is None:
        return []
    if track.region is None:
        found = [region.factor(regions.LIFE_CYCLE) for region in regions.all_regions()]
        grids = sorted((fact for fact in found if fact), key=lambda fact: fact.value)
        world = regions.find("world").factor(regions.LIFE_CYCLE)
        chosen = [grids[0], world, grids[-1]]
    else:
        region = regions.find(track.region)
        chosen = [*(region.factor(basis) for basis in regions.BASES), region.market]
    facts = dict.fromkeys(fact for fact in chosen if fact is not None)
    return [derive(energy, fact.value, "gCO2e", fact) for fact in facts]


def charges(track: ProgramRecord, edition: str) -> DerivedQuantity | None:
    """Smartphone charges of the same energy; the building's share is in neither."""
    if track.energy_kwh is None:
        return None
    return equivalences.phone_charges(track.energy_kwh, edition)


def document(track: ProgramRecord, edition: str) -> dict[str, Any]:
    """The record with its meaning, ready for JSON."""
    found = charges(track, edition)
    return {
        **track.model_dump(mode="json"),
        "footprint": {
            "co2e": [quantity.as_json() for quantity in carbon(track)],
            "phone_charges": found.as_json() if found else None,
        },
    }
