"""Totals of a run, JSON and csv, shared by the export forms."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.reports.exporters import EnergyKind
from bench.results import statistics, units, views
from bench.results.calibration import (
    DEFAULT_HALF_WIDTH,
    boundary_calibration,
    calibration_half_width,
    with_calibration,
)
from bench.results.domains import by_kind
from bench.results.escaping import csv_safe, json_environment
from bench.results.formatting import interval_text
from bench.results.interval import Interval
from bench.results.record import Boundary, Estimate, Result

NOT_MEASURED = "energy modelled, NOT measured"
COMPONENTS = {"gpu": "gpu", "cpu-package": "cpu", "cpu-time": "cpu", "dram": "ram"}


@dataclass(frozen=True)
class RunTotals:
    """Totals of the measured trials of a result: energy in kWh, duration, inference count.

    `component_kwh` has the energy of each kind of domain: "gpu", "cpu", "ram", or the kind itself.
    The interval of `per_1000` is that of repeatability, the one of `calibrated_per_1000` holds
    calibration uncertainty too. Both are None where there are fewer than two trials.
    """

    result: Result
    label: str
    energy_kwh: float | None
    component_kwh: dict[str, float]
    duration_seconds: float
    inference_count: int
    per_1000: Estimate | None
    calibrated_per_1000: Estimate | None
    kind: EnergyKind

    @property
    def energy_range_kwh(self) -> Interval | None:
        """The energy of the run with calibration uncertainty in its interval."""
        return _scaled(self.energy_kwh, self.calibrated_per_1000)

    @property
    def range_text(self) -> str:
        """The energy per 1,000 inferences with its range: "0.100 (0.0945 to 0.106) kWh …"."""
        if self.calibrated_per_1000 is None:
            return "without an interval"
        energy = Interval.of(self.calibrated_per_1000)
        return f"{interval_text(energy)} kWh per 1,000 inferences, calibration uncertainty included"

    @property
    def modelled(self) -> bool:
        """Whether the energy comes from a model and not from a sensor."""
        return self.kind == "modelled"

    @property
    def statement(self) -> str:
        """Whether the energy was measured or modelled, and its boundary."""
        boundary = views.boundary_label(self.result)
        kind = f"{NOT_MEASURED}, {views.NOT_COUNTED}" if self.modelled else "energy measured"
        return f"{kind} ({boundary})"


def run_totals(result: Result) -> RunTotals:
    """The totals of a result. Its energy is None where a reading of its boundary is missing."""
    trials = result.measured()
    domains = result.boundary.domains
    modelled = views.is_modelled(result)
    if modelled and result.boundary.kind == "measured":
        domains = statistics.modelled_domains(list(trials))
    components: dict[str, float] = {}
    for kind, of_kind in by_kind(domains).items():
        energy = statistics.total_kwh(trials, of_kind)
        if energy is not None:
            components[COMPONENTS.get(kind, kind)] = energy
    per_1000 = views.headline_energy(result)
    return RunTotals(
        result=result,
        label=f"{result.task.id} {result.model.id}",
        energy_kwh=statistics.total_kwh(trials, domains),
        component_kwh=components,
        duration_seconds=math.fsum(trial.duration_seconds for trial in trials),
        inference_count=sum(trial.work.inference_count for trial in trials),
        per_1000=per_1000,
        calibrated_per_1000=per_1000 and with_calibration(per_1000, calibration_half_width(result)),
        kind="modelled" if modelled else "measured",
    )


def totals_with_energy(results: Sequence[Result]) -> list[RunTotals]:
    """The totals of all results. Raises ValueError where there is none or one has no energy."""
    totals = [run_totals(result) for result in results]
    for each in totals:
        if each.energy_kwh is None:
            raise ValueError(f"{each.label} ({each.result.run_id}) has no energy to export")
    if not totals:
        raise ValueError("there is no result to export")
    return totals


def single(totals: Sequence[RunTotals], form: str) -> RunTotals:
    """The only element. Raises ValueError for several: a file of this form holds one result."""
    if len(totals) > 1:
        raise ValueError(f"a file of {form} holds one result: export the {len(totals)} one by one")
    return totals[0]


def range_over(result: Result, domains: Sequence[str]) -> Interval | None:
    """Energy of the run in joules over some domains, calibration uncertainty included.

    None where a reading is missing or there are fewer than two trials.
    """
    modelled = {*statistics.modelled_domains(list(result.measured()))} & {*domains}
    part = Boundary(domains=tuple(domains), kind="modelled" if modelled else "measured")
    summary = statistics.summarize(
        result.trials, part, result.idle, "inference", result.analysis_version
    )
    energy = summary.energy_kwh_per_1000
    total = statistics.total_kwh(result.measured(), domains)
    if energy is None or total is None:
        return None
    calibration = boundary_calibration(part, result.machine.sensors)
    half_width = calibration.relative_half_width if calibration else DEFAULT_HALF_WIDTH
    return _scaled(total * units.JOULES_PER_KWH, with_calibration(energy, half_width))


def json_bytes(template: str, contexts: Iterable[Mapping[str, object]]) -> bytes:
    """A JSON template of this folder for each context: one object, or a list of several.

    Floats keep every digit; a value that is missing or not finite is an error.
    """
    environment = json_environment(Path(__file__).parent)
    form = environment.get_template(template, globals={"provenance": provenance})
    objects = [json.loads(form.render(context)) for context in contexts]
    content = objects[0] if len(objects) == 1 else objects
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def csv_bytes(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> bytes:
    """Rows as a csv file with a header; keys that are no column are left out.

    Floats keep every digit, None is an empty cell, and no text is a formula.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: csv_safe(cell) for key, cell in row.items()} for row in rows)
    return out.getvalue().encode()


def provenance(totals: RunTotals) -> dict[str, Any]:
    """Fields that other forms lack: measured or modelled, boundary, run, energy with intervals.

    `energy_kwh_per_1000` has the interval of repeatability, the range `energy_with_calibration_…`
    holds calibration uncertainty too.
    """
    result, per_1000, calibrated = totals.result, totals.per_1000, totals.calibrated_per_1000
    return {
        "version": result.joulebench_version,
        "run_id": result.run_id,
        "created_at": result.created_at,
        "label": totals.label,
        "kind": totals.kind,
        "statement": totals.statement,
        "boundary": list(result.boundary.domains),
        "energy_kwh": totals.energy_kwh,
        "energy_with_calibration_kwh": _ends(totals.energy_range_kwh),
        "duration_seconds": totals.duration_seconds,
        "inference_count": totals.inference_count,
        "energy_kwh_per_1000": per_1000
        and per_1000.model_dump(include={"value", "low", "high", "confidence_level"}),
        "energy_with_calibration_kwh_per_1000": _ends(calibrated),
        "calibration": result.calibration and result.calibration.model_dump(),
    }


def _ends(figure: Interval | None) -> dict[str, float] | None:
    return None if figure is None else {"low": figure.low, "high": figure.high}


def _scaled(value: float | None, relative: Estimate | None) -> Interval | None:
    """A value with the relative interval of an estimate, and a low end of at least zero."""
    if value is None or relative is None or relative.value <= 0:
        return None
    low, high = (value * (end / relative.value) for end in (relative.low, relative.high))
    return Interval(value, min(value, max(0.0, low)), max(value, high))
