"""BoAmps 1.1: a report of the energy of one task, as JSON by the schema of Boavizta's BoAmps.

Source: https://github.com/Boavizta/BoAmps, model/report_schema.json.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from bench.impact.regions import Region
from bench.reports.exporters import ExportOptions, ImportedEnergy, _common
from bench.reports.exporters._common import NOT_MEASURED, RunTotals, with_energy
from bench.results.record import Result
from bench.results.statistics import relative_half_width

SUFFIX = ".json"


VERSION = "1.1.0"


SPECIFICATION = "https://github.com/Boavizta/BoAmps/tree/main/model"


GIGABYTE = 10**9


KINDS = {"text-gen": "token", "image-gen": "image"}


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One report a result."""
    return _common.write([_report(found, options) for found in with_energy(list(results))])


def read(data: bytes) -> list[ImportedEnergy]:
    """The energy that a report states. Raises ValueError where it is none."""
    return _common.read(data, _block)


def _block(report: dict[str, Any]) -> dict[str, Any]:
    """A report as a block of ours: it holds all that there is to read."""
    measure, task = report["measures"][0], report["task"]
    return {
        "label": f"{task['taskFamily']} {task['algorithms'][0]['foundationModelName']}",
        "energy_kwh": measure["powerConsumption"],
        "duration_seconds": measure["measurementDuration"],
        "inference_count": task["nbRequest"],
        "kind": "modelled" if NOT_MEASURED in task["taskDescription"] else "measured",
    }


def _report(found: RunTotals, options: ExportOptions) -> dict[str, Any]:
    result = found.result
    report = {
        "header": {
            "licensing": "Creative Commons 4.0",
            "formatVersion": VERSION,
            "formatVersionSpecificationUri": SPECIFICATION,
            "reportId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"joulebench:{result.run_id}")),
            "reportDatetime": _when(result),
            "reportStatus": "final",
        },
        "task": _task(found),
        "measures": [_measure(found)],
        "system": {"os": result.machine.operating_system},
        "software": {"language": "python", "version": result.machine.python_version},
        "infrastructure": _infrastructure(result, options.region),
        "quality": _quality(found),
    }
    if options.region is not None:
        report["environment"] = _environment(options.region)
    return report


def _task(found: RunTotals) -> dict[str, Any]:
    result = found.result
    kind = KINDS.get(result.task.id, "other")
    task: dict[str, Any] = {
        "taskStage": "inference",
        "taskFamily": result.task.id,
        "nbRequest": found.inference_count,
        "algorithms": [
            {
                "foundationModelName": result.model.id,
                "framework": result.backend.name,
                "quantization": result.model.dtype or "unknown",
            }
        ],
        "dataset": [
            {"dataUsage": "input", "dataType": "text", "dataQuantity": found.inference_count},
            {"dataUsage": "output", "dataType": kind},
        ],
        "taskDescription": f"{found.how}; data set {result.task.dataset}",
    }
    if result.model.parameter_count:
        # BoAmps counts parameters in billions.
        task["algorithms"][0]["parametersNumber"] = result.model.parameter_count / 1e9
    quality = result.quality
    if quality is not None and 0 <= quality.value <= 1 and quality.metric == "accuracy":
        task["measuredAccuracy"] = quality.value
    return task


def _measure(found: RunTotals) -> dict[str, Any]:
    methods = {r.domain: r for trial in found.result.measured() for r in trial.readings}
    modes = {"gpu": "gpuTrackingMode", "cpu-package": "cpuTrackingMode"}
    tracked = {
        modes[domain.partition(":")[0]]: f"{reading.meter}, {reading.method}"
        for domain, reading in methods.items()
        if domain.partition(":")[0] in modes
    }
    return {
        "measurementMethod": f"joulebench, {found.how}",
        "version": found.result.joulebench_version,
        **tracked,
        "powerConsumption": found.energy_kwh,
        "measurementDuration": found.duration_seconds,
        "measurementDateTime": _when(found.result),
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
    for device in machine.devices:
        if device.used and device.domain.startswith("gpu:"):
            gpu = {"componentName": device.name, "componentType": "gpu", "nbComponent": 1}
            memory = device.memory_bytes
            components.append(gpu | ({"memorySize": memory / GIGABYTE} if memory else {}))
    found: dict[str, Any] = {"infraType": "publicCloud" if cloud else "other"}
    if cloud and region is not None:
        found["cloudProvider"] = region.key.partition(":")[0]
    return found | {"components": components}


def _environment(region: Region) -> dict[str, Any]:
    from bench.impact import facts

    factor = region.factor()
    country = facts.grids().get(region.places[-1])
    return {
        "country": country.label if country else region.label,
        "location": region.label,
        **({"powerSourceCarbonIntensity": factor.value} if factor else {}),
    }


def _quality(found: RunTotals) -> str:
    """BoAmps' word for the relative error, the scale error included: 10, 25 or 50 %."""
    scatter = relative_half_width(found.per_1000) if found.per_1000 else None
    calibration = found.result.calibration.relative_half_width if found.result.calibration else 0.0
    error = max(scatter or 0.0, calibration)
    return "high" if error <= 0.1 else "medium" if error <= 0.25 else "low"


def _when(result: Result) -> str:
    return result.created_at.replace("T", " ").removesuffix("Z")
