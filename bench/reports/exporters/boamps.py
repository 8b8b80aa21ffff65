"""BoAmps 1.1: a report of the energy of one task, as JSON by the schema of Boavizta's BoAmps.

Source: https://github.com/Boavizta/BoAmps, model/report_schema.json.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from bench.impact import facts
from bench.reports.exporters import ExportOptions
from bench.reports.exporters._common import RunTotals, json_bytes, totals_with_energy
from bench.results.domains import kind_of
from bench.results.record import Result
from bench.results.statistics import relative_half_width

SUFFIX = ".json"
TRACKING_MODES = {"gpu": "gpuTrackingMode", "cpu-package": "cpuTrackingMode"}


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One report a result."""
    region = options.region
    provider, cloud, _ = region.key.partition(":") if region else ("", "", "")
    country = facts.grids().get(region.places[-1]) if region else None
    contexts = [
        {
            "totals": totals,
            "result": totals.result,
            "report_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"joulebench:{totals.result.run_id}")),
            "tracking_modes": _tracking_modes(totals.result),
            "provider": provider if cloud else None,
            "quality": _quality(totals),
            "region": region,
            "country": country or region,
        }
        for totals in totals_with_energy(results)
    ]
    return json_bytes("boamps.json.jinja", contexts)


def _tracking_modes(result: Result) -> dict[str, str]:
    """Meter and method of GPU and CPU by BoAmps' names."""
    readings = {r.domain: r for trial in result.measured() for r in trial.readings}
    kinds = {kind_of(domain): reading for domain, reading in readings.items()}
    return {
        TRACKING_MODES[kind]: f"{reading.meter}, {reading.method}"
        for kind, reading in kinds.items()
        if kind in TRACKING_MODES
    }


def _quality(totals: RunTotals) -> str:
    """BoAmps' class of the relative error with calibration: "high" to 10 %, "medium" to 25 %."""
    scatter = relative_half_width(totals.per_1000) if totals.per_1000 else None
    calibration = totals.result.calibration
    error = max(scatter or 0.0, calibration.relative_half_width if calibration else 0.0)
    return "high" if error <= 0.1 else "medium" if error <= 0.25 else "low"
