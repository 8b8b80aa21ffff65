"""Totals of a run and JSON shared by the forms."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.reports.exporters import ImportedEnergy, Kind
from bench.results import statistics, units, views
from bench.results.record import Estimate, Result

NOT_MEASURED = "energy modelled, NOT measured"


PARTS = {"gpu": "gpu", "cpu-package": "cpu", "dram": "ram"}


@dataclass(frozen=True)
class RunTotals:
    """The measured trials of a result as one: energy in kWh by part, time, and the count."""

    result: Result
    label: str
    energy_kwh: float | None
    parts_kwh: dict[str, float]
    duration_seconds: float
    inference_count: int
    per_1000: Estimate | None
    kind: Kind

    @property
    def modelled(self) -> bool:
        """Whether the energy comes from a model and not from a sensor."""
        return self.kind == "modelled"

    @property
    def how(self) -> str:
        """Where the energy comes from and what is inside, in words."""
        inside = views.boundary_label(self.result)
        return f"{NOT_MEASURED} ({inside})" if self.modelled else f"energy measured ({inside})"


def figures(result: Result) -> RunTotals:
    """The figures of a result. Its energy is None where a reading of its boundary is missing."""
    trials = result.measured()
    domains = result.boundary.domains
    modelled = views.is_modelled(result)
    if modelled and result.boundary.kind == "measured":
        domains = statistics.modelled_domains(list(trials))
    parts: dict[str, float] = {}
    for kind in dict.fromkeys(domain.partition(":")[0] for domain in domains):
        energy = _kwh(result, [d for d in domains if d.partition(":")[0] == kind])
        if energy is not None:
            parts[PARTS.get(kind, kind)] = energy
    return RunTotals(
        result=result,
        label=f"{result.task.id} {result.model.id}",
        energy_kwh=_kwh(result, domains),
        parts_kwh=parts,
        duration_seconds=math.fsum(trial.duration_seconds for trial in trials),
        inference_count=sum(trial.work.inference_count for trial in trials),
        per_1000=views.headline_energy(result),
        kind="modelled" if modelled else "measured",
    )


def with_energy(results: list[Result]) -> list[RunTotals]:
    """The figures of all results. Raises ValueError where one has no energy to pass on."""
    found = [figures(result) for result in results]
    for each in found:
        if each.energy_kwh is None:
            raise ValueError(f"{each.label} ({each.result.run_id}) has no energy to export")
    if not found:
        raise ValueError("there is no result to export")
    return found


def _kwh(result: Result, domains: list[str] | tuple[str, ...]) -> float | None:
    energies = [statistics.energy_joules(trial, domains) for trial in result.measured()]
    read = [joules for joules in energies if joules is not None]
    if not read or len(read) < len(energies):
        return None
    return units.kwh_from_joules(math.fsum(read))


NAME = "joulebench"


def write(objects: list[dict[str, Any]]) -> bytes:
    """The objects as JSON; floats keep every digit."""
    content = objects[0] if len(objects) == 1 else objects
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def ours(found: RunTotals) -> dict[str, Any]:
    """What a form has no field for: where the energy comes from, over what, and of which run."""
    result, per_1000 = found.result, found.per_1000
    return {
        "version": result.joulebench_version,
        "run_id": result.run_id,
        "created_at": result.created_at,
        "label": found.label,
        "kind": found.kind,
        "statement": found.how,
        "boundary": list(result.boundary.domains),
        "energy_kwh": found.energy_kwh,
        "duration_seconds": found.duration_seconds,
        "inference_count": found.inference_count,
        "energy_kwh_per_1000": per_1000
        and {"value": per_1000.value, "low": per_1000.low}
        | {"high": per_1000.high, "confidence_level": per_1000.confidence_level},
    }


def read(data: bytes, block: Callable[[dict[str, Any]], Any]) -> list[ImportedEnergy]:
    """What the `ours` of each object says; `block` finds it.

    Raises ValueError where the file is not JSON or an object has none.
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None
    objects = content if isinstance(content, list) else [content]
    try:
        return [imported(block(each)) for each in objects]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ValueError(
            "not a file of JouleBench in this form: its own block is missing"
        ) from None


def imported(block: dict[str, Any]) -> ImportedEnergy:
    """An `ours` as what it says. Raises KeyError, TypeError or ValueError where it is none."""
    return ImportedEnergy(
        label=str(block["label"]),
        energy_kwh=float(block["energy_kwh"]),
        duration_seconds=float(block["duration_seconds"]),
        inference_count=int(block["inference_count"]),
        kind="modelled" if block["kind"] == "modelled" else "measured",
        note="",
    )
