"""AMD GPUs, Apple silicon and Jetson, read through the package zeus (`joulebench[zeus]`)."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.meters import _bracketing
from bench.meters._bracketing import RESTLESS, CounterEdge
from bench.meters._edge_poller import EdgePoller, SensorReadError, poll_until
from bench.meters._latency import LatencyPosterior
from bench.meters._power_integrator import PowerIntegrator
from bench.meters.zeus.sources import JETSON_STEP_SECONDS, ZeusSource, find, why_none

if TYPE_CHECKING:
    from bench.meters import MeterContext
    from bench.results.machine_record import Sensor
    from bench.results.record import MeasurementWarning, Reading

FIRST_STEP_SECONDS = 0.01  # until the sensor is known
PROBE_SECONDS = 1.2
PROBE_EDGES = 20
EDGES_BEFORE, EDGES_AFTER = 4, 5
Steps = Mapping[str, CounterEdge | str]


"""The step of each counter nearest to an end of the window, or why it can't be read."""


METER = "zeus"


class ZeusMeter:
    """Every device that zeus can read, NVIDIA's and RAPL's apart.

    Counters are read at a step of theirs just before and just after the window and scaled to it.
    """

    name = METER

    def __init__(self, site: MeterContext) -> None:
        self._site, self._clock = site, site.clock
        self._counters: dict[str, ZeusSource] = {}
        self._powers: dict[str, tuple[ZeusSource, PowerIntegrator]] = {}
        self._step_seconds = FIRST_STEP_SECONDS
        self._shown: dict[str, tuple[float, float]] = {}
        self._probed = False

    def probe(self) -> Sensor:
        """What zeus can read here and how well, or why nothing; takes up to two seconds."""
        from bench.results.machine_record import Sensor

        self._probed = True
        self._counters, self._powers = {}, {}
        try:
            found = find(self._site)
        except SensorReadError as failure:
            return Sensor(meter=self.name, usable=False, reason=failure.reason)
        refused = [*found.refused, *self._open(found.sources)]
        good = [*self._counters.values(), *(source for source, _ in self._powers.values())]
        if not good:
            reason = "; ".join(refused) or why_none()
            return Sensor(meter=self.name, usable=False, reason=reason[:2000])
        watches = self._watches()
        poll_until(self._clock, list(watches.values()), _known, PROBE_SECONDS)
        return self._sensor(good, refused, list(watches.values()))

    def _open(self, sources: Sequence[ZeusSource]) -> list[str]:
        """Read every source once; the reasons of those that can't be."""
        refused = []
        for source in sources:
            try:
                source.read()
            except SensorReadError as failure:
                refused.append(failure.reason)
                continue
            if source.kind in ("counter", "polled"):
                self._counters[source.domain] = source
            else:
                sampler = PowerIntegrator(source.read, self._clock)
                sampler.characterise(PROBE_SECONDS)
                self._powers[source.domain] = source, sampler
        return refused

    def _sensor(
        self, good: Sequence[ZeusSource], refused: Sequence[str], watches: Sequence[EdgePoller]
    ) -> Sensor:
        from bench.results.machine_record import Sensor

        steps = [s for watch in watches if (s := _step(watch)) is not None]
        if any(source.kind == "polled" for source in good):
            steps.append(JETSON_STEP_SECONDS)
        steps += [sampler.step_seconds for _, sampler in self._powers.values()]
        self._step_seconds = max(steps, default=FIRST_STEP_SECONDS)
        costs = [w.costs for w in watches] + [s.costs for _, s in self._powers.values()]
        calibration, source = max((item.calibration for item in good), key=lambda item: item[0])
        return Sensor(
            meter=self.name,
            usable=True,
            reason="; ".join(refused)[:2000] or None,
            domains=tuple(item.domain for item in good),
            method="counter" if all(item.kind == "counter" for item in good) else "integrated",
            step_seconds=max(steps, default=None),
            read_cost_seconds=max((statistics.median(c) for c in costs if c), default=None),
            calibration_relative_half_width=calibration,
            calibration_source=source,
        )

    def _watches(self) -> dict[str, EdgePoller]:
        return {
            domain: EdgePoller(source.read, self._clock, self._step_seconds)
            for domain, source in self._counters.items()
        }

    def _steps(self) -> Steps:
        """The next step of every counter; one that rests is read as it is."""
        watches = self._watches()
        patience = 2 * self._step_seconds + FIRST_STEP_SECONDS
        poll_until(self._clock, list(watches.values()), lambda w: bool(w.edges), patience)
        return {domain: watch.failure or watch.newest() for domain, watch in watches.items()}

    def start(self) -> Steps:
        """The step of every counter just before the window; powers are sampled from now on."""
        if not self._probed:
            self.probe()
        for _, sampler in self._powers.values():
            sampler.begin()
        for _, sampler in self._powers.values():
            sampler.wait(EDGES_BEFORE, 0.0, self._patience(sampler))
        return self._steps()

    def _patience(self, sampler: PowerIntegrator) -> float:
        return 1.0 + AVERAGE_SECONDS + 12 * sampler.step_seconds

    def stop(self, mark: Steps, began: float, ended: float) -> tuple[Reading, ...]:
        """The energy of every source between `began` and `ended`."""
        last = self._steps()
        for source, sampler in self._powers.values():
            since = ended + max(settle_seconds(source), sampler.step_seconds)
            sampler.wait(EDGES_AFTER, since, self._patience(sampler))
            sampler.end()
        counted = [
            counter_energy(source, mark[domain], last[domain], began, ended)
            for domain, source in self._counters.items()
        ]
        summed = [integrated_energy(*item, began, ended) for item in self._powers.values()]
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
            before = self._shown.get(source.domain)
            self._shown[source.domain] = seconds, value
            if before is not None and seconds > before[0]:
                now[source.domain] = (value - before[1]) / (seconds - before[0])
        return now


