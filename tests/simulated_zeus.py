"""The classes of the package zeus that our meter calls, on simulated devices and a given clock.

Names and signatures are the real package's; a test compares them where zeus is installed.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass

from virtual_clock import VirtualClock

from bench.system.clock import Clock

CLOCK: Clock = VirtualClock()
AMD_GPUS: list[AMDGPU] = []
APPLE_WATTS: dict[str, float] = {}  # by metric of the Apple chip; empty: there is no such chip
JETSON_WATTS: dict[str, float] = {}  # the same for the Jetson


class ZeusGPUNotSupportedError(Exception):
    pass


class ZeusGPUInitError(Exception):
    pass


class AMDGPU:
    """A GPU that draws `watts`; its counter moves every millisecond."""

    def __init__(self, gpu_index: int) -> None:
        self.gpu_index = gpu_index
        self.name = "Instinct MI300X"
        self.watts: Callable[[float], float] = lambda now: 300.0
        self.joules: Callable[[float], float] = lambda now: 300.0 * now
        self.has_counter = self.has_instant = self.has_average = True
        self.failure: str | None = None

    def get_name(self) -> str:
        return self.name

    def supports_get_total_energy_consumption(self) -> bool:
        return self.has_counter

    def get_total_energy_consumption(self) -> int:
        if self.failure:
            raise RuntimeError(self.failure)
        return int(1000 * self.joules(int(CLOCK.now() * 1000) / 1000))

    def get_instant_power_usage(self) -> int:
        if not self.has_instant:
            raise ZeusGPUNotSupportedError("Instant power usage is not supported")
        return int(self.watts(CLOCK.now())) * 1000

    def get_average_power_usage(self) -> int:
        if not self.has_average:
            raise ZeusGPUNotSupportedError("second chip of a dual-chip card")
        return int(self.watts(CLOCK.now())) * 1000


class AMDGPUs:
    def __init__(self, ensure_homogeneous: bool = False) -> None:
        if AMD_GPUS and AMD_GPUS[0].failure == "init":
            raise ZeusGPUInitError("HIP_VISIBLE_DEVICES is set but empty")

    @property
    def gpus(self) -> list[AMDGPU]:
        return AMD_GPUS


def amdsmi_is_available() -> bool:
    return bool(AMD_GPUS)


@dataclass
class AppleSiliconMeasurement:
    cpu_total_mj: int | None = None
    dram_mj: int | None = None
    gpu_mj: int | None = None
    gpu_sram_mj: int | None = None
    ane_mj: int | None = None


class AppleSilicon:
    def __init__(self) -> None:
        pass

    def get_available_metrics(self) -> set[str]:
        return set(APPLE_WATTS)

    def get_total_energy_consumption(self) -> AppleSiliconMeasurement:
        ticks = int(CLOCK.now() * 100) / 100
        return AppleSiliconMeasurement(**{k: int(1000 * w * ticks) for k, w in APPLE_WATTS.items()})


def apple_silicon_is_available() -> bool:
    return bool(APPLE_WATTS)


@dataclass
class JetsonMeasurement:
    cpu_energy_mj: float | None = None
    gpu_energy_mj: float | None = None
    total_energy_mj: float | None = None


class Jetson:
    """Sums power every 0.1 s and right after an answer; an answer holds the last sum."""

    def __init__(self) -> None:
        self._summed_until = CLOCK.now()

    def get_available_metrics(self) -> set[str]:
        return set(JETSON_WATTS)

    def get_total_energy_consumption(self, timeout: float = 15.0) -> JetsonMeasurement:
        CLOCK.sleep(0.001)
        self._summed_until += 0.1 * int((CLOCK.now() - self._summed_until) / 0.1)
        measurement = JetsonMeasurement(
            **{k: 1000 * w * self._summed_until for k, w in JETSON_WATTS.items()}
        )
        self._summed_until = CLOCK.now()
        CLOCK.sleep(0.001)
        return measurement


def jetson_is_available() -> bool:
    return bool(JETSON_WATTS)


MODULES: dict[str, tuple[object, ...]] = {
    "zeus": (),
    "zeus.device": (),
    "zeus.device.gpu": (),
    "zeus.device.gpu.amd": (amdsmi_is_available, AMDGPUs, AMDGPU),
    "zeus.device.soc": (),
    "zeus.device.soc.apple": (apple_silicon_is_available, AppleSilicon, AppleSiliconMeasurement),
    "zeus.device.soc.jetson": (jetson_is_available, Jetson, JetsonMeasurement),
}


def install(clock: Clock) -> dict[str, types.ModuleType]:
    """New modules for `sys.modules`, whose devices follow `clock`; at first there are none."""
    vars(sys.modules[__name__])["CLOCK"] = clock
    for devices in (AMD_GPUS, APPLE_WATTS, JETSON_WATTS):
        devices.clear()
    modules = {}
    for name, members in MODULES.items():
        modules[name] = types.ModuleType(name)
        for member in members:
            setattr(modules[name], member.__name__, member)  # type: ignore[attr-defined]
    return modules
