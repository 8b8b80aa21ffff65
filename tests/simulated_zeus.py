"""The classes of the package zeus that our meter touches, on made devices in a made time.

Names and signatures are the real package's; a test compares them where it is installed.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass

from bench.system.clock import Clock, VirtualClock

CLOCK: Clock = VirtualClock()
CARDS: list[AMDGPU] = []
CHIP: dict[str, float] = {}  # watts by metric of the Apple chip; none: there is no such chip
BOARD: dict[str, float] = {}  # the same for the Jetson


class ZeusGPUNotSupportedError(Exception):
    pass


class ZeusGPUInitError(Exception):
    pass


class AMDGPU:
    """A card that draws `watts`, its counter moving every millisecond."""

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
            raise ZeusGPUNotSupportedError("a chip of a dual card")
        return int(self.watts(CLOCK.now())) * 1000


class AMDGPUs:
    def __init__(self, ensure_homogeneous: bool = False) -> None:
        if CARDS and CARDS[0].failure == "init":
            raise ZeusGPUInitError("HIP_VISIBLE_DEVICES is set but empty")

    @property
    def gpus(self) -> list[AMDGPU]:
        return CARDS


def amdsmi_is_available() -> bool:
    return bool(CARDS)


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
        return set(CHIP)

    def get_total_energy_consumption(self) -> AppleSiliconMeasurement:
        ticks = int(CLOCK.now() * 100) / 100
        return AppleSiliconMeasurement(**{k: int(1000 * w * ticks) for k, w in CHIP.items()})


def apple_silicon_is_available() -> bool:
    return bool(CHIP)


@dataclass
class JetsonMeasurement:
    cpu_energy_mj: float | None = None
    gpu_energy_mj: float | None = None
    total_energy_mj: float | None = None


class Jetson:
    """Sums up to the top of its loop alone: every 0.1 s, and right after an answer."""

    def __init__(self) -> None:
        self._top = CLOCK.now()

    def get_available_metrics(self) -> set[str]:
        return set(BOARD)

    def get_total_energy_consumption(self, timeout: float = 15.0) -> JetsonMeasurement:
        CLOCK.sleep(0.001)
        self._top += 0.1 * int((CLOCK.now() - self._top) / 0.1)
        answer = JetsonMeasurement(**{k: 1000 * w * self._top for k, w in BOARD.items()})
        self._top = CLOCK.now()
        CLOCK.sleep(0.001)
        return answer


def jetson_is_available() -> bool:
    return bool(BOARD)


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
    """Fresh modules for `sys.modules`, and devices that follow `clock`; none is there yet."""
    here = sys.modules[__name__]
    vars(here)["CLOCK"] = clock
    for devices in (CARDS, CHIP, BOARD):
        devices.clear()
    made = {}
    for name, things in MODULES.items():
        made[name] = types.ModuleType(name)
        for thing in things:
            setattr(made[name], thing.__name__, thing)  # type: ignore[attr-defined]
    return made
