"""One GPU: its counter or its power reading, the sensor's model, and the reading of a window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from bench.meters import _bracketing, make_reading, missing_reading
from bench.meters._bracketing import CounterEdge, SensorModel
from bench.meters._edge_poller import EdgePoller, sensor_model
from bench.meters._latency import LatencyPosterior
from bench.meters._load_end import LoadEndHistory
from bench.meters._power_integrator import USUAL_STEP_SECONDS, PowerIntegrator
from bench.system import nvidia_driver
from bench.system.clock import Clock
from bench.system.sensor_error import SensorReadError

if TYPE_CHECKING:
    from bench.results.machine_record import Device, Method
    from bench.results.record import MeasurementWarning, Reading

METER = "nvml"
POWER_DUTY = 0.25  # of A100 and H100: 25 of every 100 ms (docs/measurement.md)
SHORTEST_STEPS = 20  # a window of fewer steps is marked `window-short`
# Relative standard uncertainty at which more edges are not waited for: the interval is then
# ± 0.024 % (docs/decisions/0002 has the simulation).
SHARP_ENOUGH = 1.2e-4
AROUND_STEPS = 5.5  # under load: edges within so many steps of an end of the window belong to it


def watts(uuid: str) -> float:
    """Power in watts by the best reading there is."""
    return nvidia_driver.power(uuid).watts


@dataclass
class GpuSensor:
    """A GPU of the run. At most one of `poller` (counter) and `integrator` (power) is set.

    `reason` explains why neither is. `model` is valid once the sensor is `characterised`. `duty` is
    the share of a step for which the integrated reading samples.
    """

    device: Device | nvidia_driver.GpuInfo
    clock: Clock
    counter_duty: float = 1.0
    power_duty: float = POWER_DUTY
    whole_gpu: bool = False  # measure all of a GPU that MIG splits
    tail_watts: float = math.inf  # the most that power after a load is above the next step's mean
    poller: EdgePoller | None = None
    integrator: PowerIntegrator | None = None
    reason: str | None = None
    model: SensorModel = field(default_factory=lambda: SensorModel(USUAL_STEP_SECONDS))
    characterised: bool = False
    duty: float = 1.0
    averaged: bool = False
    counter_to_power_ratio: float | None = None
    load_ends: LoadEndHistory = field(default_factory=LoadEndHistory)

    @property
    def uuid(self) -> str:
        """The GPU's UUID, by which the driver finds it."""
        return self.device.uuid or ""

    @property
    def method(self) -> Method:
        """How energy is read: from the counter, or integrated from power."""
        return "integrated" if self.integrator else "counter"

    def choose(self) -> None:
        """Poll the counter if it can be read, else keep the reason."""
        self.poller = self.integrator = self.reason = None
        read = partial(nvidia_driver.energy_joules, self.uuid)
        poller = EdgePoller(read, self.clock, USUAL_STEP_SECONDS)
        poller.poll()
        self.reason = poller.failure
        self.poller = None if poller.failure else poller

    def learn(self, power_edges: Sequence[CounterEdge] = ()) -> None:
        """Learn the counter's model from its edges at rest; drop a counter that stood still.

        `power_edges` are power readings of the same time, to compare the counter with.
        """
        assert self.poller is not None
        model = sensor_model(self.poller, self.counter_duty)
        if model is None:
            self.poller, self.reason = None, "its energy counter stands still"
            return
        step = model.step_seconds
        latency = LatencyPosterior.prior(step)
        self.model = replace(model, latency=latency, tail_watts=self.tail_watts)
        self.characterised = True
        self.poller.step_seconds, self.poller.jitter_seconds = step, model.jitter_seconds
        total = sum(edge.joules for edge in power_edges)
        if total > 0:
            counted = _bracketing.mean_power(_bracketing.punctual_edges(self.poller.edges))
            self.counter_to_power_ratio = counted * len(power_edges) / total

    def integrate(self, seconds: float, duty: float) -> None:
        """Integrate a power reading instead of a counter; keep the reason where there is none.

        Where the instant field samples a part of each step, the driver's average is the better
        one to sum. Whether the same samples are behind it is not known: `duty` is allowed for.
        """
        try:
            instant = nvidia_driver.power(self.uuid).kind == "instant"
        except SensorReadError as failure:
            self.reason = failure.reason
            return
        self.averaged = not instant or (duty < 1 and has_average(self.uuid))
        read = nvidia_driver.average_watts if self.averaged else watts
        integrator = PowerIntegrator(partial(read, self.uuid), self.clock)
        integrator.characterise(seconds)
        self.use(integrator, duty if instant else 1.0)

    def use(self, integrator: PowerIntegrator, duty: float) -> None:
        """Read power through this integrator, whose sensor samples for `duty` of each step."""
        self.poller, self.reason, self.duty = None, integrator.failure, duty
        self.integrator = None if integrator.failure else integrator
        self.model = integrator.sensor_model(self.averaged, duty if self.averaged else 1.0)
        self.characterised = True

    def is_sharp(self, before: Sequence[CounterEdge], began: float, ended: float) -> bool:
        """Whether the window's energy is so certain that more edges are not worth waiting for."""
        assert self.poller is not None
        try:
            after = self._edges_with_first(self.poller)
            result = _bracketing.window_energy(before, after, began, ended, self.model)
        except ValueError:
            return False
        return result.standard_uncertainty <= SHARP_ENOUGH * result.joules

    def reading(
        self, before: Sequence[CounterEdge], began: float, ended: float, under_load: bool = False
    ) -> Reading:
        """The energy of one window, or None with a warning that explains it."""
        subject = self.device.domain, METER, self.method, ended - began
        fault = self._fault(before, ended - began)
        if fault is not None:
            return missing_reading(*subject, *fault)
        if self.integrator:
            self.model = replace(self.model, step_seconds=self.integrator.step_seconds)
            sides = self._integrated_edges(self.integrator, began, ended, under_load)
            before, after = before or sides[0], sides[1]
        else:
            assert self.poller is not None
            after = self._edges_with_first(self.poller)
        try:
            if under_load:
                result = _bracketing.window_energy_under_load(
                    before, after, began, ended, self.model
                )
            else:
                result = _bracketing.window_energy(
                    before, after, began, ended, self.model, self.load_ends
                )
        except ValueError:
            reason = "the sensor did not move for too long around the window"
            return missing_reading(*subject, "read-failed", reason)
        self.model = replace(self.model, latency=result.latency)
        if result.load_end is not None:
            self.load_ends.add(result.load_end)
        uncertainty = result.standard_uncertainty
        if self.integrator:
            duty = 1.0 if self.averaged else self.duty
            sampling = self.integrator.sampling_uncertainty(began, ended, duty)
            uncertainty = math.hypot(uncertainty, sampling)
        warnings = self._warnings(ended - began)
        reading = make_reading(*subject, result.joules, uncertainty, warnings)
        tail = {"tail_joules_below": result.joules_below, "tail_joules_above": result.joules_above}
        return reading.model_copy(update=tail)

    def _fault(self, before: Sequence[CounterEdge], seconds: float) -> tuple[str, str] | None:
        """Why there is no energy, as a warning's code and a reason; None without a fault."""
        source = self.poller or self.integrator
        if source is None:
            return "energy-missing", self.reason or "unknown"
        if source.failure:
            return "read-failed", source.failure
        if self.device.mig_enabled and not self.whole_gpu:
            return "mig-whole-gpu", ""
        if self._is_part_time and seconds < self.model.step_seconds:
            why = "a sensor that samples a part of each step may have missed so short a window"
            return "energy-missing", why
        counted = [*before, *self.poller.edges] if self.poller else []
        if any(new.joules < old.joules for old, new in itertools.pairwise(counted)):
            return "counter-reset", ""
        return None

    def _warnings(self, seconds: float) -> list[MeasurementWarning]:
        """The warnings of a window of so many seconds whose energy is known."""
        from bench.results.warning_catalogue import make_warning

        domain, steps = self.device.domain, math.floor(seconds / self.model.step_seconds)
        conditions = {
            "mig-whole-gpu": bool(self.device.mig_enabled),
            "module-scope": nvidia_driver.covers_module(self.device.name),
            "aliasing-risk": self.integrator is not None and self._is_part_time,
            "power-averaged": self.averaged and not self._is_part_time,
            "window-short": steps < SHORTEST_STEPS,
        }
        return [
            make_warning(code, domain=domain, steps=steps)
            for code, holds in conditions.items()
            if holds
        ]

    def _edges_with_first(self, poller: EdgePoller) -> list[CounterEdge]:
        """The edges since the poller was cleared, and before them the one already published.

        Nobody saw that edge, but steps are even: it is known to the jitter.
        """
        edges = list(poller.edges)
        if not edges:
            return edges
        step, jitter = self.model.step_seconds, 12**0.5 * self.model.jitter_seconds
        first = CounterEdge(
            edges[0].seconds - step, edges[0].gap_seconds + jitter, poller.first_value
        )
        return [first, *edges]

    def _integrated_edges(
        self, integrator: PowerIntegrator, began: float, ended: float, under_load: bool
    ) -> tuple[Sequence[CounterEdge], Sequence[CounterEdge]]:
        """Edges of the summed power near both ends; under load, on both sides of each end."""
        settle = self.model.settle_seconds
        if not under_load:
            return integrator.edges_outside(began, ended, settle)
        near, edges = AROUND_STEPS * self.model.step_seconds + settle, integrator.edges
        around_began = [edge for edge in edges if abs(edge.seconds - began) <= near]
        return around_began, [edge for edge in edges if abs(edge.seconds - ended) <= near]

    @property
    def _is_part_time(self) -> bool:
        return (self.duty if self.integrator else self.model.duty) < 1


def has_average(uuid: str) -> bool:
    """Whether the driver gives its own average of a GPU's power."""
    try:
        nvidia_driver.average_watts(uuid)
    except SensorReadError:
        return False
    return True
