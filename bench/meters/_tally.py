"""Running totals: the energy of a program of unknown length, from a first look that costs little.

A window of a run waits for its sensor before it begins. A program that a person starts should not
be held back: its window begins at once, with what one look can tell. The sensor is learnt after the
program has ended, and what the first look could not know is in the uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bench.meters.edges import Edge
    from bench.results.machine_record import Device, Sensor
    from bench.results.record import Reading

FAINT_WATTS = 1e-3


class Tally(Protocol):
    """The total of one kind of sensor from `begin` on; `name` is its meter's."""

    name: str

    def begin(self) -> None:
        """Look once. Raises nothing: what can't be read is said by `so_far` and `close`."""
        ...

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        """What was drawn between `began` and `now`, seconds on the clock, roughly and cheaply."""
        ...

    def close(self, began: float, ended: float, devices: Sequence[Device]) -> tuple[Reading, ...]:
        """The energy between `began` and `ended`, as well as the sensor, learnt now, allows."""
        ...

    def sensor(self) -> Sensor:
        """What is known of the sensor at this moment, or why it can't be read."""
        ...


@dataclass(frozen=True)
class Look:
    """One look at a counter: when (seconds), what it showed (joules), the power then (watts)."""

    seconds: float
    joules: float
    watts: float | None


def blunt_edges(look: Look, began: float, step_seconds: float, usual_watts: float) -> list[Edge]:
    """The steps of a counter before `began`, as far as a single look tells them.

    The counter last moved within a step before the look, nobody knows when. A look that came after
    `began` also leaves open what was drawn in between. `usual_watts` stands in where the power at
    the look is not known.
    """
    from bench.meters.edges import Edge

    watts = max(look.watts if look.watts is not None else usual_watts, FAINT_WATTS)
    late = max(0.0, look.seconds - began)
    gap = step_seconds + 2 * late
    moved = min(look.seconds, began) - step_seconds / 2
    joules = look.joules - watts * late
    return [
        Edge(moved - step_seconds, gap, joules - watts * step_seconds),
        Edge(moved, gap, joules),
    ]