def _known(watch: EdgePoller) -> bool:
    return len(watch.edges) >= PROBE_EDGES


def _step(watch: EdgePoller) -> float | None:
    times = [new.seconds - old.seconds for old, new in itertools.pairwise(watch.edges)]
    return statistics.median(times) if times else None


AVERAGE_SECONDS = 1.0  # the longest time over which a driver is taken to average power
POWER_DUTY = 0.5  # nobody says for what share of the time AMD's power reading looks
STILL_SECONDS = 1.0  # a counter that stands still for so long is dead, unless its part may rest
QUANTUM_JOULES = 0.001


def counter_energy(
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
        used, seconds = last.joules - first.joules, max(last.seconds - first.seconds, 1e-9)
        if used < 0:
            return _made(
                source, began, ended, [make_warning("counter-reset", domain=source.domain)]
            )
        if used > 0 or source.may_rest or seconds < STILL_SECONDS:
            spread = _spread(source, used / seconds, (first, last), began, ended)
            return _made(source, began, ended, [], used * (ended - began) / seconds, spread)
        failure = "its counter does not move"
    why = make_warning("read-failed", domain=source.domain, reason=failure)
    return _made(source, began, ended, [why])


def _spread(
    source: ZeusSource,
    watts: float,
    ends: tuple[CounterEdge, CounterEdge],
    began: float,
    ended: float,
) -> float:
    """In joules: power in the padding may be up to twice the mean; a step is known to its gap.

    Where zeus itself sums power, each of its steps may be off by as much as power changes in it.
    """
    first, last = ends
    pads = math.hypot(began - first.seconds, last.seconds - ended) / 3**0.5
    gaps = math.hypot(first.gap_seconds, last.gap_seconds) / 12**0.5
    blind = 0.0
    if source.kind == "polled":
        steps = (ended - began) / JETSON_STEP_SECONDS
        blind = JETSON_STEP_SECONDS * math.sqrt((2 + RESTLESS**2 * steps) / 12)
    return math.hypot(watts * math.hypot(pads, gaps, blind), QUANTUM_JOULES / 6**0.5)


def settle_seconds(source: ZeusSource) -> float:
    """How long after a change of power a reading still holds something of what was before."""
    return AVERAGE_SECONDS if source.kind == "average power" else 0.0


def integrated_energy(
    source: ZeusSource, sampler: PowerIntegrator, began: float, ended: float
) -> Reading:
    """Power summed at the rate of its sensor, bracketed like a counter."""
    from bench.results.warning_catalogue import make_warning

    failure, settle = sampler.failure, settle_seconds(source)
    step = sampler.step_seconds
    lag = LatencyPosterior.between(0.0, settle / 2) if settle else LatencyPosterior.unknown(step)
    traits = replace(sampler.traits(), settle_seconds=settle, lag=lag)
    before = [e for e in sampler.edges if e.seconds + e.gap_seconds / 2 <= began][-5:]
    after = [edge for edge in sampler.edges if edge.seconds > ended + settle]
    if failure is None:
        try:
            bill = _bracketing.window_energy(before, after, began, ended, traits)
        except ValueError:
            failure = "the sensor did not move for too long around the window"
        else:
            blur = sampler.blur(began, ended, 1.0 if settle else POWER_DUTY)
            why = make_warning(
                "power-averaged" if settle else "aliasing-risk", domain=source.domain
            )
            spread = math.hypot(bill.uncertainty, blur)
            return _made(source, began, ended, [why], bill.joules, spread)
    why = make_warning("read-failed", domain=source.domain, reason=failure)
    return _made(source, began, ended, [why])


def _made(
    source: ZeusSource,
    began: float,
    ended: float,
    warnings: Sequence[MeasurementWarning],
    energy: float | None = None,
    spread: float | None = None,
) -> Reading:
    from bench.results.record import Reading

    return Reading(
        domain=source.domain,
        meter=METER,
        method="counter" if source.kind == "counter" else "integrated",
        energy_joules=energy,
        standard_uncertainty_joules=spread,
        duration_seconds=ended - began,
        warnings=tuple(warnings),
    )
