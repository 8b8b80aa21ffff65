"""One GPU: counter or power, its sensor model, a window's reading."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.meters import _bracketing
from bench.meters._bracketing import CounterEdge, SensorModel
from bench.meters._edge_poller import EdgePoller, SensorReadError, sensor_model
from bench.meters._latency import LatencyPosterior
from bench.meters._power_integrator import PowerIntegrator
from bench.system import nvidia_driver
from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.results.machine_record import Device
    from bench.results.record import MeasurementWarning, Reading

METER = "nvml"
USUAL_STEP_SECONDS = 0.1
SHORTEST_STEPS = 20
SHARP_ENOUGH = 1.2e-4  # standard uncertainty of a bill, as a share of it
NEAR_STEPS = 5.5  # how far a step of a sampled sensor may lie from an end to count there, in steps
AVERAGE_SECONDS = 1.0  # the longest time over which a driver averages power


def guarded(read: Callable[[str], float], uuid: str) -> Callable[[], float]:
    """A reader of one GPU that raises CannotRead alone."""

    def read_or_say() -> float:
        try:
            return read(uuid)
        except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable) as failure:
            raise SensorReadError(failure.reason) from None

    return read_or_say


def watts(uuid: str) -> float:
    """Power in watts by the best reading there is."""
    return nvidia_driver.power(uuid).watts


@dataclass
class GpuSensor:
    """A GPU of the run. Exactly one of `watch` (counter), `sampler` (power), `reason` is set."""

    device: Device
    uuid: str
    clock: Clock
    watch: EdgePoller | None = None
    sampler: PowerIntegrator | None = None
    traits: SensorModel = field(default_factory=lambda: SensorModel(USUAL_STEP_SECONDS))
    power_duty: float = 0.25
    averaged: bool = False
    power_ratio: float | None = None
    reason: str | None = None
    whole_card: bool = False  # of a card split with MIG the whole is wanted

    def choose(self) -> None:
        """Take the counter if it can be read, else leave what its reason was."""
        self.watch = self.sampler = self.reason = None
        watch = EdgePoller(
            guarded(nvidia_driver.energy_joules, self.uuid), self.clock, USUAL_STEP_SECONDS
        )
        watch.look()
        self.reason = watch.failure
        self.watch = None if watch.failure else watch

    def learn(self, power: Sequence[CounterEdge], duty: float) -> None:
        """What the steps seen at rest say of the counter; it is dropped if it stood still."""
        assert self.watch is not None
        traits = sensor_model(self.watch, duty)
        if traits is None:
            self.watch, self.reason = None, "its energy counter stands still"
            return
        step = traits.step_seconds
        self.traits = replace(traits, lag=LatencyPosterior.unknown(step))
        self.watch.step_seconds, self.watch.jitter_seconds = step, traits.jitter_seconds
        total = sum(edge.joules for edge in power)
        if total > 0:
            self.power_ratio = (
                _bracketing.mean_power(_bracketing.sharpest(self.watch.edges)) * len(power) / total
            )

    def integrate(self, seconds: float, duty: float) -> None:
        """Take a power reading instead of a counter; the reason where none can be read either.

        Where the instant field looks for a part of each step only, the driver's average is the
        better sum. Whether the same looks are behind it is not known, so they are allowed for.
        """
        try:
            instant = nvidia_driver.power(self.uuid).kind == "instant"
        except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable) as failure:
            self.reason = failure.reason
            return
        self.averaged = not instant or (duty < 1 and has_average(self.uuid))
        read = nvidia_driver.average_watts if self.averaged else watts
        sampler = PowerIntegrator(guarded(read, self.uuid), self.clock)
        sampler.characterise(seconds)
        self.take(sampler, duty if instant else 1.0)

    def take(self, sampler: PowerIntegrator, duty: float) -> None:
        """Read power through this sampler; what is behind it looks for `duty` of each step."""
        self.watch, self.reason, self.power_duty = None, sampler.failure, duty
        self.sampler = None if sampler.failure else sampler
        traits = replace(sampler.traits(), lag=LatencyPosterior.unknown(sampler.step_seconds))
        if self.averaged:
            lag = LatencyPosterior.between(0.0, AVERAGE_SECONDS / 2)
            traits = replace(traits, settle_seconds=AVERAGE_SECONDS, lag=lag, duty=duty)
        self.traits = traits

    def resume(self) -> None:
        """Watch the counter afresh from now on; what it shows now was its last step."""
        assert self.watch is not None
        self.watch.clear()
        self.watch.look()

    def _after(self) -> list[CounterEdge]:
        """The steps since `resume`, and before them the one that it found already published.

        That one is told to its jitter: nobody saw it come, but steps come evenly.
        """
        assert self.watch is not None
        seen = list(self.watch.edges)
        if not seen:
            return seen
        step, blur = self.traits.step_seconds, 12**0.5 * self.traits.jitter_seconds
        found = CounterEdge(seen[0].seconds - step, seen[0].gap_seconds + blur, self.watch.resumed)
        return [found, *seen]

    def is_sharp(self, before: Sequence[CounterEdge], began: float, ended: float) -> bool:
        """Whether more steps after the window are not worth waiting for."""
        assert self.watch is not None
        try:
            result = _bracketing.window_energy(before, self.watch.edges, began, ended, self.traits)
        except ValueError:
            return False
        return result.uncertainty <= SHARP_ENOUGH * result.joules

    def reading(
        self, before: Sequence[CounterEdge], began: float, ended: float, under_load: bool = False
    ) -> Reading:
        """The bill of one window, or None with the warning that says why."""
        fault = self._fault(before, ended - began)
        if fault is not None:
            return self._missing(*fault, began, ended)
        if self.sampler:
            self.traits = replace(self.traits, step_seconds=self.sampler.step_seconds)
            sides = self._sides(began, ended, under_load)
            before, after = before or sides[0], sides[1]
        else:
            assert self.watch is not None
            after = self._after() if under_load else self.watch.edges
        method = _bracketing.window_energy_under_load if under_load else _bracketing.window_energy
        try:
            result = method(before, after, began, ended, self.traits)
        except ValueError:
            reason = "the sensor did not move for too long around the window"
            return self._missing("read-failed", reason, began, ended)
        self.traits = _bracketing.updated_model(self.traits, result)
        spread = self._spread(result, began, ended)
        return self._made(result.joules, spread, began, ended, self._remarks(ended - began))

    def _fault(self, before: Sequence[CounterEdge], seconds: float) -> tuple[str, str] | None:
        """Why there can be no figure: a warning's code and a reason; None where nothing is wrong."""
        source = self.watch or self.sampler
        if source is None:
            return "energy-missing", self.reason or "unknown"
        if source.failure:
            return "read-failed", source.failure
        if self.device.mig_enabled and not self.whole_card:
            return "mig-whole-gpu", ""
        if self._looks_away and seconds < self.traits.step_seconds:
            why = "a sensor that looks for a part of each step may have missed so short a window"
            return "energy-missing", why
        if self.watch and _fell([*before, *self.watch.edges]):
            return "counter-reset", ""
        return None

    def _remarks(self, seconds: float) -> list[MeasurementWarning]:
        """What a reader should know of a figure of a window so long."""
        from bench.results.warning_catalogue import make_warning

        domain, steps = self.device.domain, seconds / self.traits.step_seconds
        averaged = self.averaged and not self._looks_away
        remarks = {
            "mig-whole-gpu": bool(self.device.mig_enabled),
            "module-scope": nvidia_driver.covers_module(self.device.name),
            "aliasing-risk": self.sampler is not None and self._looks_away,
            "power-averaged": averaged,
            "window-short": steps < SHORTEST_STEPS,
        }
        return [
            make_warning(code, domain=domain, steps=steps)
            for code, holds in remarks.items()
            if holds
        ]

    def _sides(
        self, began: float, ended: float, under_load: bool
    ) -> tuple[Sequence[CounterEdge], Sequence[CounterEdge]]:
        """The steps of a sampled sensor near both ends; under load, on both sides of each."""
        assert self.sampler is not None
        seen, settle = self.sampler.edges, self.traits.settle_seconds
        if not under_load:
            before = [edge for edge in seen if edge.seconds + edge.gap_seconds / 2 <= began][-5:]
            return before, [edge for edge in seen if edge.seconds > ended + settle]
        near = NEAR_STEPS * self.traits.step_seconds + settle

        def around(moment: float) -> list[CounterEdge]:
            return [edge for edge in seen if abs(edge.seconds - moment) <= near]

        return around(began), around(ended)

    @property
    def _looks_away(self) -> bool:
        return (self.power_duty if self.sampler else self.traits.duty) < 1

    def _spread(self, result: _bracketing.WindowEnergy, began: float, ended: float) -> float:
        if self.sampler is None:
            return result.uncertainty
        blur = self.sampler.blur(began, ended, 1.0 if self.averaged else self.power_duty)
        return math.hypot(result.uncertainty, blur)

    def _missing(self, code: str, reason: str, began: float, ended: float) -> Reading:
        from bench.results.warning_catalogue import make_warning

        why = make_warning(code, domain=self.device.domain, reason=reason)
        return self._made(None, None, began, ended, [why])

    def _made(
        self,
        joules: float | None,
        spread: float | None,
        began: float,
        ended: float,
        warnings: Sequence[MeasurementWarning],
    ) -> Reading:
        from bench.results.record import Reading

        return Reading(
            domain=self.device.domain,
            meter=METER,
            method="integrated" if self.sampler else "counter",
            energy_joules=joules,
            standard_uncertainty_joules=spread,
            duration_seconds=ended - began,
            warnings=tuple(warnings),
        )


def has_average(uuid: str) -> bool:
    """Whether the driver gives its own average of a GPU's power."""
    try:
        nvidia_driver.average_watts(uuid)
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return False
    return True


def _fell(steps: Sequence[CounterEdge]) -> bool:
    return any(new.joules < old.joules for old, new in itertools.pairwise(steps))


CALIBRATION_HALF_WIDTH = 0.05
CALIBRATION_SOURCE = "assumed: NVIDIA states ±5 % for power readings of most cards"
