"""Meters: what reads energy. One file a meter; each has `build(site) -> Meter`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.results.machine_record import Device, Sensor
    from bench.results.record import Reading


@dataclass(frozen=True)
class Site:
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
    with a doubt that says why; no exception of a sensor leaves a meter.
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


def covered(readings: Sequence[Reading]) -> set[str]:
    """The domains that were read by something better than a model."""
    return {r.domain for r in readings if r.method != "modelled"}
