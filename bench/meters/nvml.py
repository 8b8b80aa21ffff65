"""NVIDIA GPUs: the energy counter bracketed between its steps, or the power reading integrated."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.meters import _nvidia_idle
from bench.meters._nvidia_card import METER, USUAL_STEP_SECONDS, Card, guarded, has_average, watts
from bench.meters._watch import Watch, collect
from bench.meters.edges import Edge
from bench.system import nvidia_driver

if TYPE_CHECKING:
    from bench.meters import Site
    from bench.results.machine_record import Sensor
    from bench.results.record import Reading

PROBE_SECONDS = 1.6
PROBE_EDGES = 13
EDGES_BEFORE, EDGES_AFTER = 6, 9  # at most; fewer where the bill is sharp already
EDGES_LEAST = 3
EDGES_BEFORE_LONG = 4
EDGES_UNDER_LOAD = 8
LONG_STEPS = 10  # a window of so many steps is sharp with the fewest edges before it
OPTIONS = ("nvml_counter_duty", "nvml_power_duty", "nvml_back_to_back", "nvml_mig")
GAIN = 0.05
GAIN_SOURCE = "assumed: NVIDIA states ±5 % for power readings of most cards"
MODULE_SOURCE = "; the counter covers the whole module, with the CPU and its memory"


@dataclass(frozen=True)
class Mark:
    """An open window: steps seen before it by domain, and (seconds, joules) of idle GPUs."""

    before: Mapping[str, tuple[Edge, ...]]
    plain: Mapping[str, tuple[float, float]]


class NvmlMeter:
    """All NVIDIA GPUs of the site; those in use are bracketed, the others read plainly.

    Options: `nvml_counter_duty` and `nvml_power_duty`, the share of time (0 to 1) for which the
    sensor behind the counter (taken as 1) and behind the power reading (taken as 0.25) looks;
    `nvml_back_to_back=1` for a load that goes on before a window and after it, so that there is no
    rest to anchor on; `nvml_mig=whole` for the energy of the whole of a card that MIG splits.
    """

    name = METER

    def __init__(self, site: Site) -> None:
        self._clock = site.clock
        self._counter_duty = _share(site, "nvml_counter_duty", 1.0)
        self._power_duty = _share(site, "nvml_power_duty", 0.25)
        self._under_load = site.options.get("nvml_back_to_back", "0") not in ("", "0")
        self._edges_before = EDGES_BEFORE
        whole = site.options.get("nvml_mig", "") == "whole"
        mine = [d for d in site.devices if d.domain.startswith("gpu:") and d.uuid]
        self._cards = [Card(d, d.uuid or "", site.clock, whole_card=whole) for d in mine if d.used]
        self._others = [d for d in mine if not d.used]
        self._probed = False
        self._chance = random.Random()  # the run's own stream of chance stays untouched

    def probe(self) -> Sensor:
        """Which GPUs can be read and how well; takes up to two seconds, at rest."""
        from bench.results.machine_record import Sensor

        self._probed = True
        if not self._cards:
            return Sensor(meter=self.name, usable=False, reason=_why_none())
        for card in self._cards:
            card.choose()
        self._characterise()
        for card in self._cards:
            if card.watch is None:
                card.integrate(PROBE_SECONDS, self._power_duty)
            elif self._counter_duty < 1 and has_average(card.uuid):
                card.integrate(PROBE_SECONDS, self._counter_duty)
        return self._sensor()

    def _characterise(self) -> None:
        """Watch all counters at rest, and power beside them."""
        counted = [(card, card.watch) for card in self._cards if card.watch]
        power = [
            Watch(guarded(watts, card.uuid), self._clock, USUAL_STEP_SECONDS, 0.01)
            for card, _ in counted
        ]
        counters = {watch for _, watch in counted}
        collect(
            self._clock,
            [*counters, *power],
            lambda watch: watch not in counters or len(watch.edges) >= PROBE_EDGES,
            PROBE_SECONDS,
        )
        for (card, _), beside in zip(counted, power, strict=True):
            card.learn(beside.edges, self._counter_duty)

    def _sensor(self) -> Sensor:
        from bench.results.machine_record import Sensor

        good = [card for card in self._cards if card.reason is None]
        bad = [f"{card.device.domain}: {card.reason}" for card in self._cards if card.reason]
        if not good:
            return Sensor(meter=self.name, usable=False, reason="; ".join(bad))
        slowest = max((card.traits for card in good), key=lambda traits: traits.step_seconds)
        ratios = [card.power_ratio for card in good if card.power_ratio is not None]
        counted = all(card.watch for card in good)
        return Sensor(
            meter=self.name,
            usable=True,
            reason="; ".join(bad) or None,
            domains=tuple(card.device.domain for card in good),
            method="counter" if counted else "integrated",
            step_seconds=slowest.step_seconds,
            jitter_seconds=slowest.jitter_seconds if counted else None,
            quantum_joules=slowest.quantum_joules if counted else None,
            read_cost_seconds=max(card.traits.read_cost_seconds for card in good),
            counter_to_power_ratio=max(ratios, key=lambda r: abs(r - 1)) if ratios else None,
            gain_relative_half_width=GAIN,
            gain_source=GAIN_SOURCE + (MODULE_SOURCE if self._covers_module() else ""),
        )

    def _covers_module(self) -> bool:
        return any(nvidia_driver.covers_module(card.device.name) for card in self._cards)

    def start(self) -> Mark:
        """Wait for a few steps of every GPU's sensor, then begin at a random phase of it.

        Windows of equal work would else end at the same phase each time: a late counter would
        never be found out, and what a part-time sensor misses would not scatter but repeat. Only
        under a load that goes on does a window begin right at a step, where the counter is known.
        """
        if not self._probed:
            self.probe()
        plain = _nvidia_idle.looks(self._others, self._clock)
        sampled = [card.sampler for card in self._cards if card.sampler]
        for sampler in sampled:
            sampler.begin()
        watches = [card.watch for card in self._cards if card.watch]
        for watch in watches:
            watch.clear()
        wanted = EDGES_UNDER_LOAD if self._under_load else self._edges_before
        collect(self._clock, watches, lambda w: w.sharp() >= wanted, self._patience())
        for sampler in sampled:
            sampler.wait(wanted, 0.0, self._patience())
        if not (self._under_load and watches and self._counter_duty == 1):
            self._clock.sleep(self._chance.random() * self._longest_step())
        before = {c.device.domain: tuple(c.watch.edges) for c in self._cards if c.watch}
        return Mark(before, plain)

    def _longest_step(self) -> float:
        return max((card.traits.step_seconds for card in self._cards), default=0.0)

    def _patience(self) -> float:
        """Seconds after which a sensor that doesn't move is given up."""
        traits = [card.traits for card in self._cards]
        return 1.0 + max((12 * t.step_seconds + t.settle_seconds for t in traits), default=0.0)

    def stop(self, mark: Mark, began: float, ended: float) -> tuple[Reading, ...]:
        """Wait for steps after the window, and bill what lies between `began` and `ended`."""
        plain = _nvidia_idle.readings(self._others, mark.plain, self._clock, began, ended)
        counted = [c for c in self._cards if c.watch and not c.watch.failure]
        for card in counted:
            card.resume()
        enough = {c.watch: self._enough(c, mark, began, ended) for c in counted}
        collect(
            self._clock,
            [c.watch for c in counted if c.watch],
            lambda watch: enough[watch](),
            self._patience(),
        )
        longest = self._longest_step()
        self._edges_before = (
            EDGES_BEFORE_LONG if ended - began > LONG_STEPS * longest else EDGES_BEFORE
        )
        for card in self._cards:
            if card.sampler:
                since = ended + max(card.traits.settle_seconds, card.traits.lag.high)
                card.sampler.wait(EDGES_AFTER, since, self._patience())
                card.sampler.end()
        readings = [
            card.reading(
                mark.before.get(card.device.domain, ()), began, ended, under_load=self._under_load
            )
            for card in self._cards
        ]
        return (*readings, *plain)

    def _enough(self, card: Card, mark: Mark, began: float, ended: float) -> Callable[[], bool]:
        """Tells whether a counter's steps after the window make its bill as sharp as it need be."""
        watch = card.watch
        assert watch is not None
        if self._under_load:
            return lambda: watch.sharp(ended) >= EDGES_UNDER_LOAD
        before, since = mark.before.get(card.device.domain, ()), ended + card.traits.lag.high
        judged: dict[int, bool] = {}

        def enough() -> bool:
            count = watch.sharp(since)
            if count < EDGES_LEAST or count >= EDGES_AFTER:
                return count >= EDGES_AFTER
            if count not in judged:
                judged[count] = card.is_sharp(before, began, ended)
            return judged[count]

        return enough

    def watts(self) -> Mapping[str, float]:
        """Power of each GPU in use at this moment, in watts; one that can't be read is left out."""
        now = {}
        for card in self._cards:
            try:
                now[card.device.domain] = nvidia_driver.power(card.uuid).watts
            except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
                continue
        return now


def _share(site: Site, name: str, usual: float) -> float:
    """An option that is a share of time. Raises ValueError for any other."""
    text = site.options.get(name)
    try:
        share = usual if text is None else float(text)
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise ValueError(f"the meter's option {name} is a share of time, above 0 to 1, not {text}")
    return share


def _why_none() -> str:
    try:
        found = nvidia_driver.list_gpus()
    except nvidia_driver.NvidiaUnavailable as failure:
        return failure.reason
    return "the run uses no NVIDIA GPU" if found else "this machine shows no NVIDIA GPU"


def build(site: Site) -> NvmlMeter:
    """The meter of this site's NVIDIA GPUs."""
    return NvmlMeter(site)
