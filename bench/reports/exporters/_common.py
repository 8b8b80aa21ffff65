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
from bench.results import statistics, views
from bench.results.domains import by_kind
from bench.results.escaping import csv_safe, json_environment
from bench.results.record import Estimate, Result

NOT_MEASURED = "energy modelled, NOT measured"
COMPONENTS = {"gpu": "gpu", "cpu-package": "cpu", "dram": "ram"}


@dataclass(frozen=True)
class RunTotals:
    """Totals of the measured trials of a result: energy in kWh, duration, inference count.

    `component_kwh` has the energy of each kind of domain: "gpu", "cpu", "ram", or the kind itself.
    """

    result: Result
    label: str
    energy_kwh: float | None
    component_kwh: dict[str, float]
    duration_seconds: float
    inference_count: int
    per_1000: Estimate | None
    kind: EnergyKind

    @property
    def modelled(self) -> bool:
        """Whether the energy comes from a model and not from a sensor."""
        return self.kind == "modelled"

    @property
    def statement(self) -> str:
        """Whether the energy was measured or modelled, and its boundary."""
        boundary = views.boundary_label(self.result)
        return f"{NOT_MEASURED if self.modelled else 'energy measured'} ({boundary})"


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
    return RunTotals(
        result=result,
        label=f"{result.task.id} {result.model.id}",
        energy_kwh=statistics.total_kwh(trials, domains),
        component_kwh=components,
        duration_seconds=math.fsum(trial.duration_seconds for trial in trials),
        inference_count=sum(trial.work.inference_count for trial in trials),
        per_1000=views.headline_energy(result),
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
    """Fields that other forms lack: measured or modelled, boundary, run, energy with interval."""
    result, per_1000 = totals.result, totals.per_1000
    return {
        "version": result.joulebench_version,
        "run_id": result.run_id,
        "created_at": result.created_at,
        "label": totals.label,
        "kind": totals.kind,
        "statement": totals.statement,
        "boundary": list(result.boundary.domains),
        "energy_kwh": totals.energy_kwh,
        "duration_seconds": totals.duration_seconds,
        "inference_count": totals.inference_count,
        "energy_kwh_per_1000": per_1000
        and per_1000.model_dump(include={"value", "low", "high", "confidence_level"}),
    }
