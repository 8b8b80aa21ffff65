"""The state of the devices in use: heat, clocks, what held them down, and who else is there."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bench import nvidia

if TYPE_CHECKING:
    from bench.results.machine_record import Device, DeviceState, Machine

CPU_DOMAIN = "cpu-package:0"
THROTTLED_SECONDS = 0.001  # a reason that held the clocks for less is no reason


def own_processes() -> frozenset[int]:
    """The ids of this process and of everything that it started."""
    import psutil

    me = psutil.Process()
    return frozenset([me.pid, *(child.pid for child in me.children(recursive=True))])


class Watch:
    """Watches the devices in use from before the model is loaded until the run is over."""

    def __init__(self, machine: Machine, loaded: bool = False) -> None:
        """`loaded` says that this process may be on the GPUs already.

        In a container it then bears an unknown number, and one of those seen is taken for it.
        """
        self._used = [d for d in machine.devices if d.used and d.domain.startswith("gpu:")]
        unknown = loaded and machine.container
        self._before = {d.domain: frozenset() if unknown else _processes(d) for d in self._used}
        self._throttled = {d.domain: _throttled(d) for d in self._used}
        self._load = _Load()

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
            temperature_celsius=_reading(nvidia.temperature_celsius, uuid),
            clock_mhz=_reading(nvidia.clock_mhz, uuid),
            throttle_reasons=tuple(sorted(reasons)),
            foreign_process_count=_foreign(uuid, before),
        )


def _reading(read: Callable[[str], float], uuid: str) -> float | None:
    try:
        return read(uuid)
    except (nvidia.ReadFailed, nvidia.NvidiaUnavailable):
        return None


def _reasons(uuid: str) -> tuple[str, ...]:
    try:
        now = nvidia.throttle(uuid)
    except (nvidia.ReadFailed, nvidia.NvidiaUnavailable):
        return ()
    return (*now.hardware, *now.software)


def _settings(uuid: str) -> tuple[str, ...]:
    try:
        return nvidia.clock_settings(uuid)
    except (nvidia.ReadFailed, nvidia.NvidiaUnavailable):
        return ()


def _throttled(device: Device) -> Mapping[str, float]:
    try:
        return nvidia.throttled_seconds(device.uuid or "")
    except (nvidia.ReadFailed, nvidia.NvidiaUnavailable):
        return {}


def _processes(device: Device) -> frozenset[int] | None:
    try:
        return nvidia.processes(device.uuid or "")
    except (nvidia.ReadFailed, nvidia.NvidiaUnavailable):
        return None


def _foreign(uuid: str, before: frozenset[int] | None, graphics: bool = True) -> int | None:
    if before is None:
        return None
    try:
        return nvidia.foreign_process_count(uuid, before, own_processes(), graphics)
    except (nvidia.ReadFailed, nvidia.NvidiaUnavailable):
        return None


class _Load:
    """The share of all CPUs that other programs took since the last look."""

    def __init__(self) -> None:
        self._all, self._busy, self._own = _cpu_seconds()

    def look(self) -> float | None:
        before = self._all, self._busy, self._own
        self._all, self._busy, self._own = _cpu_seconds()
        elapsed = self._all - before[0]
        if elapsed < 0.5:  # too few ticks of 10 ms to tell
            return None
        others = (self._busy - before[1]) - (self._own - before[2])
        return min(max(others / elapsed, 0.0), 1.0)


def _cpu_seconds() -> tuple[float, float, float]:
    """CPU seconds since the start: of all CPUs, of those the busy ones, of those our own."""
    import psutil

    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    everything = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    mine = os.times()
    own = mine.user + mine.system + mine.children_user + mine.children_system
    for child in psutil.Process().children(recursive=True):
        try:
            spent = child.cpu_times()
        except psutil.Error:
            continue  # it ended meanwhile, and is counted above once it is waited for
        own += spent.user + spent.system
    return everything, everything - idle, own
