"""The running total of NVIDIA GPUs: one look before the program, steps watched after it.

What the first look does not need is imported when it is needed: the program waits for that look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.meters._tally import Look, blunt_edges
from bench.system import nvidia_driver
from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.meters._nvidia_card import Card
    from bench.meters._sampler import Sampler
    from bench.meters.edges import Edge
    from bench.results.machine_record import Device, Sensor
    from bench.results.record import Reading, Warning_

EDGES_TO_LEARN, EDGES_AFTER = 8, 5
PATIENCE_SECONDS = 2.0
POWER_DUTY = 0.25


@dataclass
class _Gpu:
    """One GPU as it was seen before the program, and what has come of it."""

    domain: str
    uuid: str
    first: Look | None = None
    last: Look | None = None
    sampler: Sampler | None = None
    failure: str | None = None
    trouble: str | None = None  # of the last rough look alone: a counter outlives a failed look
    fell: bool = False
    averaged: bool = False
    watts: float | None = None
    card: Card | None = field(default=None, repr=False)

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
                gpu.first = gpu.last = Look(self._clock.now(), joules, _watts(gpu.uuid))

    def _integrate(self, gpu: _Gpu) -> None:
        """Sum up power in the background; the reason where it can't be read either."""
        try:
            power = nvidia_driver.power(gpu.uuid)
        except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable) as failure:
            gpu.failure = failure.reason
            return
        from bench.meters._nvidia_card import guarded, watts
        from bench.meters._sampler import Sampler

        gpu.averaged, gpu.watts = power.kind == "average", power.watts
        gpu.sampler = Sampler(guarded(watts, gpu.uuid), self._clock)
        gpu.sampler.begin()

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        return tuple(self._rough(gpu, began, now) for gpu in self._gpus)

    def _rough(self, gpu: _Gpu, began: float, now: float) -> Reading:
        """A plain difference, with the uncertainty of a step at each end."""
        from bench.meters._nvidia_card import USUAL_STEP_SECONDS
        from bench.results.record import Reading
        from bench.results.warning_catalogue import make_warning

        joules = self._sampled(gpu) if gpu.sampler else self._counted(gpu)
        doubts: tuple[Warning_, ...] = ()
        if joules is None:
            reason = gpu.failure or gpu.trouble or "its sensor has not moved yet"
            code = "counter-reset" if gpu.fell else "energy-missing"
            doubts = (make_warning(code, domain=gpu.domain, reason=reason),)
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
            doubts=doubts,
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
            gpu.last = Look(self._clock.now(), joules, None)
        return gpu.joules

    def _sampled(self, gpu: _Gpu) -> float | None:
        assert gpu.sampler is not None
        gpu.failure = gpu.sampler.failure
        steps = gpu.sampler.edges
        return None if gpu.failure or len(steps) < 2 else steps[-1].joules - steps[0].joules

    def close(self, began: float, ended: float, devices: Sequence[Device]) -> tuple[Reading, ...]:
        """Watch the sensors at rest for about a second, learn them, and bill the window."""
        from bench.meters._nvidia_card import Card
        from bench.meters._watch import collect

        by_domain = {device.domain: device for device in devices}
        for gpu in self._gpus:
            gpu.card = Card(by_domain[gpu.domain], gpu.uuid, self._clock)
            if gpu.sampler is None:
                gpu.card.choose()
                gpu.card.reason = gpu.failure or gpu.card.reason
        watches = [g.card.watch for g in self._gpus if g.card and g.card.watch and not g.failure]
        collect(self._clock, watches, lambda w: w.sharp(ended) >= EDGES_TO_LEARN, PATIENCE_SECONDS)
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
            before = blunt_edges(first, began, card.traits.step_seconds, mean)
            return card.reading(before, began, ended)
        return card.reading((), began, ended)

    def _bill_sampled(
        self, gpu: _Gpu, sampler: Sampler, card: Card, began: float, ended: float
    ) -> Reading:
        sampler.learn()
        card.averaged = gpu.averaged
        card.take(sampler, 1.0 if gpu.averaged else POWER_DUTY)
        since = ended + max(card.traits.settle_seconds, card.traits.lag.high)
        sampler.wait(EDGES_AFTER, since, PATIENCE_SECONDS)
        sampler.end()
        before: Sequence[Edge] = ()
        if sampler.edges:
            first = sampler.edges[0]
            look = Look(first.seconds, first.joules, gpu.watts)
            before = blunt_edges(look, began, card.traits.step_seconds, 0.0)
        return card.reading(before, began, ended)

    def sensor(self) -> Sensor:
        """The domains that can be read, and the slowest step once it is known."""
        from bench.meters.nvml import GAIN, GAIN_SOURCE
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
            gain_relative_half_width=GAIN,
            gain_source=GAIN_SOURCE,
        )


def _watts(uuid: str) -> float | None:
    try:
        return nvidia_driver.power(uuid).watts
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return None
