"""The simulated driver again, in virtual time: the whole meter over thousands of windows a minute.

It says what `simulated_nvml/driver.c` says, at the level of readings, without a compiler; sleeps
end a little late, as they do, and now and then much later, as on a busy machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from simulated_nvml import Card, World, uuid

from bench.meters import MeterContext
from bench.meters._power_integrator import PowerIntegrator
from bench.meters.nvml import build
from bench.meters.nvml.meter import NvmlMeter
from bench.results.machine_record import Device
from bench.results.record import Reading
from bench.system import nvidia_driver
from bench.system.clock import VirtualClock

_MASK = (1 << 64) - 1


def _noise(k: int, salt: int) -> float:
    x = (k * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & _MASK
    x ^= x >> 31
    x = x * 0xBF58476D1CE4E5B9 & _MASK
    x ^= x >> 27
    x = x * 0x94D049BB133111EB & _MASK
    x ^= x >> 31
    return (x >> 11) / 9007199254740992.0


class _LateClock(VirtualClock):
    """Sleeps overshoot by 0.1 ms, and for a share `late` of them by 10 ms."""

    def __init__(self, chance: random.Random, late: float) -> None:
        super().__init__(1000.0)
        self._chance, self._late = chance, late
        self.background: PowerIntegrator | None = None

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            late = self._chance.random() < self._late
            extra = self._chance.expovariate(100.0) if late else 0.0
            self.pass_by(seconds + 5e-5 + self._chance.expovariate(3e4) + extra)

    def pass_by(self, seconds: float) -> None:
        """Exactly so long; what samples in the background looks meanwhile."""
        until = self.now() + seconds
        if self.background is not None:
            sampler, self.background = self.background, None
            while self.now() < until:
                sampler.look()
                super().sleep(min(sampler.step_seconds / 10, max(until - self.now(), 0.0)))
            self.background = sampler
        else:
            super().sleep(seconds)


@dataclass(frozen=True)
class Seen:
    """One window: its reading beside the truth in joules."""

    reading: Reading
    true: float

    @property
    def error(self) -> float:
        assert self.reading.energy_joules is not None
        return self.reading.energy_joules / self.true - 1

    @property
    def half(self) -> float:
        assert self.reading.standard_uncertainty_joules is not None
        return 1.96 * self.reading.standard_uncertainty_joules / self.true


class VirtualGpu:
    """One card that the driver's functions read while the fixture `patch` lasts."""

    def __init__(
        self, card: Card, folder: Path, patch: pytest.MonkeyPatch, seed: int = 0, late: float = 0.0
    ) -> None:
        self.chance = random.Random(seed)
        self.clock = _LateClock(random.Random(seed + 1), late)
        self.world = World(folder / "gpu", [card], self.clock.now(), seed)
        self.values: dict[str, float] = {
            name: self.world.value(0, name) for name in (*card.values, "phase", "power_phase")
        }
        self._summed, self._joules = 0, 0.0
        patch.setattr(PowerIntegrator, "begin", lambda sampler: self._sample(sampler))  # noqa: PLW0108
        patch.setattr(PowerIntegrator, "end", lambda sampler: self._halt(sampler))  # noqa: PLW0108
        patch.setattr(nvidia_driver, "energy_joules", self._energy)
        patch.setattr(nvidia_driver, "power", self._power)
        patch.setattr(nvidia_driver, "average_watts", self._average)

    def meter(self, options: Mapping[str, str] | None = None) -> NvmlMeter:
        device = Device(domain="gpu:0", name="simulated", uuid=uuid(0))
        meter = build(MeterContext(self.clock, (device,), options or {}))
        meter.probe()
        return meter

    def window(
        self, meter: NvmlMeter, seconds: float, loaded: bool = False, stops: bool = True
    ) -> Seen:
        """A window of a restless load between rests; `loaded`: cut out of whatever goes on before,
        and, unless it `stops`, after it."""
        mark: Any = meter.start()
        began = self.clock.now()
        if not loaded:
            self.world.busy(0, began, seconds, self.chance)
        self.clock.pass_by(seconds)
        ended = self.clock.now()
        if stops:
            self.world.idle(0, ended)
        (reading,) = meter.stop(mark, began, ended)
        return Seen(reading, self.world.joules(0, began, ended))

    def series(self, meter: NvmlMeter, seconds: float, count: int) -> list[Seen]:
        seen = []
        for _ in range(count):
            self.clock.pass_by(0.6 + 0.1 * self.chance.random())
            self.world.forget(0, self.clock.now() - 5)
            seen.append(self.window(meter, seconds * self.chance.uniform(1, 1.2)))
        return seen

    def _sample(self, sampler: PowerIntegrator) -> None:
        """In the place of a thread, which would sleep in real time."""
        sampler.forget()
        self.clock.background = sampler

    def _halt(self, sampler: PowerIntegrator) -> None:
        self.clock.background = None
        sampler.learn()

    def _of(self, name: str) -> float:
        return self.values.get(name, 0.0)

    def _asked(self, has: str) -> float:
        self.clock.pass_by(3e-6 + self._of("call_seconds"))
        if self._of(has) <= 0:
            raise nvidia_driver.NvmlReadError(
                "the GPU does not support this reading", unsupported=True
            )
        return self.clock.now()

    def _updated(self, k: int) -> float:
        return self._of("phase") + self._of("step") * k + self._of("jitter") * _noise(k, 1)

    def _energy(self, _: str) -> float:
        now = self._asked("has_counter")
        lag, step = self._of("lag"), self._of("step")
        k = math.floor((now - self._of("phase") - lag) / step) + 1
        while k > 0 and self._updated(k) + lag + self._of("lag_jitter") * _noise(k, 2) > now:
            k -= 1
        joules = self._total(k) if self._of("counter_duty") < 1 else self._true(self._updated(k))
        return 1000.0 + math.floor(joules * self._of("calibration") * 1000) / 1000

    def _total(self, k: int) -> float:
        """The sum of what a part-time sensor saw up to step k."""
        step, look = self._of("step"), self._of("counter_duty") * self._of("step")
        for i in range(self._summed + 1, k + 1):
            end = self._updated(i)
            self._joules += step * (self._true(end) - self._true(end - look)) / look
        self._summed = max(self._summed, k)
        return self._joules

    def _true(self, time: float) -> float:
        return self.world.joules_at(0, time)

    def _field(self, has: str, window: float) -> float:
        now, step, phase = self._asked(has), self._of("power_step"), self._of("power_phase")
        k = math.floor((now - phase) / step)
        until = phase + step * k
        watts = self.world.joules(0, until - window, until) / window
        return watts + self._of("power_noise") * (_noise(k, 3) - 0.5)

    def _average(self, _: str = "") -> float:
        return self._field("has_average", self._of("power_average"))

    def _power(self, _: str) -> nvidia_driver.PowerReading:
        if self._of("has_instant") > 0:
            look = self._of("power_duty") * self._of("power_step")
            return nvidia_driver.PowerReading(self._field("has_instant", look), "instant")
        return nvidia_driver.PowerReading(self._average(), "average")
