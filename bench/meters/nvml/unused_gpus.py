"""The GPUs of a machine that a run does not use: a plain difference of the counter, told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.meters.nvml.gpu_sensor import METER, USUAL_STEP_SECONDS
from bench.system import nvidia_driver
from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.results.machine_record import Device
    from bench.results.record import Reading

Look = tuple[float, float]


"""When, in seconds, and what the counter said, in joules."""


def looks(devices: Sequence[Device], clock: Clock) -> dict[str, Look]:
    """One look at each counter by domain; those that can't be read are left out."""
    return {d.domain: look for d in devices if (look := _look(d, clock)) is not None}


def _look(device: Device, clock: Clock) -> Look | None:
    try:
        return clock.now(), nvidia_driver.energy_joules(device.uuid or "")
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return None


def readings(
    devices: Sequence[Device],
    before: Mapping[str, Look],
    clock: Clock,
    began: float,
    ended: float,
) -> list[Reading]:
    """The energy of each GPU, scaled to the window between `began` and `ended`."""
    return [_reading(d, before.get(d.domain), _look(d, clock), began, ended) for d in devices]


def _reading(
    device: Device, first: Look | None, last: Look | None, began: float, ended: float
) -> Reading:
    """Its uncertainty is that of a step at each end."""
    from bench.results.record import Reading
    from bench.results.warning_catalogue import make_warning

    energy = spread = None
    warnings = []
    if first is None or last is None:
        reason = "the GPU is not in use and its counter can't be read"
        warnings.append(make_warning("energy-missing", domain=device.domain, reason=reason))
    elif last[1] < first[1]:
        warnings.append(make_warning("counter-reset", domain=device.domain))
    else:
        power = (last[1] - first[1]) / max(last[0] - first[0], 1e-9)
        energy = power * (ended - began)
        spread = power * USUAL_STEP_SECONDS / 6**0.5
    return Reading(
        domain=device.domain,
        meter=METER,
        method="counter",
        energy_joules=energy,
        standard_uncertainty_joules=spread,
        duration_seconds=ended - began,
        warnings=tuple(warnings),
    )
