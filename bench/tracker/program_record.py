"""Schema of a tracked program's record; its total energy, emissions and phone charges."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from bench.results import record_v1, units, views
from bench.results.calibration import boundary_calibration, with_calibration
from bench.results.fields import Name, Record, Seconds
from bench.results.interval import NORMAL_95, Interval
from bench.results.machine_record import Machine
from bench.results.record import Boundary, Calibration, Estimate, MeasurementWarning, Reading
from bench.results.statistics import CONFIDENCE
from bench.results.versions import __version__
from bench.results.warning_catalogue import make_warning, missing_energy_warning

if TYPE_CHECKING:
    from bench.impact.facts import DerivedQuantity, Fact

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class ProgramRecord(Record):
    """One tracked program or block of code.

    `status` is "running" until the program ends; it stays so if the tracker was killed.
    `name` is the program's file or the user's name for it; arguments may hold secrets and are not
    recorded. `energy_kwh` is the total over the boundary with its 95 % interval, calibration
    uncertainty included; it is None where a domain of the boundary could not be read. `pue` is the
    power usage effectiveness that the user stated; no energy here is multiplied by it.
    """

    kind: Literal["track"] = "track"
    schema_version: Literal[2] = 2
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

    @property
    def nonnegative_kwh(self) -> Interval | None:
        """`energy_kwh` with ends of at least zero: noise can put a short program's below it."""
        energy = self.energy_kwh
        if energy is None:
            return None
        return Interval(*(max(0.0, end) for end in (energy.value, energy.low, energy.high)))


def load(path: Path) -> ProgramRecord | None:
    """Read a program's record of schema version 1 or 2.

    Returns None where the file cannot be read as JSON or is of another kind. Raises ValueError with
    one sentence where it is of this kind and not valid.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        if not isinstance(content, dict) or content.get("kind") != "track":
            return None
        if content.get("schema_version") == 1:
            text = json.dumps(record_v1.upgrade_program(content))
    except (OSError, ValueError, RecursionError):
        return None
    try:
        return ProgramRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ValueError(
            f"{path} is no valid record of a program: {field}: {first['msg']}"
        ) from None


def make_record(
    readings: Sequence[Reading],
    machine: Machine,
    more_warnings: Iterable[MeasurementWarning] = (),
    **fields: Any,
) -> ProgramRecord:
    """The record of a program with the energy of its boundary, which is that of a run.

    `fields` are those that do not follow from the readings. The warnings are those of the
    readings, of a modelled boundary and of domains without a reading, then `more_warnings`.
    """
    boundary = views.measurement_boundary(machine)
    calibration = boundary_calibration(boundary, machine.sensors)
    warnings = [warning for reading in readings for warning in reading.warnings]
    if boundary.kind == "modelled" and calibration is not None:
        percent = 100 * calibration.relative_half_width
        warnings.append(make_warning("energy-modelled", percent=percent))
    read = {reading.domain for reading in readings}
    for domain in boundary.domains:
        if domain not in read:
            warnings.append(missing_energy_warning(domain, machine.sensors))
    return ProgramRecord(
        joulebench_version=__version__,
        boundary=boundary,
        energy_kwh=total_energy(readings, boundary, calibration),
        calibration=calibration,
        readings=tuple(readings),
        machine=machine,
        warnings=(*warnings, *more_warnings),
        **fields,
    )


def total_energy(
    readings: Sequence[Reading], boundary: Boundary, calibration: Calibration | None
) -> Estimate | None:
    """Energy in kWh over a boundary, None where a domain of it has none.

    The 95 % interval is the sensors' standard uncertainties and the calibration uncertainty, added
    in quadrature; a modelled energy has the calibration uncertainty alone.
    """
    inside = [reading for reading in readings if reading.domain in boundary.domains]
    joules = [reading.energy_joules for reading in inside if reading.energy_joules is not None]
    if not inside or len(joules) < len(boundary.domains):
        return None
    value = math.fsum(joules)
    low = high = value
    if boundary.kind == "measured":
        half = NORMAL_95 * math.hypot(*(r.standard_uncertainty_joules or 0.0 for r in inside))
        low -= half + math.fsum(reading.tail_joules_below for reading in inside)
        high += half + math.fsum(reading.tail_joules_above for reading in inside)
    value, low, high = (units.kwh_from_joules(end) for end in (value, low, high))
    energy = Estimate(value=value, low=low, high=high, confidence_level=CONFIDENCE, sample_count=1)
    return with_calibration(energy, calibration.relative_half_width if calibration else 0.0)


def emissions(record: ProgramRecord) -> list[DerivedQuantity]:
    """Grams of CO2e, the PUE included: by the nearest factor, then by others of the region itself.

    Without a region: on the cleanest grid, the world's and the dirtiest of the life-cycle basis.
    Empty without an energy.
    """
    from bench.impact import regions
    from bench.impact.facts import derive

    if record.nonnegative_kwh is None:
        return []
    energy = record.nonnegative_kwh * (record.pue or 1.0)
    if record.region is None:
        factors = [region.factor(regions.LIFE_CYCLE) for region in regions.all_regions()]
        grids = sorted((fact for fact in factors if fact), key=lambda fact: fact.value)
        world = regions.find("world").factor(regions.LIFE_CYCLE)
        selected: list[Fact | None] = [grids[0], world, grids[-1]]
    else:
        region = regions.find(record.region)
        own = (region.own_factor(basis) for basis in regions.BASES)
        selected = [region.factor(), *own, region.market]
    facts = dict.fromkeys(fact for fact in selected if fact is not None)
    return [derive(energy, fact.value, "gCO2e", fact) for fact in facts]


def record_with_impact(record: ProgramRecord, edition: str) -> dict[str, Any]:
    """The record with its emissions and phone charges (`footprint`), ready for JSON.

    `edition` names the phone charge, such as "epa-current". Raises ValueError where it is unknown.
    """
    from bench.impact import equivalences

    energy = record.nonnegative_kwh
    charges = None if energy is None else equivalences.phone_charges(energy, edition).as_json()
    co2e = [quantity.as_json() for quantity in emissions(record)]
    return {
        **record.model_dump(mode="json"),
        "footprint": {"co2e": co2e, "phone_charges": charges},
    }
