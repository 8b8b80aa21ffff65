"""Views of a record: its boundary, its headline energy, labels of boundary and devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.results.domains import DomainKind, by_kind, is_gpu, kind_label, kind_of, overlap
from bench.results.fields import Setting
from bench.results.machine_record import Device, Machine, Sensor
from bench.results.record import Boundary, Estimate, Result

NOT_COUNTED = "idle power and memory not counted"  # of modelled energy


def measurement_boundary(machine: Machine) -> Boundary:
    """The boundary of a run: every GPU that it uses, read or not, and each other measured domain.

    A domain that overlaps one that is inside already, such as the wall, is left out: the same
    energy is never added twice. Modelled domains are inside only where nothing is measured and no
    GPU is used.
    """
    inside = [device.domain for device in machine.used_gpus]
    unused = {d.domain for d in machine.devices if not d.used}
    measured = _sensor_domains(machine.sensors, modelled=False)
    for domain in sorted(measured, key=lambda name: kind_of(name) == DomainKind.wall):
        if domain not in unused and not any(overlap(domain, other) for other in inside):
            inside.append(domain)
    if inside:
        return Boundary(domains=tuple(inside), kind="measured")
    modelled = tuple(_sensor_domains(machine.sensors, modelled=True))
    return Boundary(domains=modelled, kind="modelled")


def _sensor_domains(sensors: Sequence[Sensor], modelled: bool) -> list[str]:
    usable = [s for s in sensors if s.usable and (s.method == "modelled") == modelled]
    return [domain for sensor in usable for domain in sensor.domains]


def headline_energy(result: Result) -> Estimate | None:
    """Energy in kWh per 1,000 inferences: of the boundary, else the modelled energy, else None."""
    if result.summary is None:
        return None
    return result.summary.energy_kwh_per_1000 or result.summary.modelled_energy_kwh_per_1000


def is_modelled(result: Result) -> bool:
    """Whether `headline_energy` is a modelled figure."""
    not_measured = result.summary is not None and result.summary.energy_kwh_per_1000 is None
    return result.boundary.kind == "modelled" or not_measured


def boundary_label(result: Result) -> str:
    """The kinds of domains inside the boundary as text: "2 × GPU + DRAM"."""
    counts = {kind: len(names) for kind, names in by_kind(result.boundary.domains).items()}
    kinds = sorted(counts, key=lambda kind: (kind != DomainKind.gpu, kind))
    labels = [f"{counts[k]} × " * (counts[k] > 1) + kind_label(k) for k in kinds]
    return " + ".join(labels) or "nothing"


def device_labels(result: Result) -> tuple[str, ...]:
    """The devices inside the boundary, each with its power limit if it has one."""
    return tuple(sorted({device_label(result, domain) for domain in result.boundary.domains}))


def int_setting(values: Mapping[str, Setting], name: str) -> int | None:
    """An integer setting of a record; None where it is missing or of another type."""
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def device_of(result: Result, domain: str) -> Device | None:
    """The device of a domain; None where the machine lists none."""
    return next((d for d in result.machine.devices if d.domain == domain), None)


def device_label(result: Result, domain: str) -> str:
    """The device behind a domain with its power limit, if it has one."""
    device = device_of(result, domain)
    if device is None:
        return "unknown device" if is_gpu(domain) else result.machine.cpu_name
    limit = device.power_limit_watts
    return device.name if limit is None else f"{device.name} at {limit:.0f} W"
