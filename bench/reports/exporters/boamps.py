"""BoAmps 1.1: a report of the energy of one task, as JSON by the schema of Boavizta's BoAmps.

Source: https://github.com/Boavizta/BoAmps, model/report_schema.json.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from bench.reports.exporters import ExportOptions, _common
from bench.reports.exporters._common import RunTotals, totals_with_energy
from bench.results.domains import Domain
from bench.results.record import Result
from bench.results.statistics import relative_half_width

SUFFIX = ".json"
TEMPLATE = Path(__file__).with_name("boamps.json.jinja")
OUTPUT_TYPES = {"text-gen": "token", "image-gen": "image"}
TRACKING_MODES = {"gpu": "gpuTrackingMode", "cpu-package": "cpuTrackingMode"}


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One report a result."""
    return _common.json_bytes([_report(totals, options) for totals in totals_with_energy(results)])


def _report(totals: RunTotals, options: ExportOptions) -> dict[str, Any]:
    from bench.impact import facts

    result, region, quality = totals.result, options.region, totals.result.quality
    provider, cloud, _ = region.key.partition(":") if region else ("", "", "")
    country = facts.grids().get(region.places[-1]) if region else None
    has_accuracy = quality and quality.metric == "accuracy" and 0 <= quality.value <= 1
    template = jinja2.Template(
        TEMPLATE.read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined
    )
    text = template.render(
        totals=totals,
        result=result,
        report_id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"joulebench:{result.run_id}")),
        created=result.created_at.replace("T", " ").removesuffix("Z"),
        output_type=OUTPUT_TYPES.get(result.task.id, "other"),
        accuracy=quality.value if quality and has_accuracy else None,
        tracking_modes=_tracking_modes(result),
        provider=provider if cloud else None,
        quality=_quality(totals),
        region=region,
        country=country.label if country else region and region.label,
    )
    report: dict[str, Any] = json.loads(text)
    return report


def _tracking_modes(result: Result) -> dict[str, str]:
    """Meter and method of GPU and CPU by BoAmps' names."""
    readings = {r.domain: r for trial in result.measured() for r in trial.readings}
    kinds = {Domain.parse(domain).kind: reading for domain, reading in readings.items()}
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
