"""State of the devices in use: temperature, clocks, throttling, foreign processes, CPU load."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from bench.system import nvidia_driver
from bench.system.process import own_processes, system_cpu_seconds
from bench.system.sensor_error import SensorReadError

if TYPE_CHECKING:
    from bench.results.machine_record import Device, DeviceState, Machine
    from bench.results.throttling import ThrottleReason

T = TypeVar("T")

CPU_DOMAIN = "cpu-package:0"
THROTTLED_SECONDS = 0.001  # a reason active for less between two samples is ignored
MIN_CPU_SECONDS = 0.5  # of all CPUs; the kernel counts in ticks of 10 ms


class DeviceMonitor:
    """Samples the devices in use from before the model is loaded until the run is over."""

    def __init__(self, machine: Machine, loaded: bool = False) -> None:
        """`loaded`: this process may use the GPUs already.

        In a container its process id on the GPU is then unknown, and one of the processes on each
        GPU is taken for it.
        """
        self._gpus = machine.used_gpus
        unknown = loaded and machine.container
        self._before = {d.domain: frozenset() if unknown else _processes(d) for d in self._gpus}
        self._throttled = {d.domain: _throttled_seconds(d) for d in self._gpus}
        self._cpu_load = CpuLoad()

    def sample(self) -> tuple[DeviceState, ...]:
        """The state of each GPU in use, and the CPU's; reasons and load since the last sample."""
        from bench.results.machine_record import DeviceState

        gpus = [self._gpu_state(device) for device in self._gpus]
        cpu = DeviceState(domain=CPU_DOMAIN, other_load_fraction=self._cpu_load.sample())
        return (*gpus, cpu)

    def foreign_processes(self) -> Mapping[str, int]:
        """Number of other processes that compute on each GPU in use; GPUs with none left out."""
        counts = {
            d.domain: _foreign_count(d.uuid or "", self._before[d.domain], False)
            for d in self._gpus
        }
        return {domain: count for domain, count in counts.items() if count}

    def _gpu_state(self, device: Device) -> DeviceState:
        from bench.results.machine_record import DeviceState

        uuid = device.uuid or ""
        none: tuple[ThrottleReason, ...] = ()
        reasons = {
            *_or_default(none, nvidia_driver.throttle_reasons, uuid),
            *_or_default(none, nvidia_driver.clock_settings, uuid),
        }
        before, now = self._throttled[device.domain], _throttled_seconds(device)
        self._throttled[device.domain] = now
        reasons |= {
            reason
            for reason, seconds in now.items()
            if seconds - before.get(reason, seconds) > THROTTLED_SECONDS
        }
        return DeviceState(
            domain=device.domain,
            temperature_celsius=_or_default(None, nvidia_driver.temperature_celsius, uuid),
            clock_mhz=_or_default(None, nvidia_driver.clock_mhz, uuid),
            throttle_reasons=tuple(sorted(reasons)),
            foreign_process_count=_foreign_count(uuid, self._before[device.domain]),
        )


def _or_default(default: T, read: Callable[..., T], *arguments: object) -> T:
    """A reading of the driver; `default` where it cannot be had."""
    try:
        return read(*arguments)
    except SensorReadError:
        return default


def _throttled_seconds(device: Device) -> Mapping[ThrottleReason, float]:
    return _or_default({}, nvidia_driver.throttled_seconds, device.uuid or "")


def _processes(device: Device) -> frozenset[int] | None:
    return _or_default(None, nvidia_driver.processes, device.uuid or "")


def _foreign_count(uuid: str, before: frozenset[int] | None, graphics: bool = True) -> int | None:
    if before is None:
        return None
    count = nvidia_driver.foreign_process_count
    return _or_default(None, count, uuid, before, own_processes(), graphics)


class CpuLoad:
    """The share of all CPUs that other programs used since the last sample."""

    def __init__(self) -> None:
        self._elapsed, self._busy, self._own = system_cpu_seconds()

    def sample(self) -> float | None:
        """The share from 0 to 1; None where too little time has passed."""
        before = self._elapsed, self._busy, self._own
        self._elapsed, self._busy, self._own = system_cpu_seconds()
        elapsed = self._elapsed - before[0]
        if elapsed < MIN_CPU_SECONDS:
            return None
        others = (self._busy - before[1]) - (self._own - before[2])
        return min(max(others / elapsed, 0.0), 1.0)
