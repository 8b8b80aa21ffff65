"""Energy domains (gpu:0, cpu-package:0, dram:0, wall:*): kind, label; boundary of a machine."""

from __future__ import annotations

from collections.abc import Sequence

from bench.results.machine_record import Machine, Sensor
from bench.results.record import Boundary


def measurement_boundary(machine: Machine) -> Boundary:
    """What a run is billed for: every GPU that it uses, read or not, and what else is measured.

    A model of the CPU is billed only where nothing is measured and no GPU is used.
    """
    gpus = [d.domain for d in machine.devices if d.used and d.domain.startswith("gpu:")]
    sensed = _domains(machine.sensors, modelled=False)
    unused = {d.domain for d in machine.devices if not d.used}
    others = [domain for domain in sensed if domain not in gpus and domain not in unused]
    if gpus or others:
        return Boundary(domains=(*gpus, *others), kind="measured")
    return Boundary(domains=tuple(_domains(machine.sensors, modelled=True)), kind="modelled")


def _domains(sensors: Sequence[Sensor], modelled: bool) -> list[str]:
    usable = [s for s in sensors if s.usable and (s.method == "modelled") == modelled]
    return [domain for sensor in usable for domain in sensor.domains]


NAMES = {"gpu": "GPU", "cpu-package": "CPU package", "dram": "DRAM", "wall": "wall"}
