"""The state of the devices in use: heat, clocks, what held them down, and who else is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bench.system import nvidia_driver
from bench.system.process import own_processes, system_cpu_seconds

if TYPE_CHECKING:
    from bench.results.machine_record import Device, DeviceState, Machine
    from bench.results.throttling import ThrottleReason

CPU_DOMAIN = "cpu-package:0"
THROTTLED_SECONDS = 0.001  # a reason that held the clocks for less is no reason


class DeviceMonitor:
    """Watches the devices in use from before the model is loaded until the run is over."""

    def __init__(self, machine: Machine, loaded: bool = False) -> None:
        """`loaded` says that this process may be on the GPUs already.

        In a container it then bears an unknown number, and one of those seen is taken for it.
        """
        self._used = machine.used_gpus
        unknown = loaded and machine.container
        self._before = {d.domain: frozenset() if unknown else _processes(d) for d in self._used}
        self._throttled = {d.domain: _throttled(d) for d in self._used}
        self._load = _CpuLoad()

    def look(self) -> tuple[DeviceState, ...]:
        """The state of each GPU in use now, and what held its clocks or the CPU since last time."""
        from bench.results.machine_record import DeviceState

        gpus = [self._gpu(device) for device in self._used]
        busy = DeviceState(domain=CPU_DOMAIN, other_load_fraction=self._load.look())
        return (*gpus, busy)

    def strangers(self) -> Mapping[str, int]:
        """How many other processes compute on each GPU in use now; those with none are left out."""
        counts = {
            d.domain: _foreign(d.uuid or "", self._before[d.domain], False) for d in self._used
        }
        return {domain: count for domain, count in counts.items() if count}

    def _gpu(self, device: Device) -> DeviceState:
        from bench.results.machine_record import DeviceState

        uuid, before = device.uuid or "", self._before[device.domain]
        reasons = {*_reasons(uuid), *_settings(uuid)}
        now = _throttled(device)
        then, self._throttled[device.domain] = self._throttled[device.domain], now
        reasons |= {n for n, s in now.items() if s - then.get(n, s) > THROTTLED_SECONDS}
        return DeviceState(
            domain=device.domain,
            temperature_celsius=_reading(nvidia_driver.temperature_celsius, uuid),
            clock_mhz=_reading(nvidia_driver.clock_mhz, uuid),
            throttle_reasons=tuple(sorted(reasons)),
            foreign_process_count=_foreign(uuid, before),
        )


def _reading(read: Callable[[str], float], uuid: str) -> float | None:
    try:
        return read(uuid)
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return None


def _reasons(uuid: str) -> tuple[ThrottleReason, ...]:
    try:
        now = nvidia_driver.throttle(uuid)
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return ()
    return (*now.hardware, *now.software)


def _settings(uuid: str) -> tuple[ThrottleReason, ...]:
    try:
        return nvidia_driver.clock_settings(uuid)
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return ()


def _throttled(device: Device) -> Mapping[ThrottleReason, float]:
    try:
        return nvidia_driver.throttled_seconds(device.uuid or "")
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return {}


def _processes(device: Device) -> frozenset[int] | None:
    try:
        return nvidia_driver.processes(device.uuid or "")
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return None


def _foreign(uuid: str, before: frozenset[int] | None, graphics: bool = True) -> int | None:
    if before is None:
        return None
    try:
        return nvidia_driver.foreign_process_count(uuid, before, own_processes(), graphics)
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return None


class _CpuLoad:
    """The share of all CPUs that other programs took since the last look."""

    def __init__(self) -> None:
        self._all, self._busy, self._own = system_cpu_seconds()

    def look(self) -> float | None:
        before = self._all, self._busy, self._own
        self._all, self._busy, self._own = system_cpu_seconds()
        elapsed = self._all - before[0]
        if elapsed < 0.5:  # too few ticks of 10 ms to tell
            return None
        others = (self._busy - before[1]) - (self._own - before[2])
        return min(max(others / elapsed, 0.0), 1.0)
