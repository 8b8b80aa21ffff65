"""AMD GPUs, Apple silicon and Jetson, read through the package zeus (`joulebench[zeus]`)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.meters import make_reading, missing_reading
from bench.meters._bracketing import (
    LOAD_VARIATION,
    CounterEdge,
    padding_uncertainty,
    window_energy,
)
from bench.meters._edge_poller import EdgePoller, next_steps, poll_until
from bench.meters._power_integrator import AVERAGE_SECONDS, PowerIntegrator
from bench.meters.zeus.sources import (
    JETSON_STEP_SECONDS,
    ZeusSource,
    find_sources,
    reason_without_source,
)
from bench.system.sensor_error import SensorReadError

if TYPE_CHECKING:
    from bench.meters import MeterContext
    from bench.results.machine_record import Sensor
    from bench.results.record import Reading

METER = "zeus"
FIRST_STEP_SECONDS = 0.01  # assumed until the step is known
PROBE_EDGES, PROBE_SECONDS = 20, 1.2  # 20 edges of steps of up to 50 ms, with a margin of 0.2 s
EDGES_BEFORE, EDGES_AFTER = 4, 5  # of integrated power: a line through them has a misfit
POWER_DUTY = 0.5  # assumed: AMD does not state the share of time that its power reading samples
STILL_SECONDS = 1.0  # a counter that does not move for so long has failed, unless it may rest
QUANTUM_JOULES = 0.001  # zeus reports whole millijoules


class ZeusMeter:
    """Every device that zeus can read, except NVIDIA's and RAPL's.

    Counters are read at a step of theirs just before and just after the window and scaled to it.
    """

    name = METER

    def __init__(self, context: MeterContext) -> None:
        self._context, self._clock = context, context.clock
        self._counters: list[ZeusSource] = []
        self._powers: list[tuple[ZeusSource, PowerIntegrator]] = []
        self._step_seconds = FIRST_STEP_SECONDS
        self._last_shown: dict[str, tuple[float, float]] = {}
        self._probed = False

    def probe(self) -> Sensor:
        """What zeus can read here and how well, or why nothing; takes up to two seconds."""
        from bench.results.machine_record import Sensor

        self._probed = True
        self._counters, self._powers = [], []
        try:
            available = find_sources(self._context)
        except SensorReadError as failure:
            return Sensor(meter=self.name, usable=False, reason=failure.reason)
        unreadable = [*available.unreadable, *self._open_sources(available.sources)]
        good = [*self._counters, *(source for source, _ in self._powers)]
        if not good:
            reason = "; ".join(unreadable) or reason_without_source()
            return Sensor(meter=self.name, usable=False, reason=reason[:2000])
        pollers = self._pollers()
        poll_until(self._clock, pollers, lambda p: len(p.edges) >= PROBE_EDGES, PROBE_SECONDS)
        return self._sensor(good, unreadable, pollers)

    def _open_sources(self, sources: Sequence[ZeusSource]) -> list[str]:
        """Read every source once; the reasons of those that cannot be read."""
        unreadable = []
        for source in sources:
            try:
                source.read()
            except SensorReadError as failure:
                unreadable.append(failure.reason)
                continue
            if source.kind in ("counter", "polled"):
                self._counters.append(source)
            else:
                integrator = PowerIntegrator(source.read, self._clock)
                integrator.characterise(PROBE_SECONDS)
                self._powers.append((source, integrator))
        return unreadable

    def _sensor(
        self,
        good: Sequence[ZeusSource],
        unreadable: Sequence[str],
        pollers: Sequence[EdgePoller],
    ) -> Sensor:
        from bench.results.machine_record import Sensor

        steps = [statistics.median(poller.steps()) for poller in pollers if poller.steps()]
        if any(source.kind == "polled" for source in good):
            steps.append(JETSON_STEP_SECONDS)
        steps += [integrator.step_seconds for _, integrator in self._powers]
        self._step_seconds = max(steps, default=FIRST_STEP_SECONDS)
        readers = [*pollers, *(integrator for _, integrator in self._powers)]
        costs = [reader.read_cost for reader in readers if reader.read_costs]
        calibration, source = max((item.calibration for item in good), key=lambda item: item[0])
        return Sensor(
            meter=self.name,
            usable=True,
            reason="; ".join(unreadable)[:2000] or None,
            domains=tuple(item.domain for item in good),
            method="counter" if all(item.kind == "counter" for item in good) else "integrated",
            step_seconds=max(steps, default=None),
            read_cost_seconds=max(costs, default=None),
            calibration_relative_half_width=calibration,
            calibration_source=source,
        )

    def _pollers(self) -> list[EdgePoller]:
        return [EdgePoller(s.read, self._clock, self._step_seconds) for s in self._counters]

    def _next_steps(self) -> list[CounterEdge | str]:
        """The next step of every counter; of one that does not move, its value now."""
        timeout = 2 * self._step_seconds + FIRST_STEP_SECONDS
        return next_steps(self._clock, self._pollers(), timeout)

    def start(self) -> list[CounterEdge | str]:
        """The step of every counter just before the window; powers are sampled from now on."""
        if not self._probed:
            self.probe()
        for _, integrator in self._powers:
            integrator.start()
        for _, integrator in self._powers:
            integrator.wait_for_edges(EDGES_BEFORE, 0.0, _timeout(integrator))
        return self._next_steps()

    def stop(
        self, token: list[CounterEdge | str], began: float, ended: float
    ) -> tuple[Reading, ...]:
        """The energy of every source between `began` and `ended`."""
        steps = zip(self._counters, token, self._next_steps(), strict=True)
        counted = [counter_reading(*counter, began, ended) for counter in steps]
        for source, integrator in self._powers:
            model = integrator.sensor_model(source.averaged)
            since = ended + max(model.settle_seconds, model.latency.upper_bound)
            integrator.wait_for_edges(EDGES_AFTER, since, _timeout(integrator))
            integrator.stop()
        summed = [integrated_reading(*item, began, ended) for item in self._powers]
        return (*counted, *summed)

    def watts(self) -> Mapping[str, float]:
        """Power of each source: now, or for counters the mean since the last call."""
        now = {}
        for source in [*self._counters, *(source for source, _ in self._powers)]:
            try:
                seconds, value = self._clock.now(), source.read()
            except SensorReadError:
                continue
            if source.kind in ("power", "average power"):
                now[source.domain] = value
                continue
            before = self._last_shown.get(source.domain)
            self._last_shown[source.domain] = seconds, value
            if before is not None and seconds > before[0]:
                now[source.domain] = (value - before[1]) / (seconds - before[0])
        return now


def counter_reading(
    source: ZeusSource,
    first: CounterEdge | str,
    last: CounterEdge | str,
    began: float,
    ended: float,
) -> Reading:
    """The rise from a step before the window to one after it, scaled to the window.

    A text in place of a step is the reason why it could not be read.
    """
    subject = source.domain, METER, source.method, ended - began
    if isinstance(first, str) or isinstance(last, str):
        failure = first if isinstance(first, str) else str(last)
        return missing_reading(*subject, "read-failed", failure)
    rise, seconds = last.joules - first.joules, max(last.seconds - first.seconds, 1e-9)
    if rise < 0:
        return missing_reading(*subject, "counter-reset")
    if rise == 0 and not source.may_rest and seconds >= STILL_SECONDS:
        return missing_reading(*subject, "read-failed", "its counter does not move")
    unobserved = 0.0
    if source.kind == "polled":  # each step of zeus's own sum is off by the change of power in it
        steps = (ended - began) / JETSON_STEP_SECONDS
        unobserved = JETSON_STEP_SECONDS * math.sqrt((2 + LOAD_VARIATION**2 * steps) / 12)
    padding = padding_uncertainty(rise / seconds, first, last, began, ended, unobserved)
    uncertainty = math.hypot(padding, QUANTUM_JOULES / 6**0.5)
    return make_reading(*subject, rise * (ended - began) / seconds, uncertainty)


def integrated_reading(
    source: ZeusSource, integrator: PowerIntegrator, began: float, ended: float
) -> Reading:
    """Power integrated at the rate of its sensor, bracketed like a counter."""
    from bench.results.warning_catalogue import make_warning

    subject = source.domain, METER, source.method, ended - began
    if integrator.failure is not None:
        return missing_reading(*subject, "read-failed", integrator.failure)
    model = integrator.sensor_model(source.averaged)
    before, after = integrator.edges_outside(began, ended, model.settle_seconds)
    try:
        result = window_energy(before, after, began, ended, model)
    except ValueError:
        reason = "the sensor did not move for too long around the window"
        return missing_reading(*subject, "read-failed", reason)
    duty, code = (1.0, "power-averaged") if source.averaged else (POWER_DUTY, "aliasing-risk")
    sampling = integrator.sampling_uncertainty(began, ended, duty)
    uncertainty = math.hypot(result.standard_uncertainty, sampling)
    warning = make_warning(code, domain=source.domain)
    return make_reading(*subject, result.joules, uncertainty, [warning])


def _timeout(integrator: PowerIntegrator) -> float:
    """Seconds to wait for edges: twelve steps, the settling and a second for late reads."""
    return 1.0 + AVERAGE_SECONDS + 12 * integrator.step_seconds
