"""The simulated driver in virtual time: the complete meter over thousands of windows a minute.

It gives the readings that `simulated_nvml/driver.c` gives, without a compiler; sleeps end a little
late, as on any machine, and some much later, as on a busy machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from simulated_nvml import SimulatedGpu, World, uuid
from virtual_clock import VirtualClock

from bench.meters import MeterContext
from bench.meters._power_integrator import PowerIntegrator
from bench.meters.nvml import build
from bench.meters.nvml.meter import NvmlMeter
from bench.results.machine_record import Device
from bench.results.record import Reading
from bench.system import nvidia_driver

_MASK = (1 << 64) - 1


def _noise(k: int, salt: int) -> float:
    """The same numbers as `noise` in driver.c."""
    x = (k * 0x9E3779B97F4A7C15 + salt * 0xD1B54A32D192ED03) & _MASK
    x ^= x >> 31
    x = x * 0xBF58476D1CE4E5B9 & _MASK
    x ^= x >> 27
    x = x * 0x94D049BB133111EB & _MASK
    x ^= x >> 31
    return (x >> 11) / 9007199254740992.0


class _LateClock(VirtualClock):
    """Sleeps overshoot by 0.1 ms, and for a share `late` of them by 10 ms."""

    def __init__(self, rng: random.Random, late: float) -> None:
        super().__init__(1000.0)
        self._rng, self._late = rng, late
        self.background: PowerIntegrator | None = None

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            late = self._rng.random() < self._late
            extra = self._rng.expovariate(100.0) if late else 0.0
            self.advance(seconds + 5e-5 + self._rng.expovariate(3e4) + extra)

    def advance(self, seconds: float) -> None:
        """Let exactly so many seconds pass; the background integrator samples meanwhile."""
        until = self.now() + seconds
        if self.background is not None:
            integrator, self.background = self.background, None
            while self.now() < until:
                integrator.sample()
                super().sleep(min(integrator.step_seconds / 10, max(until - self.now(), 0.0)))
            self.background = integrator
        else:
            super().sleep(seconds)


@dataclass(frozen=True)
class MeasuredWindow:
    """One window: its reading, and the true energy in joules."""

    reading: Reading
    true_joules: float

    @property
    def relative_error(self) -> float:
        assert self.reading.energy_joules is not None
        return self.reading.energy_joules / self.true_joules - 1

    @property
    def relative_half_width(self) -> float:
        """Half the length of the 95 % interval, which need not be symmetric."""
        low, high = self.reading.low_joules, self.reading.high_joules
        assert low is not None and high is not None
        return (high - low) / 2 / self.true_joules

    @property
    def is_covered(self) -> bool:
        """Whether the 95 % interval holds the true energy."""
        low, high = self.reading.low_joules, self.reading.high_joules
        assert low is not None and high is not None
        return low <= self.true_joules <= high


class VirtualGpu:
    """One GPU that the driver's functions read while the fixture `patch` lasts."""

    def __init__(
        self,
        gpu: SimulatedGpu,
        folder: Path,
        patch: pytest.MonkeyPatch,
        seed: int = 0,
        late: float = 0.0,
    ) -> None:
        self.rng = random.Random(seed)
        self.clock = _LateClock(random.Random(seed + 1), late)
        self.world = World(folder / "gpu", [gpu], self.clock.now(), seed)
        self.values: dict[str, float] = {
            name: self.world.value(0, name) for name in (*gpu.values, "phase", "power_phase")
        }
        self._summed_steps, self._summed_joules = 0, 0.0
        self._counter_base = 1000.0
        patch.setattr(PowerIntegrator, "start", lambda i: self._start_sampling(i))  # noqa: PLW0108
        patch.setattr(PowerIntegrator, "stop", lambda i: self._stop_sampling(i))  # noqa: PLW0108
        patch.setattr(nvidia_driver, "energy_joules", self._energy)
        patch.setattr(nvidia_driver, "power", self._power)
        patch.setattr(nvidia_driver, "average_watts", self._average)

    def meter(self, options: Mapping[str, str] | None = None) -> NvmlMeter:
        device = Device(domain="gpu:0", name="simulated").with_uuid(uuid(0))
        meter = build(MeterContext(self.clock, (device,), options or {}))
        meter.probe()
        return meter

    def window(
        self, meter: NvmlMeter, seconds: float, loaded: bool = False, stops: bool = True
    ) -> MeasuredWindow:
        """A window of a varying load between rests.

        `loaded`: cut out of the load that goes on before it and, unless it `stops`, after it.
        """
        token: Any = meter.start()
        began = self.clock.now()
        if not loaded:
            self.world.busy(0, began, seconds, self.rng)
        self.clock.advance(seconds)
        ended = self.clock.now()
        if stops:
            self.world.idle(0, ended)
        (reading,) = meter.stop(token, began, ended)
        return MeasuredWindow(reading, self.world.joules(0, began, ended))

    def series(self, meter: NvmlMeter, seconds: float, count: int) -> list[MeasuredWindow]:
        """Windows of `seconds` to 1.2 `seconds`, each after 0.6 to 0.7 s of rest."""
        windows = []
        for _ in range(count):
            self.clock.advance(0.6 + 0.1 * self.rng.random())
            self.world.drop_history(0, self.clock.now() - 5)
            windows.append(self.window(meter, seconds * self.rng.uniform(1, 1.2)))
        return windows

    def reset_counter(self) -> None:
        """Let the counter begin again at zero."""
        self._counter_base -= self._energy("")

    def _start_sampling(self, integrator: PowerIntegrator) -> None:
        """Replaces the thread, which would sleep in real time."""
        integrator.reset()
        self.clock.background = integrator

    def _stop_sampling(self, integrator: PowerIntegrator) -> None:
        self.clock.background = None
        integrator.learn_step()

    def _value(self, name: str) -> float:
        return self.values.get(name, 0.0)

    def _call(self, capability: str) -> float:
        """The cost of a call to the driver; the time at which it answers."""
        self.clock.advance(3e-6 + self._value("call_seconds"))
        if self._value(capability) <= 0:
            raise nvidia_driver.NvmlReadError(
                "the GPU does not support this reading", unsupported=True
            )
        return self.clock.now()

    def _updated_at(self, k: int) -> float:
        return self._value("phase") + self._value("step") * k + self._value("jitter") * _noise(k, 1)

    def _energy(self, _: str) -> float:
        now = self._call("has_counter")
        lag, step = self._value("lag"), self._value("step")
        k = math.floor((now - self._value("phase") - lag) / step) + 1
        while k > 0 and self._updated_at(k) + lag + self._value("lag_jitter") * _noise(k, 2) > now:
            k -= 1
        full_time = self._value("counter_duty") >= 1
        joules = self._true(self._updated_at(k)) if full_time else self._sampled_total(k)
        return self._counter_base + math.floor(joules * self._value("scale") * 1000) / 1000

    def _sampled_total(self, k: int) -> float:
        """The sum of a part-time sensor's samples up to step k."""
        step = self._value("step")
        sampled = self._value("counter_duty") * step
        for i in range(self._summed_steps + 1, k + 1):
            end = self._updated_at(i)
            self._summed_joules += step * (self._true(end) - self._true(end - sampled)) / sampled
        self._summed_steps = max(self._summed_steps, k)
        return self._summed_joules

    def _true(self, time: float) -> float:
        return self.world.joules_at(0, time)

    def _field(self, capability: str, window: float) -> float:
        now, step = self._call(capability), self._value("power_step")
        k = math.floor((now - self._value("power_phase")) / step)
        until = self._value("power_phase") + step * k
        watts = self.world.joules(0, until - window, until) / window
        return watts + self._value("power_noise") * (_noise(k, 3) - 0.5)

    def _average(self, _: str = "") -> float:
        if self._value("has_average_field") > 0:
            return self._field("has_average_field", 1.0)
        if self._has_instant_usage:
            self._call("")  # raises: the GPU has no average
        return self._field("has_average", self._value("power_average"))

    @property
    def _has_instant_usage(self) -> bool:
        return 0 < self._value("capability") <= 8.0

    def _power(self, _: str) -> nvidia_driver.PowerReading:
        if self._value("has_instant") > 0:
            sampled = self._value("power_duty") * self._value("power_step")
            return nvidia_driver.PowerReading(self._field("has_instant", sampled), "instant")
        if self._has_instant_usage:
            watts = self._field("has_average", self._value("power_average"))
            return nvidia_driver.PowerReading(watts, "instant")
        return nvidia_driver.PowerReading(self._average(), "average")
