"""The bill of one window for what zeus reads: a counter's rise scaled to it, or power summed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.meters import edges
from bench.meters._lag import Lag
from bench.meters._sampler import Sampler
from bench.meters._zeus_sources import JETSON_STEP_SECONDS, Source
from bench.meters.edges import RESTLESS, Edge

if TYPE_CHECKING:
    from bench.results.record import Reading, Warning_

METER = "zeus"
AVERAGE_SECONDS = 1.0  # the longest time over which a driver is taken to average power
POWER_DUTY = 0.5  # nobody says for what share of the time AMD's power reading looks
STILL_SECONDS = 1.0  # a counter that stands still for so long is dead, unless its part may rest
QUANTUM_JOULES = 0.001


def counted(
    source: Source, first: Edge | str, last: Edge | str, began: float, ended: float
) -> Reading:
    """The rise from a step before the window to one after it, scaled to the window.

    A text in place of a step is the reason why it could not be read.
    """
    from bench.results.warning_catalogue import make_warning

    failure = next((side for side in (first, last) if isinstance(side, str)), None)
    if isinstance(first, Edge) and isinstance(last, Edge):
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
    source: Source, watts: float, ends: tuple[Edge, Edge], began: float, ended: float
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


def settle_seconds(source: Source) -> float:
    """How long after a change of power a reading still holds something of what was before."""
    return AVERAGE_SECONDS if source.kind == "average power" else 0.0


def summed(source: Source, sampler: Sampler, began: float, ended: float) -> Reading:
    """Power summed at the rate of its sensor, bracketed like a counter."""
    from bench.results.warning_catalogue import make_warning

    failure, settle = sampler.failure, settle_seconds(source)
    step = sampler.step_seconds
    lag = Lag.between(0.0, settle / 2) if settle else Lag.unknown(step)
    traits = replace(sampler.traits(), settle_seconds=settle, lag=lag)
    before = [e for e in sampler.edges if e.seconds + e.gap_seconds / 2 <= began][-5:]
    after = [edge for edge in sampler.edges if edge.seconds > ended + settle]
    if failure is None:
        try:
            bill = edges.bill(before, after, began, ended, traits)
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
    source: Source,
    began: float,
    ended: float,
    doubts: Sequence[Warning_],
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
        doubts=tuple(doubts),
    )
