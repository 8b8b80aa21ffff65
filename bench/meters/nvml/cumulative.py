"""Cumulative mode of one GPU: read at once when a program starts, characterised when it has ended.

docs/decisions/0008-tracker.md explains the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.meters._bracketing import CounterEdge, CounterReading, edges_from_reading, mean_power
from bench.meters._power_integrator import PowerIntegrator
from bench.meters.nvml.counter_difference import (
    DRIVER_ERRORS,
    USUAL_STEP_SECONDS,
    CounterDifference,
    approximate_reading,
)
from bench.meters.nvml.gpu_sensor import AVERAGE_SECONDS, GpuSensor, guarded, watts
from bench.system import nvidia_driver

if TYPE_CHECKING:
    from bench.results.record import Reading

EDGES_AFTER = 5  # of integrated power, after the program: with two a line and its misfit are known


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
        except DRIVER_ERRORS as failure:
            sensor.reason = failure.reason if difference.counter_missing else None
            return
        self._first_watts = power.watts
        if difference.counter_missing:
            sensor.averaged = power.kind == "average"
            sensor.integrator = PowerIntegrator(guarded(watts, sensor.uuid), sensor.clock)
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
