"""OpenTelemetry's hw.energy and hw.power as an OpenMetrics text file, with Prometheus' names.

Source: OpenTelemetry semantic conventions for common hardware metrics (in development).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import jinja2

from bench.reports.exporters import ExportOptions
from bench.reports.exporters._common import (
    NOT_MEASURED,
    RunTotals,
    range_over,
    totals_with_energy,
)
from bench.results.domains import kind_of
from bench.results.record import Result
from bench.results.views import NOT_COUNTED

SUFFIX = ".prom"
TYPES = {"gpu": "gpu", "cpu-package": "cpu", "cpu-time": "cpu", "dram": "memory"}
TEMPLATE = Path(__file__).with_name("openmetrics.prom.jinja")


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """Every component of the boundary of every result, and the totals of each run."""
    samples: dict[str, list[tuple[dict[str, str], float]]] = {}
    for totals in totals_with_energy(results):
        for name, labels, value in _samples(totals):
            samples.setdefault(name, []).append((labels, value))
    form = jinja2.Template(TEMPLATE.read_text(encoding="utf-8"), trim_blocks=True)
    return f"{form.render(samples=samples, escaped=_escaped)}\n".encode()


def _samples(totals: RunTotals) -> Iterator[tuple[str, dict[str, str], float]]:
    result = totals.result
    run = {"run_id": result.run_id, "task": result.task.id, "model": result.model.id}
    readings = [r for trial in result.measured() for r in trial.readings]
    for domain in dict.fromkeys(reading.domain for reading in readings):
        of_domain = [reading for reading in readings if reading.domain == domain]
        joules = [r.energy_joules for r in of_domain if r.energy_joules is not None]
        if len(joules) == len(of_domain):
            part = _component(result, domain) | run | _energy(of_domain[0].method == "modelled")
            energy, seconds = math.fsum(joules), math.fsum(r.duration_seconds for r in of_domain)
            name = "hw_host" if part["hw_type"] == "host" else "hw"
            yield f"{name}_energy_joules", part, energy
            yield f"{name}_power_watts", part, energy / seconds
            spread = range_over(result, [domain])
            for end in ("low", "high") if spread else ():
                joules_at_end = getattr(spread, end)
                yield f"joulebench_component_energy_{end}_joules", part, joules_at_end
                yield f"joulebench_component_power_{end}_watts", part, joules_at_end / seconds
    run |= _energy(totals.modelled)
    yield "joulebench_energy_kilowatt_hours", run, totals.energy_kwh or math.nan
    if totals.energy_range_kwh:
        yield "joulebench_energy_low_kilowatt_hours", run, totals.energy_range_kwh.low
        yield "joulebench_energy_high_kilowatt_hours", run, totals.energy_range_kwh.high
    yield "joulebench_duration_seconds", run, totals.duration_seconds
    yield "joulebench_inferences", run, float(totals.inference_count)


def _component(result: Result, domain: str) -> dict[str, str]:
    names = {device.domain: device.name for device in result.machine.devices}
    kind = TYPES.get(kind_of(domain), "host")
    name = names.get(domain, result.machine.cpu_name)
    return {"hw_id": domain, "hw_type": kind, "hw_name": name}


def _energy(modelled: bool) -> dict[str, str]:
    return {"energy": f"{NOT_MEASURED}, {NOT_COUNTED}" if modelled else "measured"}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
