"""`Meter`, `MeterContext`, cumulative mode (`start` without waiting, `so_far`), measured domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.results.machine_record import Device, Sensor
    from bench.results.record import Reading


@dataclass(frozen=True)
class MeterContext:
    """What a meter may know: the time, the machine's devices, and its own options as text.

    `devices` lists every device of the machine, those that the run does not use too.
    """

    clock: Clock
    devices: tuple[Device, ...]
    options: Mapping[str, str] = field(default_factory=dict)


class Meter(Protocol):
    """A measurement is start -> mark, work, stop(mark, began, ended) -> readings.

    `start` may wait for an edge of its sensor before the window and `stop` for one after it: the
    readings hold the energy between `began` and `ended` (seconds on the site's clock), with what
    lies outside taken out. A domain that could not be read yields a reading whose energy is None,
    with a warning that says why; no exception of a sensor leaves a meter.
    """

    name: str

    def probe(self) -> Sensor:
        """What can be read here, and how well, or why nothing can."""
        ...

    def start(self) -> Any:
        """Open a window and return what `stop` needs."""
        ...

    def stop(self, mark: Any, began: float, ended: float) -> tuple[Reading, ...]:
        """Close the window: one reading a domain, energy in joules between `began` and `ended`."""
        ...

    def watts(self) -> Mapping[str, float]:
        """Power at this moment by domain, in watts, for pictures only; empty if there is none."""
        ...


def measured_domains(readings: Sequence[Reading]) -> set[str]:
    """The domains that were read by something better than a model."""
    return {r.domain for r in readings if r.method != "modelled"}


class CumulativeReader(Protocol):
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
