"""What a result is on the board: its energy, boundary and devices, and why it has no rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from bench.results.domains import NAMES
from bench.results.fields import Setting
from bench.results.machine_record import Device
from bench.results.record import Estimate, Result


def headline_energy(result: Result) -> Estimate | None:
    """Energy in kWh per 1,000 inferences: that of the boundary, else the modelled one, or None."""
    if result.summary is None:
        return None
    return result.summary.energy_kwh_per_1000 or result.summary.modelled_energy_kwh_per_1000


def is_modelled(result: Result) -> bool:
    """Whether `energy` is a modelled figure."""
    nothing_read = result.summary is not None and result.summary.energy_kwh_per_1000 is None
    return result.boundary.kind == "modelled" or nothing_read


def boundary_label(result: Result) -> str:
    """The kinds of domains that are inside the figure, in words: "2 GPU + DRAM"."""
    counts = Counter(domain.split(":")[0] for domain in result.boundary.domains)
    kinds = sorted(counts, key=lambda kind: (kind != "gpu", kind))
    words = [f"{counts[k]} × " * (counts[k] > 1) + NAMES.get(k, k) for k in kinds]
    return " + ".join(words) or "nothing"


def device_labels(result: Result) -> tuple[str, ...]:
    """The devices inside the boundary, each with its power limit if it has one."""
    return tuple(sorted({device_label(result, domain) for domain in result.boundary.domains}))


def int_setting(values: Mapping[str, Setting], name: str) -> int | None:
    """A whole number among the settings of a record; None where there is none of this name."""
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _device(result: Result, domain: str) -> Device | None:
    return next((d for d in result.machine.devices if d.domain == domain), None)


def device_label(result: Result, domain: str) -> str:
    """The device behind a domain with its power limit, if it has one."""
    device = _device(result, domain)
    if device is None:
        gpu = domain.startswith("gpu")
        return "unknown device" if gpu else result.machine.cpu_name
    limit = device.power_limit_watts
    return device.name if limit is None else f"{device.name} at {limit:.0f} W"
