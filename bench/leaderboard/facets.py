"""What a result is on the board: its energy, boundary and devices, and why it has no rank."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import ModuleType

from bench import find
from bench.records import Device, Doubt, Estimate, Result, Setting
from bench.task import Task

DEFAULT_GAIN = 0.05
Instrument = tuple[frozenset[str], tuple[str, int] | None]
NO_RANK_CURES = {
    "failed": "The failure is the result. Run again if its reason can be mended.",
    "energy-absent": "See `joulebench doctor` for what this machine can measure.",
    "no-fingerprint": "Run a task that this version knows, on a data set that it can read.",
    "unfinished": "Run again, and let it finish.",
}
NAMES = {"gpu": "GPU", "cpu-package": "CPU package", "dram": "DRAM", "wall": "wall"}


def energy(result: Result) -> Estimate | None:
    """Energy in kWh per 1,000 inferences: that of the boundary, else the modelled one, or None."""
    if result.summary is None:
        return None
    return result.summary.energy_kwh_per_1000 or result.summary.modelled_energy_kwh_per_1000


def is_modelled(result: Result) -> bool:
    """Whether `energy` is a modelled figure."""
    nothing_read = result.summary is not None and result.summary.energy_kwh_per_1000 is None
    return result.boundary.kind == "modelled" or nothing_read


def gain_of(result: Result) -> float:
    """Relative half-width of the scale error; the default of a meter where none is stated."""
    return result.gain.relative_half_width if result.gain else DEFAULT_GAIN


def whole(found: Estimate, gain: float) -> tuple[float, float]:
    """The ends of an estimate with the scale error too, the two added in quadrature."""
    half = math.hypot((found.high - found.low) / 2, gain * found.value)
    return found.value - half, found.value + half


@lru_cache(maxsize=64)
def known_task(task_id: str) -> Task | None:
    """The task of this id, if this version has it."""
    return find.task(task_id) if task_id in find.names("task") else None


@lru_cache(maxsize=256)
def known_metric(task_id: str, dataset: str) -> ModuleType | None:
    """The room of the metric that judges this task on a data set, if this version has the task."""
    task = known_task(task_id)
    return find.module("metric", task.metric_of(dataset).room) if task else None


def boundary_words(result: Result) -> str:
    """The kinds of domains that are inside the figure, in words: "2 GPU + DRAM"."""
    counts = Counter(domain.split(":")[0] for domain in result.boundary.domains)
    kinds = sorted(counts, key=lambda kind: (kind != "gpu", kind))
    words = [f"{counts[k]} × " * (counts[k] > 1) + NAMES.get(k, k) for k in kinds]
    return " + ".join(words) or "nothing"


def devices_words(result: Result) -> tuple[str, ...]:
    """The devices inside the boundary, each with its power limit if it has one."""
    return tuple(sorted({device_words(result, domain) for domain in result.boundary.domains}))


def setting(values: Mapping[str, Setting], name: str) -> int | None:
    """A whole number among the settings of a record; None where there is none of this name."""
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def without_rank(result: Result, raised: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Why a result has no rank, with cures; empty if it ranks. `raised` are its doubts."""
    if result.failure is not None:
        message = f"Failed at {result.failure.stage}: {result.failure.message}"
        return (_no_rank("failed", message),)
    reasons = [item for item in raised if item.bars_ranking]
    if result.boundary.kind == "modelled" and not reasons:
        reasons.append(_no_rank("energy-absent", "The energy is modelled, not measured."))
    found = energy(result)
    if found is None or found.value <= 0:
        reasons.append(_no_rank("energy-absent", "There is no energy to rank by."))
    if result.task.fingerprint is None:
        message = "The workload has no fingerprint, so its equals can't be told."
        reasons.append(_no_rank("no-fingerprint", message))
    if not reasons and result.status != "done":
        reasons.append(_no_rank("unfinished", "The run did not finish."))
    return tuple({reason.message: reason for reason in reasons}.values())


def _no_rank(code: str, message: str) -> Doubt:
    return Doubt(code=code, message=message, cure=NO_RANK_CURES[code], bars_ranking=True)


def instrument(result: Result) -> Instrument | None:
    """What tells the sensors inside the boundary from others, or None where nothing does.

    The UUIDs of the GPUs speak for the machine that they sit in, with the name and the number of
    its processors where these are billed too. Without a GPU nothing tells two machines apart.
    """
    domains = result.boundary.domains
    gpus = [_device(result, domain) for domain in domains if domain.startswith("gpu:")]
    uuids = [device.uuid for device in gpus if device is not None and device.uuid]
    if not uuids or len(uuids) < len(gpus):
        return None
    packages = sum(d.domain.startswith("cpu-package:") for d in result.machine.devices)
    host = (result.machine.cpu_name, packages) if len(gpus) < len(domains) else None
    return frozenset(uuids), host


def _device(result: Result, domain: str) -> Device | None:
    return next((d for d in result.machine.devices if d.domain == domain), None)


def device_words(result: Result, domain: str) -> str:
    """The device behind a domain with its power limit, if it has one."""
    device = _device(result, domain)
    if device is None:
        gpu = domain.startswith("gpu")
        return "unknown device" if gpu else result.machine.cpu_name
    limit = device.power_limit_watts
    return device.name if limit is None else f"{device.name} at {limit:.0f} W"
