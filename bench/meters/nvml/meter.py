"""NVIDIA GPUs: the energy counter bracketed between its steps, or the power reading integrated."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.meters._bracketing import CounterEdge, CounterReading, edges_from_reading
from bench.meters._edge_poller import EdgePoller, poll_until
from bench.meters.nvml import unused_gpus
from bench.meters.nvml.gpu_sensor import (
    CALIBRATION_HALF_WIDTH,
    CALIBRATION_SOURCE,
    METER,
    USUAL_STEP_SECONDS,
    GpuSensor,
    guarded,
    has_average,
    watts,
)
from bench.system import nvidia_driver
from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.meters import MeterContext
    from bench.meters._power_integrator import PowerIntegrator
    from bench.results.machine_record import Device, Sensor
    from bench.results.record import MeasurementWarning, Reading

PROBE_SECONDS = 1.6
PROBE_EDGES = 13
EDGES_BEFORE, EDGES_AFTER = 6, 9  # at most; fewer where the bill is sharp already
EDGES_LEAST = 3
EDGES_BEFORE_LONG = 4
EDGES_UNDER_LOAD = 8
LONG_STEPS = 10  # a window of so many steps is sharp with the fewest edges before it
MODULE_SOURCE = "; the counter covers the whole module, with the CPU and its memory"


@dataclass(frozen=True)
class NvmlMark:
    """An open window: steps seen before it by domain, and (seconds, joules) of idle GPUs."""

    before: Mapping[str, tuple[CounterEdge, ...]]
    plain: Mapping[str, tuple[float, float]]


class NvmlMeter:
    """All NVIDIA GPUs of the site; those in use are bracketed, the others read plainly.

    Options: `nvml_counter_duty` and `nvml_power_duty`, the share of time (0 to 1) for which the
    sensor behind the counter (taken as 1) and behind the power reading (taken as 0.25) looks;
    `nvml_back_to_back=1` for a load that goes on before a window and after it, so that there is no
    rest to anchor on; `nvml_mig=whole` for the energy of the whole of a card that MIG splits.
    """

    name = METER

    def __init__(self, site: MeterContext) -> None:
        self._clock = site.clock
        self._counter_duty = _share(site, "nvml_counter_duty", 1.0)
        self._power_duty = _share(site, "nvml_power_duty", 0.25)
        self._under_load = site.options.get("nvml_back_to_back", "0") not in ("", "0")
        self._edges_before = EDGES_BEFORE
        whole = site.options.get("nvml_mig", "") == "whole"
        mine = [d for d in site.devices if d.domain.startswith("gpu:") and d.uuid]
        self._cards = [
            GpuSensor(d, d.uuid or "", site.clock, whole_card=whole) for d in mine if d.used
        ]
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
            EdgePoller(guarded(watts, card.uuid), self._clock, USUAL_STEP_SECONDS, 0.01)
            for card, _ in counted
        ]
        counters = {watch for _, watch in counted}
        poll_until(
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
            calibration_relative_half_width=CALIBRATION_HALF_WIDTH,
            calibration_source=CALIBRATION_SOURCE
            + (MODULE_SOURCE if self._covers_module() else ""),
        )

    def _covers_module(self) -> bool:
        return any(nvidia_driver.covers_module(card.device.name) for card in self._cards)

    def start(self) -> NvmlMark:
        """Wait for a few steps of every GPU's sensor, then begin at a random phase of it.

        Windows of equal work would else end at the same phase each time: a late counter would
        never be found out, and what a part-time sensor misses would not scatter but repeat. Only
        under a load that goes on does a window begin right at a step, where the counter is known.
        """
        if not self._probed:
            self.probe()
        plain = unused_gpus.looks(self._others, self._clock)
        sampled = [card.sampler for card in self._cards if card.sampler]
        for sampler in sampled:
            sampler.begin()
        watches = [card.watch for card in self._cards if card.watch]
        for watch in watches:
            watch.clear()
        wanted = EDGES_UNDER_LOAD if self._under_load else self._edges_before
        poll_until(self._clock, watches, lambda w: w.sharp() >= wanted, self._patience())
        for sampler in sampled:
            sampler.wait(wanted, 0.0, self._patience())
        if not (self._under_load and watches and self._counter_duty == 1):
            self._clock.sleep(self._chance.random() * self._longest_step())
        before = {c.device.domain: tuple(c.watch.edges) for c in self._cards if c.watch}
        return NvmlMark(before, plain)

    def _longest_step(self) -> float:
        return max((card.traits.step_seconds for card in self._cards), default=0.0)

    def _patience(self) -> float:
        """Seconds after which a sensor that doesn't move is given up."""
        traits = [card.traits for card in self._cards]
        return 1.0 + max((12 * t.step_seconds + t.settle_seconds for t in traits), default=0.0)

    def stop(self, mark: NvmlMark, began: float, ended: float) -> tuple[Reading, ...]:
        """Wait for steps after the window, and bill what lies between `began` and `ended`."""
        plain = unused_gpus.readings(self._others, mark.plain, self._clock, began, ended)
        counted = [c for c in self._cards if c.watch and not c.watch.failure]
        for card in counted:
            card.resume()
        enough = {c.watch: self._enough(c, mark, began, ended) for c in counted}
        poll_until(
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

    def _enough(
        self, card: GpuSensor, mark: NvmlMark, began: float, ended: float
    ) -> Callable[[], bool]:
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


def _share(site: MeterContext, name: str, usual: float) -> float:
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


EDGES_TO_LEARN, CUMULATIVE_EDGES_AFTER = 8, 5
PATIENCE_SECONDS = 2.0
POWER_DUTY = 0.25


@dataclass
class _Gpu:
    """One GPU as it was seen before the program, and what has come of it."""

    domain: str
    uuid: str
    first: CounterReading | None = None
    last: CounterReading | None = None
    sampler: PowerIntegrator | None = None
    failure: str | None = None
    trouble: str | None = None  # of the last rough look alone: a counter outlives a failed look
    fell: bool = False
    averaged: bool = False
    watts: float | None = None
    card: GpuSensor | None = field(default=None, repr=False)

    @property
    def reason(self) -> str | None:
        """Why it can't be read, or None."""
        return self.failure or (self.card.reason if self.card else None)

    @property
    def joules(self) -> float | None:
        """What was drawn from the first look to the last, or None."""
        if self.first is None or self.last is None or self.failure or self.fell:
            return None
        return self.last.joules - self.first.joules


class NvidiaTally:
    """The counters of these GPUs; where there is none, their power, summed up in the background."""

    name = "nvml"

    def __init__(self, gpus: Sequence[nvidia_driver.GpuInfo], clock: Clock) -> None:
        self._clock = clock
        self._gpus = [_Gpu(f"gpu:{gpu.index}", gpu.uuid) for gpu in gpus]

    def begin(self) -> None:
        for gpu in self._gpus:
            try:
                joules = nvidia_driver.energy_joules(gpu.uuid)
            except nvidia_driver.NvidiaUnavailable as failure:
                gpu.failure = failure.reason
            except nvidia_driver.NvmlReadError as failure:
                if not failure.unsupported:
                    gpu.failure = failure.reason
                    continue
                self._integrate(gpu)
            else:
                gpu.first = gpu.last = CounterReading(self._clock.now(), joules, _watts(gpu.uuid))

    def _integrate(self, gpu: _Gpu) -> None:
        """Sum up power in the background; the reason where it can't be read either."""
        try:
            power = nvidia_driver.power(gpu.uuid)
        except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable) as failure:
            gpu.failure = failure.reason
            return
        from bench.meters._power_integrator import PowerIntegrator
        from bench.meters.nvml.gpu_sensor import guarded, watts

        gpu.averaged, gpu.watts = power.kind == "average", power.watts
        gpu.sampler = PowerIntegrator(guarded(watts, gpu.uuid), self._clock)
        gpu.sampler.begin()

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        return tuple(self._rough(gpu, began, now) for gpu in self._gpus)

    def _rough(self, gpu: _Gpu, began: float, now: float) -> Reading:
        """A plain difference, with the uncertainty of a step at each end."""
        from bench.meters.nvml.gpu_sensor import USUAL_STEP_SECONDS
        from bench.results.record import Reading
        from bench.results.warning_catalogue import make_warning

        joules = self._sampled(gpu) if gpu.sampler else self._counted(gpu)
        warnings: tuple[MeasurementWarning, ...] = ()
        if joules is None:
            reason = gpu.failure or gpu.trouble or "its sensor has not moved yet"
            code = "counter-reset" if gpu.fell else "energy-missing"
            warnings = (make_warning(code, domain=gpu.domain, reason=reason),)
        power = None if joules is None else joules / max(now - began, 1e-9)
        return Reading(
            domain=gpu.domain,
            meter=self.name,
            method="integrated" if gpu.sampler else "counter",
            energy_joules=joules,
            standard_uncertainty_joules=None
            if power is None
            else power * USUAL_STEP_SECONDS / 6**0.5,
            duration_seconds=now - began,
            warnings=warnings,
        )

    def _counted(self, gpu: _Gpu) -> float | None:
        if gpu.last is not None and not gpu.failure:
            try:
                joules = nvidia_driver.energy_joules(gpu.uuid)
            except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable) as failure:
                gpu.trouble = failure.reason
                return None
            gpu.trouble = None
            gpu.fell |= joules < gpu.last.joules
            gpu.last = CounterReading(self._clock.now(), joules, None)
        return gpu.joules

    def _sampled(self, gpu: _Gpu) -> float | None:
        assert gpu.sampler is not None
        gpu.failure = gpu.sampler.failure
        steps = gpu.sampler.edges
        return None if gpu.failure or len(steps) < 2 else steps[-1].joules - steps[0].joules

    def close(self, began: float, ended: float, devices: Sequence[Device]) -> tuple[Reading, ...]:
        """Watch the sensors at rest for about a second, learn them, and bill the window."""
        from bench.meters._edge_poller import poll_until
        from bench.meters.nvml.gpu_sensor import GpuSensor

        by_domain = {device.domain: device for device in devices}
        for gpu in self._gpus:
            gpu.card = GpuSensor(by_domain[gpu.domain], gpu.uuid, self._clock)
            if gpu.sampler is None:
                gpu.card.choose()
                gpu.card.reason = gpu.failure or gpu.card.reason
        watches = [g.card.watch for g in self._gpus if g.card and g.card.watch and not g.failure]
        poll_until(
            self._clock, watches, lambda w: w.sharp(ended) >= EDGES_TO_LEARN, PATIENCE_SECONDS
        )
        return tuple(self._bill(gpu, began, ended) for gpu in self._gpus)

    def _bill(self, gpu: _Gpu, began: float, ended: float) -> Reading:
        card = gpu.card
        assert card is not None
        if gpu.fell:
            return self._rough(gpu, began, ended)
        if gpu.sampler is not None:
            return self._bill_sampled(gpu, gpu.sampler, card, began, ended)
        if gpu.failure or gpu.first is None:
            card.watch = None
        elif card.watch is not None:
            seen = card.watch.newest()
            card.learn((), 1.0)
            first = gpu.first
            mean = (seen.joules - first.joules) / max(seen.seconds - first.seconds, 1e-9)
            before = edges_from_reading(first, began, card.traits.step_seconds, mean)
            return card.reading(before, began, ended)
        return card.reading((), began, ended)

    def _bill_sampled(
        self, gpu: _Gpu, sampler: PowerIntegrator, card: GpuSensor, began: float, ended: float
    ) -> Reading:
        sampler.learn()
        card.averaged = gpu.averaged
        card.take(sampler, 1.0 if gpu.averaged else POWER_DUTY)
        since = ended + max(card.traits.settle_seconds, card.traits.lag.high)
        sampler.wait(CUMULATIVE_EDGES_AFTER, since, PATIENCE_SECONDS)
        sampler.end()
        before: Sequence[CounterEdge] = ()
        if sampler.edges:
            first = sampler.edges[0]
            look = CounterReading(first.seconds, first.joules, gpu.watts)
            before = edges_from_reading(look, began, card.traits.step_seconds, 0.0)
        return card.reading(before, began, ended)

    def sensor(self) -> Sensor:
        """The domains that can be read, and the slowest step once it is known."""
        from bench.meters.nvml.gpu_sensor import CALIBRATION_HALF_WIDTH, CALIBRATION_SOURCE
        from bench.results.machine_record import Sensor

        reasons = {gpu.domain: gpu.reason for gpu in self._gpus}
        bad = "; ".join(f"{domain}: {reason}" for domain, reason in reasons.items() if reason)
        good = [gpu for gpu in self._gpus if gpu.reason is None]
        if not good:
            return Sensor(meter=self.name, usable=False, reason=bad or None)
        steps = [gpu.card.traits.step_seconds for gpu in good if gpu.card]
        return Sensor(
            meter=self.name,
            usable=True,
            reason=bad or None,
            domains=tuple(gpu.domain for gpu in good),
            method="integrated" if any(gpu.sampler for gpu in good) else "counter",
            step_seconds=max(steps, default=None),
            calibration_relative_half_width=CALIBRATION_HALF_WIDTH,
            calibration_source=CALIBRATION_SOURCE,
        )


def _watts(uuid: str) -> float | None:
    try:
        return nvidia_driver.power(uuid).watts
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return None
