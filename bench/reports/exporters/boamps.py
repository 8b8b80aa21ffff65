"""BoAmps 1.1: a report of the energy of one task, as JSON by the schema of Boavizta's BoAmps.

Source: https://github.com/Boavizta/BoAmps, model/report_schema.json.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from bench.impact.regions import Region
from bench.reports.exporters import ExportOptions, _common
from bench.reports.exporters._common import RunTotals, totals_with_energy
from bench.results.domains import Domain
from bench.results.record import Result
from bench.results.statistics import relative_half_width

SUFFIX = ".json"
VERSION = "1.1.0"
SPECIFICATION = "https://github.com/Boavizta/BoAmps/tree/main/model"
GIGABYTE = 10**9  # bytes; BoAmps states memory in GB
OUTPUT_TYPES = {"text-gen": "token", "image-gen": "image"}


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One report a result."""
    return _common.json_bytes([_report(totals, options) for totals in totals_with_energy(results)])


def _report(totals: RunTotals, options: ExportOptions) -> dict[str, Any]:
    result = totals.result
    report = {
        "header": {
            "licensing": "Creative Commons 4.0",
            "formatVersion": VERSION,
            "formatVersionSpecificationUri": SPECIFICATION,
            "reportId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"joulebench:{result.run_id}")),
            "reportDatetime": _when(result),
            "reportStatus": "final",
        },
        "task": _task(totals),
        "measures": [_measure(totals)],
        "system": {"os": result.machine.operating_system},
        "software": {"language": "python", "version": result.machine.python_version},
        "infrastructure": _infrastructure(result, options.region),
        "quality": _quality(totals),
    }
    if options.region is not None:
        report["environment"] = _environment(options.region)
    return report


def _task(totals: RunTotals) -> dict[str, Any]:
    result = totals.result
    output = OUTPUT_TYPES.get(result.task.id, "other")
    task: dict[str, Any] = {
        "taskStage": "inference",
        "taskFamily": result.task.id,
        "nbRequest": totals.inference_count,
        "algorithms": [
            {
                "foundationModelName": result.model.id,
                "framework": result.backend.name,
                "quantization": result.model.dtype or "unknown",
            }
        ],
        "dataset": [
            {"dataUsage": "input", "dataType": "text", "dataQuantity": totals.inference_count},
            {"dataUsage": "output", "dataType": output},
        ],
        "taskDescription": f"{totals.statement}; data set {result.task.dataset}",
    }
    if result.model.parameter_count:
        # BoAmps counts parameters in billions.
        task["algorithms"][0]["parametersNumber"] = result.model.parameter_count / 1e9
    quality = result.quality
    if quality is not None and 0 <= quality.value <= 1 and quality.metric == "accuracy":
        task["measuredAccuracy"] = quality.value
    return task


def _measure(totals: RunTotals) -> dict[str, Any]:
    methods = {r.domain: r for trial in totals.result.measured() for r in trial.readings}
    modes = {"gpu": "gpuTrackingMode", "cpu-package": "cpuTrackingMode"}
    tracked = {
        modes[Domain.parse(domain).kind]: f"{reading.meter}, {reading.method}"
        for domain, reading in methods.items()
        if Domain.parse(domain).kind in modes
    }
    return {
        "measurementMethod": f"joulebench, {totals.statement}",
        "version": totals.result.joulebench_version,
        **tracked,
        "powerConsumption": totals.energy_kwh,
        "measurementDuration": totals.duration_seconds,
        "measurementDateTime": _when(totals.result),
    }


def _infrastructure(result: Result, region: Region | None) -> dict[str, Any]:
    machine = result.machine
    cloud = region is not None and ":" in region.key
    components: list[dict[str, Any]] = [
        {"componentName": machine.cpu_name, "componentType": "cpu", "nbComponent": 1},
        {
            "componentType": "ram",
            "nbComponent": 1,
            "memorySize": machine.memory_bytes / GIGABYTE,
        },
    ]
    for device in machine.used_gpus:
        gpu = {"componentName": device.name, "componentType": "gpu", "nbComponent": 1}
        memory = device.memory_bytes
        components.append(gpu | ({"memorySize": memory / GIGABYTE} if memory else {}))
    infrastructure: dict[str, Any] = {"infraType": "publicCloud" if cloud else "other"}
    if cloud and region is not None:
        infrastructure["cloudProvider"] = region.key.partition(":")[0]
    return infrastructure | {"components": components}


def _environment(region: Region) -> dict[str, Any]:
    from bench.impact import facts

    factor = region.factor()
    country = facts.grids().get(region.places[-1])
    return {
        "country": country.label if country else region.label,
        "location": region.label,
        **({"powerSourceCarbonIntensity": factor.value} if factor else {}),
    }


def _quality(totals: RunTotals) -> str:
    """BoAmps' class of the relative error with calibration: "high" to 10 %, "medium" to 25 %."""
    scatter = relative_half_width(totals.per_1000) if totals.per_1000 else None
    calibration = (
        totals.result.calibration.relative_half_width if totals.result.calibration else 0.0
    )
    error = max(scatter or 0.0, calibration)
    return "high" if error <= 0.1 else "medium" if error <= 0.25 else "low"


def _when(result: Result) -> str:
    return result.created_at.replace("T", " ").removesuffix("Z")
