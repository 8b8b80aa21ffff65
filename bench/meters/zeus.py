"""AMD GPUs, Apple silicon and Jetson, read through the package zeus (`joulebench[zeus]`)."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.meters import _zeus_bill, _zeus_sources
from bench.meters._sampler import Sampler
from bench.meters._watch import CannotRead, Watch, collect
from bench.meters._zeus_sources import JETSON_STEP_SECONDS, Source
from bench.meters.edges import Edge

if TYPE_CHECKING:
    from bench.meters import Site
    from bench.results.machine_record import Sensor
    from bench.results.record import Reading

FIRST_STEP_SECONDS = 0.01  # until the sensor is known
PROBE_SECONDS = 1.2
PROBE_EDGES = 20
EDGES_BEFORE, EDGES_AFTER = 4, 5

Steps = Mapping[str, Edge | str]
"""The step of each counter nearest to an end of the window, or why it can't be read."""


class ZeusMeter:
    """Every device that zeus can read, NVIDIA's and RAPL's apart.

    Counters are read at a step of theirs just before and just after the window and scaled to it.
    """

    name = _zeus_bill.METER

    def __init__(self, site: Site) -> None:
        self._site, self._clock = site, site.clock
        self._counters: dict[str, Source] = {}
        self._powers: dict[str, tuple[Source, Sampler]] = {}
        self._step_seconds = FIRST_STEP_SECONDS
        self._shown: dict[str, tuple[float, float]] = {}
        self._probed = False

    def probe(self) -> Sensor:
        """What zeus can read here and how well, or why nothing; takes up to two seconds."""
        from bench.results.machine_record import Sensor

        self._probed = True
        self._counters, self._powers = {}, {}
        try:
            found = _zeus_sources.find(self._site)
        except CannotRead as failure:
            return Sensor(meter=self.name, usable=False, reason=failure.reason)
        refused = [*found.refused, *self._open(found.sources)]
        good = [*self._counters.values(), *(source for source, _ in self._powers.values())]
        if not good:
            reason = "; ".join(refused) or _zeus_sources.why_none()
            return Sensor(meter=self.name, usable=False, reason=reason[:2000])
        watches = self._watches()
        collect(self._clock, list(watches.values()), _known, PROBE_SECONDS)
        return self._sensor(good, refused, list(watches.values()))

    def _open(self, sources: Sequence[Source]) -> list[str]:
        """Read every source once; the reasons of those that can't be."""
        refused = []
        for source in sources:
            try:
                source.read()
            except CannotRead as failure:
                refused.append(failure.reason)
                continue
            if source.kind in ("counter", "polled"):
                self._counters[source.domain] = source
            else:
                sampler = Sampler(source.read, self._clock)
                sampler.characterise(PROBE_SECONDS)
                self._powers[source.domain] = source, sampler
        return refused

    def _sensor(
        self, good: Sequence[Source], refused: Sequence[str], watches: Sequence[Watch]
    ) -> Sensor:
        from bench.results.machine_record import Sensor

        steps = [s for watch in watches if (s := _step(watch)) is not None]
        if any(source.kind == "polled" for source in good):
            steps.append(JETSON_STEP_SECONDS)
        steps += [sampler.step_seconds for _, sampler in self._powers.values()]
        self._step_seconds = max(steps, default=FIRST_STEP_SECONDS)
        costs = [w.costs for w in watches] + [s.costs for _, s in self._powers.values()]
        gain, source = max((item.gain for item in good), key=lambda item: item[0])
        return Sensor(
            meter=self.name,
            usable=True,
            reason="; ".join(refused)[:2000] or None,
            domains=tuple(item.domain for item in good),
            method="counter" if all(item.kind == "counter" for item in good) else "integrated",
            step_seconds=max(steps, default=None),
            read_cost_seconds=max((statistics.median(c) for c in costs if c), default=None),
            gain_relative_half_width=gain,
            gain_source=source,
        )

    def _watches(self) -> dict[str, Watch]:
        return {
            domain: Watch(source.read, self._clock, self._step_seconds)
            for domain, source in self._counters.items()
        }

    def _steps(self) -> Steps:
        """The next step of every counter; one that rests is read as it is."""
        watches = self._watches()
        patience = 2 * self._step_seconds + FIRST_STEP_SECONDS
        collect(self._clock, list(watches.values()), lambda w: bool(w.edges), patience)
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

    def _patience(self, sampler: Sampler) -> float:
        return 1.0 + _zeus_bill.AVERAGE_SECONDS + 12 * sampler.step_seconds

    def stop(self, mark: Steps, began: float, ended: float) -> tuple[Reading, ...]:
        """The energy of every source between `began` and `ended`."""
        last = self._steps()
        for source, sampler in self._powers.values():
            since = ended + max(_zeus_bill.settle_seconds(source), sampler.step_seconds)
            sampler.wait(EDGES_AFTER, since, self._patience(sampler))
            sampler.end()
        counted = [
            _zeus_bill.counted(source, mark[domain], last[domain], began, ended)
            for domain, source in self._counters.items()
        ]
        summed = [_zeus_bill.summed(*item, began, ended) for item in self._powers.values()]
        return (*counted, *summed)

    def watts(self) -> Mapping[str, float]:
        """Power of each source: now, or for counters the mean since the last call."""
        now = {}
        for source in [*self._counters.values(), *(s for s, _ in self._powers.values())]:
            try:
                seconds, value = self._clock.now(), source.read()
            except CannotRead:
                continue
            if source.domain in self._powers:
                now[source.domain] = value
                continue
            before = self._shown.get(source.domain)
            self._shown[source.domain] = seconds, value
            if before is not None and seconds > before[0]:
                now[source.domain] = (value - before[1]) / (seconds - before[0])
        return now


def _known(watch: Watch) -> bool:
    return len(watch.edges) >= PROBE_EDGES


def _step(watch: Watch) -> float | None:
    times = [new.seconds - old.seconds for old, new in itertools.pairwise(watch.edges)]
    return statistics.median(times) if times else None


def build(site: Site) -> ZeusMeter:
    """The meter of what zeus can read on this machine."""
    return ZeusMeter(site)
