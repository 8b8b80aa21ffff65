"""AMD GPUs, Apple silicon and Jetson, read through the package zeus (`joulebench[zeus]`)."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.meters import make_reading
from bench.meters._bracketing import LOAD_VARIATION, CounterEdge, window_energy
from bench.meters._edge_poller import EdgePoller, SensorReadError, poll_until
from bench.meters._latency import LatencyPosterior
from bench.meters._power_integrator import PowerIntegrator
from bench.meters.zeus.sources import (
    JETSON_STEP_SECONDS,
    ZeusSource,
    find_sources,
    reason_without_source,
)

if TYPE_CHECKING:
    from bench.meters import MeterContext
    from bench.results.machine_record import Method, Sensor
    from bench.results.record import MeasurementWarning, Reading

METER = "zeus"
FIRST_STEP_SECONDS = 0.01  # assumed until the step is known
PROBE_EDGES, PROBE_SECONDS = 20, 1.2  # 20 edges of steps of up to 50 ms, with a margin of 0.2 s
EDGES_BEFORE, EDGES_AFTER = 4, 5  # of integrated power: a line through them has a misfit
EDGES_IN_FIT = 5  # the last edges before a window that its line goes through
AVERAGE_SECONDS = 1.0  # assumed: the longest time over which a driver averages power
POWER_DUTY = 0.5  # assumed: AMD does not state the share of time that its power reading samples
STILL_SECONDS = 1.0  # a counter that does not move for so long has failed, unless it may rest
QUANTUM_JOULES = 0.001  # zeus reports whole millijoules

CounterSteps = Mapping[str, CounterEdge | str]
"""By domain, the step of a counter nearest to an end of the window, or why it can't be read."""


class ZeusMeter:
    """Every device that zeus can read, except NVIDIA's and RAPL's.

    Counters are read at a step of theirs just before and just after the window and scaled to it.
    """

    name = METER

    def __init__(self, context: MeterContext) -> None:
        self._context, self._clock = context, context.clock
        self._counters: dict[str, ZeusSource] = {}
        self._powers: dict[str, tuple[ZeusSource, PowerIntegrator]] = {}
        self._step_seconds = FIRST_STEP_SECONDS
        self._last_shown: dict[str, tuple[float, float]] = {}
        self._probed = False

    def probe(self) -> Sensor:
        """What zeus can read here and how well, or why nothing; takes up to two seconds."""
        from bench.results.machine_record import Sensor

        self._probed = True
        self._counters, self._powers = {}, {}
        try:
            available = find_sources(self._context)
        except SensorReadError as failure:
            return Sensor(meter=self.name, usable=False, reason=failure.reason)
        unreadable = [*available.unreadable, *self._open_sources(available.sources)]
        good = [*self._counters.values(), *(source for source, _ in self._powers.values())]
        if not good:
            reason = "; ".join(unreadable) or reason_without_source()
            return Sensor(meter=self.name, usable=False, reason=reason[:2000])
        pollers = list(self._pollers().values())
        poll_until(self._clock, pollers, lambda p: len(p.edges) >= PROBE_EDGES, PROBE_SECONDS)
        return self._sensor(good, unreadable, pollers)

    def _open_sources(self, sources: Sequence[ZeusSource]) -> list[str]:
        """Read every source once; the reasons of those that can't be read."""
        unreadable = []
        for source in sources:
            try:
                source.read()
            except SensorReadError as failure:
                unreadable.append(failure.reason)
                continue
            if source.kind in ("counter", "polled"):
                self._counters[source.domain] = source
            else:
                integrator = PowerIntegrator(source.read, self._clock)
                integrator.characterise(PROBE_SECONDS)
                self._powers[source.domain] = source, integrator
        return unreadable

    def _sensor(
        self,
        good: Sequence[ZeusSource],
        unreadable: Sequence[str],
        pollers: Sequence[EdgePoller],
    ) -> Sensor:
        from bench.results.machine_record import Sensor

        steps = [step for poller in pollers if (step := _median_step(poller)) is not None]
        if any(source.kind == "polled" for source in good):
            steps.append(JETSON_STEP_SECONDS)
        steps += [integrator.step_seconds for _, integrator in self._powers.values()]
        self._step_seconds = max(steps, default=FIRST_STEP_SECONDS)
        costs = [p.read_costs for p in pollers] + [i.read_costs for _, i in self._powers.values()]
        calibration, source = max((item.calibration for item in good), key=lambda item: item[0])
        return Sensor(
            meter=self.name,
            usable=True,
            reason="; ".join(unreadable)[:2000] or None,
            domains=tuple(item.domain for item in good),
            method="counter" if all(item.kind == "counter" for item in good) else "integrated",
            step_seconds=max(steps, default=None),
            read_cost_seconds=max((statistics.median(c) for c in costs if c), default=None),
            calibration_relative_half_width=calibration,
            calibration_source=source,
        )

    def _pollers(self) -> dict[str, EdgePoller]:
        return {
            domain: EdgePoller(source.read, self._clock, self._step_seconds)
            for domain, source in self._counters.items()
        }

    def _next_steps(self) -> CounterSteps:
        """The next step of every counter; of one that does not move, its value now."""
        pollers = self._pollers()
        timeout = 2 * self._step_seconds + FIRST_STEP_SECONDS
        poll_until(self._clock, list(pollers.values()), lambda p: bool(p.edges), timeout)
        return {domain: poller.failure or poller.latest() for domain, poller in pollers.items()}

    def start(self) -> CounterSteps:
        """The step of every counter just before the window; powers are sampled from now on."""
        if not self._probed:
            self.probe()
        for _, integrator in self._powers.values():
            integrator.start()
        for _, integrator in self._powers.values():
            integrator.wait_for_edges(EDGES_BEFORE, 0.0, _timeout(integrator))
        return self._next_steps()

    def stop(self, token: CounterSteps, began: float, ended: float) -> tuple[Reading, ...]:
        """The energy of every source between `began` and `ended`."""
        last = self._next_steps()
        for source, integrator in self._powers.values():
            since = ended + max(_settle_seconds(source), integrator.step_seconds)
            integrator.wait_for_edges(EDGES_AFTER, since, _timeout(integrator))
            integrator.stop()
        counted = [
            counter_reading(source, token[domain], last[domain], began, ended)
            for domain, source in self._counters.items()
        ]
        summed = [integrated_reading(*item, began, ended) for item in self._powers.values()]
        return (*counted, *summed)

    def watts(self) -> Mapping[str, float]:
        """Power of each source: now, or for counters the mean since the last call."""
        now = {}
        for source in [*self._counters.values(), *(s for s, _ in self._powers.values())]:
            try:
                seconds, value = self._clock.now(), source.read()
            except SensorReadError:
                continue
            if source.domain in self._powers:
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
    from bench.results.warning_catalogue import make_warning

    failure = next((side for side in (first, last) if isinstance(side, str)), None)
    if isinstance(first, CounterEdge) and isinstance(last, CounterEdge):
        rise, seconds = last.joules - first.joules, max(last.seconds - first.seconds, 1e-9)
        if rise < 0:
            reset = make_warning("counter-reset", domain=source.domain)
            return _reading(source, ended - began, reset)
        if rise > 0 or source.may_rest or seconds < STILL_SECONDS:
            uncertainty = _uncertainty(source, rise / seconds, (first, last), began, ended)
            energy = rise * (ended - began) / seconds
            return _reading(source, ended - began, None, energy, uncertainty)
        failure = "its counter does not move"
    failed = make_warning("read-failed", domain=source.domain, reason=failure)
    return _reading(source, ended - began, failed)


