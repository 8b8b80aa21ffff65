"""Cumulative mode of one GPU: read at once when a program starts, characterised when it has ended.

docs/decisions/0008-tracker.md explains the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bench.meters import make_reading, missing_reading
from bench.meters._bracketing import CounterEdge, CounterReading, edges_from_reading, mean_power
from bench.meters._power_integrator import AVERAGE_SECONDS, USUAL_STEP_SECONDS, PowerIntegrator
from bench.meters.nvml.gpu_sensor import METER, GpuSensor, watts
from bench.system import nvidia_driver
from bench.system.clock import Clock
from bench.system.sensor_error import SensorReadError

if TYPE_CHECKING:
    from bench.results.machine_record import Device, Method
    from bench.results.record import Reading

EDGES_AFTER = 5  # of integrated power, after the program: with two a line and its misfit are known


class CounterDifference:
    """The counter of one GPU from `open` on, each end known to a step of the counter.

    `first` is None where `open` failed; `failure` is the reason of the latest failed read, and
    `counter_missing` whether the GPU has no counter. `fell`: the counter went backwards.
    """

    def __init__(self, device: Device | nvidia_driver.GpuInfo, clock: Clock) -> None:
        self._device, self._clock = device, clock
        self.first: CounterReading | None = None
        self._last: CounterReading | None = None
        self.failure: str | None = None
        self.counter_missing = False
        self.fell = False

    def open(self) -> None:
        """Read the counter for the first time."""
        self.first = self._last = self._read()

    def update(self) -> None:
        """Read the counter again; where `open` failed there is no difference, and no read."""
        latest = self._read() if self._last else None
        if self._last and latest:
            self.fell |= latest.joules < self._last.joules
            self._last = latest

    def reading(self, began: float, ended: float) -> Reading:
        """The energy, scaled from the two reads to the time from `began` to `ended` (s)."""
        power = None
        if self.first and self._last and not self.failure and not self.fell:
            seconds = max(self._last.seconds - self.first.seconds, 1e-9)
            power = (self._last.joules - self.first.joules) / seconds
        reason = "counter-reset" if self.fell else self.failure or ""
        return approximate_reading(self._device.domain, "counter", power, ended - began, reason)

    def _read(self) -> CounterReading | None:
        try:
            joules = nvidia_driver.energy_joules(self._device.uuid or "")
        except SensorReadError as failure:
            self.failure = failure.reason
            self.counter_missing = failure.unsupported
            return None
        self.failure = None
        return CounterReading(self._clock.now(), joules)


class CumulativeGpu:
    """Energy of one GPU since `open`, through its GpuSensor."""

    def __init__(self, sensor: GpuSensor) -> None:
        self._sensor = sensor
        self._difference = CounterDifference(sensor.device, sensor.clock)
        self._first_watts: float | None = None

    def open(self) -> None:
        """Read the counter once; where there is none, integrate power in a thread."""
        sensor, difference = self._sensor, self._difference
        difference.open()
        if difference.first is None and not difference.counter_missing:
            sensor.reason = difference.failure
            return
        try:
            power = nvidia_driver.power(sensor.uuid)
        except SensorReadError as failure:
            sensor.reason = failure.reason if difference.counter_missing else None
            return
        self._first_watts = power.watts
        if difference.counter_missing:
            sensor.averaged = power.kind == "average"
            sensor.integrator = PowerIntegrator(partial(watts, sensor.uuid), sensor.clock)
            sensor.integrator.start()

    def so_far(self, began: float, now: float) -> Reading:
        """The energy between `began` and `now` (s), from a plain difference."""
        sensor, seconds = self._sensor, now - began
        if sensor.integrator is None and sensor.reason is None:
            self._difference.update()
            return self._difference.reading(began, now)
        power, reason = None, sensor.reason or ""
        if sensor.integrator is not None:
            edges = sensor.integrator.edges
            reason = sensor.integrator.failure or "its sensor has not moved yet"
            if len(edges) >= 2 and not sensor.integrator.failure:
                power = mean_power(edges)
        end = AVERAGE_SECONDS if sensor.averaged else USUAL_STEP_SECONDS
        return approximate_reading(sensor.device.domain, sensor.method, power, seconds, reason, end)

    def prepare_close(self) -> None:
        """Poll the counter from now on, unless power is integrated or `open` failed."""
        if self._sensor.integrator is None and self._sensor.reason is None:
            self._sensor.choose()

    def close(self, began: float, ended: float, timeout_seconds: float) -> Reading:
        """Learn the sensor from its edges after `ended`, and read the window."""
        sensor, first, usual_watts = self._sensor, self._difference.first, 0.0
        if self._difference.fell:
            return self._difference.reading(began, ended)
        if sensor.integrator is not None:
            first = self._finish_integration(sensor.integrator, ended, timeout_seconds)
        elif sensor.poller is not None and first is not None:
            last = sensor.poller.latest()
            sensor.learn()
            usual_watts = (last.joules - first.joules) / max(last.seconds - first.seconds, 1e-9)
        before: Sequence[CounterEdge] = ()
        if first is not None:
            first = replace(first, watts=self._first_watts)
            before = edges_from_reading(first, began, sensor.model.step_seconds, usual_watts)
        return sensor.reading(before, began, ended)

    def _finish_integration(
        self, integrator: PowerIntegrator, ended: float, timeout_seconds: float
    ) -> CounterReading | None:
        """Wait for the edges after the program; its first edge as a reading, None without one."""
        sensor = self._sensor
        integrator.learn_step()
        sensor.use(integrator, 1.0 if sensor.averaged else sensor.power_duty)
        since = ended + max(sensor.model.settle_seconds, sensor.model.latency.upper_bound)
        integrator.wait_for_edges(EDGES_AFTER, since, timeout_seconds)
        integrator.stop()
        edges, powers = integrator.edges_and_watts()
        if not edges:
            return None
        # A load that began at once is in the first edge already, and not in the reading at `open`.
        self._first_watts = max(self._first_watts or 0.0, powers[0])
        return CounterReading(edges[0].seconds, edges[0].joules)


def approximate_reading(
    domain: str,
    method: Method,
    watts: float | None,
    seconds: float,
    reason: str,
    end_seconds: float = USUAL_STEP_SECONDS,
) -> Reading:
    """Mean power times `seconds`, each end known to `end_seconds`: a step of the sensor.

    Where `watts` is None, a reading without energy: `reason` is a clause, or "counter-reset".
    """
    if watts is None:
        code = "counter-reset" if reason == "counter-reset" else "energy-missing"
        return missing_reading(domain, METER, method, seconds, code, reason)
    uncertainty = watts * end_seconds / 6**0.5
    return make_reading(domain, METER, method, seconds, watts * seconds, uncertainty)
