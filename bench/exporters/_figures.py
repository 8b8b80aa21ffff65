"""What every form is made of: the energy of a result over its boundary, and what it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bench.exporters import Kind
from bench.results import statistics, units, views
from bench.results.record import Estimate, Result

NOT_MEASURED = "energy modelled, NOT measured"
PARTS = {"gpu": "gpu", "cpu-package": "cpu", "dram": "ram"}


@dataclass(frozen=True)
class Figures:
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


def figures(result: Result) -> Figures:
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
    return Figures(
        result=result,
        label=f"{result.task.id} {result.model.id}",
        energy_kwh=_kwh(result, domains),
        parts_kwh=parts,
        duration_seconds=math.fsum(trial.duration_seconds for trial in trials),
        inference_count=sum(trial.work.inference_count for trial in trials),
        per_1000=views.headline_energy(result),
        kind="modelled" if modelled else "measured",
    )


def with_energy(results: list[Result]) -> list[Figures]:
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
