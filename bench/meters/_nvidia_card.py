"""One NVIDIA GPU as a sensor: counter or power reading, what is known of it, a window's bill."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench import nvidia
from bench.clock import Clock
from bench.meters import edges
from bench.meters._sampler import Sampler
from bench.meters._watch import CannotRead, Watch, traits_of
from bench.meters.edges import Edge, Lag, Traits

if TYPE_CHECKING:
    from bench.records import Device, Doubt, Reading

METER = "nvml"
USUAL_STEP_SECONDS = 0.1
SHORTEST_STEPS = 20
AVERAGE_SECONDS = 1.0  # the longest time over which a driver averages power
LAG_SCALE = 0.05  # of a step: how late a counter is believed to be until a window tells


def guarded(read: Callable[[str], float], uuid: str) -> Callable[[], float]:
    """A reader of one GPU that raises CannotRead alone."""

    def read_or_say() -> float:
        try:
            return read(uuid)
        except (nvidia.ReadFailed, nvidia.NvidiaUnavailable) as failure:
            raise CannotRead(failure.reason) from None

    return read_or_say


def watts(uuid: str) -> float:
    """Power in watts by the best reading there is."""
    return nvidia.power(uuid).watts


@dataclass
class Card:
    """A GPU of the run. Exactly one of `watch` (counter), `sampler` (power), `reason` is set."""

    device: Device
    uuid: str
    clock: Clock
    watch: Watch | None = None
    sampler: Sampler | None = None
    traits: Traits = field(default_factory=lambda: Traits(USUAL_STEP_SECONDS))
    power_duty: float = 0.25
    averaged: bool = False
    power_ratio: float | None = None
    reason: str | None = None

    def choose(self) -> None:
        """Take the counter if it can be read, else leave what its reason was."""
        self.watch = self.sampler = self.reason = None
        watch = Watch(guarded(nvidia.energy_joules, self.uuid), self.clock, USUAL_STEP_SECONDS)
        watch.look()
        self.reason = watch.failure
        self.watch = None if watch.failure else watch

    def learn(self, power: Sequence[Edge], duty: float) -> None:
        """What the steps seen at rest say of the counter; it is dropped if it stood still."""
        assert self.watch is not None
        traits = traits_of(self.watch, duty)
        if traits is None:
            self.watch, self.reason = None, "its energy counter stands still"
            return
        step = traits.step_seconds
        self.traits = replace(traits, lag=Lag(0.0, step, LAG_SCALE * step))
        self.watch.step_seconds, self.watch.jitter_seconds = step, traits.jitter_seconds
        total = sum(edge.joules for edge in power)
        if total > 0:
            self.power_ratio = edges.slope(edges.sharpest(self.watch.edges)) * len(power) / total

    def integrate(self, seconds: float, duty: float) -> None:
        """Take the power reading instead of a counter; the reason where it can't be read either."""
        try:
            self.averaged = nvidia.power(self.uuid).kind == "average"
        except (nvidia.ReadFailed, nvidia.NvidiaUnavailable) as failure:
            self.reason = failure.reason
            return
        sampler = Sampler(guarded(watts, self.uuid), self.clock)
        sampler.characterise(seconds)
        self.take(sampler, duty)

    def take(self, sampler: Sampler, duty: float) -> None:
        """Read power through this sampler, which looks for `duty` of each step."""
        self.reason = sampler.failure
        self.sampler = None if sampler.failure else sampler
        self.power_duty = duty
        traits = sampler.traits()
        step = traits.step_seconds
        lag = Lag(0.0, step, LAG_SCALE * step)
        if self.averaged:
            lag = Lag(0.0, AVERAGE_SECONDS / 2)
            traits = replace(traits, settle_seconds=AVERAGE_SECONDS)
        self.traits = replace(traits, lag=lag)

    def reading(self, before: Sequence[Edge], began: float, ended: float) -> Reading:
        """The bill of one window, or None with the doubt that says why."""
        from bench.doubts import doubt

        doubts = []
        if self.device.mig_enabled:
            doubts.append(doubt("mig-whole-gpu", domain=self.device.domain))
        if self.averaged:
            doubts.append(doubt("power-averaged", domain=self.device.domain))
        elif self.sampler and self._looks_away:
            doubts.append(doubt("aliasing-risk", domain=self.device.domain))
        steps = (ended - began) / self.traits.step_seconds
        if steps < SHORTEST_STEPS:
            doubts.append(doubt("window-short", steps=steps))
        source = self.watch or self.sampler
        if source is None:
            return self._missing("energy-missing", self.reason or "unknown", began, ended)
        if source.failure:
            return self._missing("read-failed", source.failure, began, ended)
        if self._looks_away and ended - began < self.traits.step_seconds:
            reason = "a sensor that looks for a part of each step may have missed so short a window"
            return self._missing("energy-missing", reason, began, ended)
        after = list(source.edges)
        if self.watch and _fell([*before, *after]):
            return self._missing("counter-reset", "", began, ended)
        if self.sampler:
            before = before or [edge for edge in after if edge.seconds <= began][-5:]
            after = [edge for edge in after if edge.seconds > ended + self.traits.settle_seconds]
        try:
            result = edges.bill(before, after, began, ended, self.traits)
        except ValueError:
            reason = "the sensor did not move for too long around the window"
            return self._missing("read-failed", reason, began, ended)
        self.traits = edges.learned(self.traits, result)
        return self._made(result.joules, self._spread(result, began, ended), began, ended, doubts)

    @property
    def _looks_away(self) -> bool:
        if self.sampler:
            return not self.averaged and self.power_duty < 1
        return self.traits.duty < 1

    def _spread(self, result: edges.Bill, began: float, ended: float) -> float:
        if self.sampler is None:
            return result.uncertainty
        blur = self.sampler.blur(began, ended, 1.0 if self.averaged else self.power_duty)
        return math.hypot(result.uncertainty, blur)

    def _missing(self, code: str, reason: str, began: float, ended: float) -> Reading:
        from bench.doubts import doubt

        why = doubt(code, domain=self.device.domain, reason=reason)
        return self._made(None, None, began, ended, [why])

    def _made(
        self,
        joules: float | None,
        spread: float | None,
        began: float,
        ended: float,
        doubts: Sequence[Doubt],
    ) -> Reading:
        from bench.records import Reading

        return Reading(
            domain=self.device.domain,
            meter=METER,
            method="integrated" if self.sampler else "counter",
            energy_joules=joules,
            standard_uncertainty_joules=spread,
            duration_seconds=ended - began,
            doubts=tuple(doubts),
        )


def _fell(steps: Sequence[Edge]) -> bool:
    return any(new.joules < old.joules for old, new in itertools.pairwise(steps))
