"""OpenTelemetry's hw.energy and hw.power as an OpenMetrics text file, as Prometheus spells them.

Source: OpenTelemetry semantic conventions for common hardware metrics (in development).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from bench.reports.exporters import ExportOptions, ImportedEnergy
from bench.reports.exporters._common import NOT_MEASURED, RunTotals, with_energy
from bench.results.record import Result

SUFFIX = ".prom"


TYPES = {"gpu": "gpu", "cpu-package": "cpu", "dram": "memory"}


FAMILIES = (
    ("hw_energy_joules", "counter", "hw.energy: energy of a component over the measured trials"),
    ("hw_power_watts", "gauge", "hw.power: mean power of a component over the measured trials"),
    (
        "hw_host_energy_joules",
        "counter",
        "hw.host.energy: energy of the whole machine, at the wall",
    ),
    ("hw_host_power_watts", "gauge", "hw.host.power: mean power of the whole machine, at the wall"),
    ("joulebench_energy_kilowatt_hours", "gauge", "energy of a run over its boundary"),
    ("joulebench_duration_seconds", "gauge", "duration of the measured trials of a run"),
    ("joulebench_inferences", "gauge", "inferences served in the measured trials of a run"),
)


SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$")


LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """Every component of the boundary of every result, and the totals of each run."""
    samples: dict[str, list[str]] = {name: [] for name, _, _ in FAMILIES}
    for found in with_energy(list(results)):
        for name, labels, value in _samples(found):
            suffix = "_total" if name.endswith("_joules") else ""
            text = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            samples[name].append(f"{name}{suffix}{{{text}}} {value!r}")
    lines: list[str] = []
    for name, kind, about in FAMILIES:
        if not samples[name]:
            continue
        unit = name.removeprefix("joulebench_energy_").rpartition("_")[2]
        lines += [f"# TYPE {name} {kind}"]
        lines += [f"# UNIT {name} {unit}"] if name.endswith(("joules", "watts", "seconds")) else []
        lines += [f"# HELP {name} {about}", *samples[name]]
    return ("\n".join([*lines, "# EOF"]) + "\n").encode()


def read(data: bytes) -> list[ImportedEnergy]:
    """The runs of such a file. Raises ValueError where it is none."""
    runs: dict[str, dict[str, Any]] = {}
    for line in data.decode("utf-8", errors="replace").splitlines():
        match = SAMPLE.match(line)
        if match and match[1].startswith("joulebench_"):
            labels = {key: _plain(text) for key, text in LABEL.findall(match[2])}
            run = runs.setdefault(labels.get("run_id", ""), {"labels": labels})
            run[match[1]] = match[3]
    if not runs:
        raise ValueError("no run of JouleBench is in it")
    try:
        return [_imported(run) for run in runs.values()]
    except (KeyError, ValueError):
        raise ValueError("a run lacks its energy, time or count") from None


def _samples(found: RunTotals) -> Iterator[tuple[str, dict[str, str], float]]:
    result = found.result
    run = {"run_id": result.run_id, "task": result.task.id, "model": result.model.id}
    readings = [r for trial in result.measured() for r in trial.readings]
    for domain in dict.fromkeys(reading.domain for reading in readings):
        mine = [reading for reading in readings if reading.domain == domain]
        joules = [r.energy_joules for r in mine if r.energy_joules is not None]
        if len(joules) == len(mine):
            part = _component(result, domain) | run | _energy(mine[0].method == "modelled")
            energy, seconds = math.fsum(joules), math.fsum(r.duration_seconds for r in mine)
            name = "hw" if part["hw_type"] in TYPES.values() else "hw_host"
            yield f"{name}_energy_joules", part, energy
            yield f"{name}_power_watts", part, energy / seconds
    run |= _energy(found.modelled)
    yield "joulebench_energy_kilowatt_hours", run, found.energy_kwh or math.nan
    yield "joulebench_duration_seconds", run, found.duration_seconds
    yield "joulebench_inferences", run, float(found.inference_count)


def _component(result: Result, domain: str) -> dict[str, str]:
    names = {device.domain: device.name for device in result.machine.devices}
    kind = TYPES.get(domain.partition(":")[0], "host")
    name = names.get(domain, result.machine.cpu_name)
    return {"hw_id": domain, "hw_type": kind, "hw_name": name}


def _energy(modelled: bool) -> dict[str, str]:
    return {"energy": NOT_MEASURED if modelled else "measured"}


def _imported(run: dict[str, Any]) -> ImportedEnergy:
    labels = run["labels"]
    return ImportedEnergy(
        label=f"{labels['task']} {labels['model']}",
        energy_kwh=float(run["joulebench_energy_kilowatt_hours"]),
        duration_seconds=float(run["joulebench_duration_seconds"]),
        inference_count=int(float(run["joulebench_inferences"])),
        kind="modelled" if labels["energy"] == NOT_MEASURED else "measured",
        note="",
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _plain(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
