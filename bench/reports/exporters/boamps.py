"""BoAmps 1.1: a report of the energy of one task, as JSON by the schema of Boavizta's BoAmps.

Source: https://github.com/Boavizta/BoAmps, model/report_schema.json.
"""

from __future__ import annotations

import csv
import math
import uuid
from collections.abc import Sequence
from pathlib import Path

from bench.impact import facts
from bench.reports.exporters import ExportOptions
from bench.reports.exporters._common import RunTotals, json_bytes, single, totals_with_energy
from bench.results.domains import DomainKind, kind_of
from bench.results.formatting import interval_text
from bench.results.record import Result
from bench.system import registry

SUFFIX = ".json"
TRACKING_MODES = {
    "gpu": "gpuTrackingMode",
    "cpu-package": "cpuTrackingMode",
    "cpu-time": "cpuTrackingMode",
}
DATA_TYPES = Path(__file__).with_name("boamps_data_types.csv")


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """The report of one result. Raises ValueError for several.

    The report has a licence where `options` has one: its publisher chooses it.
    """
    totals = single(totals_with_energy(results), "BoAmps")
    result = totals.result
    input_type, output_type = _data_types(result)
    region = options.region
    provider, cloud, _ = region.key.partition(":") if region else ("", "", "")
    country = facts.grids().get(region.places[-1]) if region else None
    packages = [d for d in result.machine.devices if kind_of(d.domain) == DomainKind.cpu_package]
    energy = totals.energy_range_kwh
    context = {
        "totals": totals,
        "result": result,
        "report_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"joulebench:{result.run_id}")),
        "licence": options.licence,
        "input_type": input_type,
        "output_type": output_type,
        "output_count": _output_count(totals, output_type),
        "energy_range": f", {interval_text(energy)} kWh with calibration uncertainty"
        if energy
        else "",
        "tracking_modes": _tracking_modes(result),
        "cpu_count": max(1, len(packages)),
        "provider": provider if cloud else None,
        "quality": _quality(totals),
        "region": region,
        "country": country or region,
    }
    return json_bytes("boamps.json.jinja", [context])


def _data_types(result: Result) -> tuple[str, str]:
    """BoAmps' types of input and output of a task, "other" for one that is not known."""
    known = result.task.id in registry.names("task")
    tag = registry.task_tag(result.task.id) if known else None
    with DATA_TYPES.open(encoding="utf-8", newline="") as file:
        types = {row["tag"]: (row["input"], row["output"]) for row in csv.DictReader(file)}
    return types.get(tag or "", ("other", "other"))


def _output_count(totals: RunTotals, output_type: str) -> int:
    """Output tokens where the outputs are tokens and were counted, else one for each inference."""
    counts = [trial.work.output_token_count for trial in totals.result.measured()]
    tokens = sum(count for count in counts if count is not None)
    return tokens if output_type == "token" and None not in counts else totals.inference_count


def _tracking_modes(result: Result) -> dict[str, str]:
    """Meter and method of GPU and CPU by BoAmps' names."""
    readings = {r.domain: r for trial in result.measured() for r in trial.readings}
    kinds = {kind_of(domain): reading for domain, reading in readings.items()}
    return {
        TRACKING_MODES[kind]: f"{reading.meter}, {reading.method}"
        for kind, reading in kinds.items()
        if kind in TRACKING_MODES
    }


def _quality(totals: RunTotals) -> str | None:
    """BoAmps' class of the relative error: "high" to 10 %, "medium" to 25 %, "low" to 50 %.

    The error is the larger side of the range with calibration uncertainty. None above 50 %, for
    which BoAmps has no class, and where the range is not known.
    """
    energy = totals.energy_range_kwh
    error = math.inf
    if energy is not None and energy.value > 0:
        error = max(energy.high - energy.value, energy.value - energy.low) / energy.value
    classes = (("high", 0.1), ("medium", 0.25), ("low", 0.5))
    return next((name for name, limit in classes if error <= limit), None)