def integrated_reading(
    source: ZeusSource, integrator: PowerIntegrator, began: float, ended: float
) -> Reading:
    """Power integrated at the rate of its sensor, bracketed like a counter."""
    from bench.results.warning_catalogue import make_warning

    failure, settle = integrator.failure, _settle_seconds(source)
    if settle:
        latency = LatencyPosterior.uniform(0.0, settle / 2)
    else:
        latency = LatencyPosterior.prior(integrator.step_seconds)
    model = replace(integrator.sensor_model(), settle_seconds=settle, latency=latency)
    edges = integrator.edges
    before = [e for e in edges if e.seconds + e.gap_seconds / 2 <= began][-EDGES_IN_FIT:]
    after = [edge for edge in edges if edge.seconds > ended + settle]
    if failure is None:
        try:
            result = window_energy(before, after, began, ended, model)
        except ValueError:
            failure = "the sensor did not move for too long around the window"
        else:
            sampling = integrator.sampling_uncertainty(began, ended, 1.0 if settle else POWER_DUTY)
            code = "power-averaged" if settle else "aliasing-risk"
            warning = make_warning(code, domain=source.domain)
            uncertainty = math.hypot(result.standard_uncertainty, sampling)
            return _reading(source, ended - began, warning, result.joules, uncertainty)
    failed = make_warning("read-failed", domain=source.domain, reason=failure)
    return _reading(source, ended - began, failed)


def _median_step(poller: EdgePoller) -> float | None:
    steps = [new.seconds - old.seconds for old, new in itertools.pairwise(poller.edges)]
    return statistics.median(steps) if steps else None


def _timeout(integrator: PowerIntegrator) -> float:
    """Seconds to wait for edges: twelve steps, the settling and a second for late reads."""
    return 1.0 + AVERAGE_SECONDS + 12 * integrator.step_seconds


def _settle_seconds(source: ZeusSource) -> float:
    """How long after a change of power a reading still holds power from before it."""
    return AVERAGE_SECONDS if source.kind == "average power" else 0.0


def _uncertainty(
    source: ZeusSource,
    watts: float,
    ends: tuple[CounterEdge, CounterEdge],
    began: float,
    ended: float,
) -> float:
    """In joules: power in the padding is uniform between 0 and twice the mean.

    Where zeus itself sums power, each of its steps may be off by the change of power within it.
    """
    first, last = ends
    pads = math.hypot(began - first.seconds, last.seconds - ended) / 3**0.5
    gaps = math.hypot(first.gap_seconds, last.gap_seconds) / 12**0.5
    unobserved = 0.0
    if source.kind == "polled":
        steps = (ended - began) / JETSON_STEP_SECONDS
        unobserved = JETSON_STEP_SECONDS * math.sqrt((2 + LOAD_VARIATION**2 * steps) / 12)
    return math.hypot(watts * math.hypot(pads, gaps, unobserved), QUANTUM_JOULES / 6**0.5)


def _reading(
    source: ZeusSource,
    seconds: float,
    warning: MeasurementWarning | None,
    joules: float | None = None,
    uncertainty: float | None = None,
) -> Reading:
    method: Method = "counter" if source.kind == "counter" else "integrated"
    warnings = () if warning is None else (warning,)
    return make_reading(source.domain, METER, method, seconds, joules, uncertainty, warnings)
