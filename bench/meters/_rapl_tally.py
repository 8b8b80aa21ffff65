"""The running total of the CPU's counters, which wrap around every few minutes under load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.meters._watch import CannotRead
from bench.meters.edges import Edge
from bench.meters.rapl import RaplMeter, Zone, rise, spread_of, zones

if TYPE_CHECKING:
    from bench.meters import Site
    from bench.results.machine_record import Device, Sensor
    from bench.results.record import Reading


class RaplTally(RaplMeter):
    """All packages and their memory. It must be asked more often than a counter wraps around."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._first: dict[str, Edge] = {}
        self._last: dict[str, Edge] = {}
        self._used: dict[str, float] = {}
        self._failed: dict[str, str] = {}
        self._said: Sensor | None = None

    def begin(self) -> None:
        """Wait for the next step of every counter, about a millisecond."""
        self._zones = [zone for zone in zones(self._root) if _readable(zone)]
        for domain, step in self._steps().items():
            self._used[domain] = 0.0
            if isinstance(step, Edge):
                self._first[domain] = self._last[domain] = step
            else:
                self._failed[domain] = step

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        """Add what was drawn since the last look."""
        for zone in self._zones:
            if zone.domain in self._failed:
                continue
            try:
                seen = Edge(self._clock.now(), 0.001, zone.read())
            except CannotRead as failure:
                self._failed[zone.domain] = failure.reason
                continue
            self._add(zone, seen)
        return tuple(self._total(zone, began, now) for zone in self._zones)

    def sensor(self) -> Sensor:
        """As `probe`, once."""
        self._said = self._said or self.probe()
        return self._said

    def close(self, began: float, ended: float, devices: Sequence[Device]) -> tuple[Reading, ...]:
        """One more step of every counter."""
        for domain, step in self._steps().items():
            zone = next(zone for zone in self._zones if zone.domain == domain)
            if isinstance(step, Edge) and domain not in self._failed:
                self._add(zone, step)
            elif not isinstance(step, Edge):
                self._failed[domain] = step
        return tuple(self._total(zone, began, ended) for zone in self._zones)

    def _add(self, zone: Zone, seen: Edge) -> None:
        used = rise(zone, self._last[zone.domain].joules, seen.joules)
        if used < 0:
            self._failed[zone.domain] = "its counter went backwards, and nobody says where it wraps"
        self._used[zone.domain] += used
        self._last[zone.domain] = seen

    def _total(self, zone: Zone, began: float, ended: float) -> Reading:
        from bench.results.record import Reading
        from bench.results.warning_catalogue import make_warning

        failure = self._failed.get(zone.domain)
        energy = doubtful = None
        if failure is None:
            first, last = self._first[zone.domain], self._last[zone.domain]
            watts = self._used[zone.domain] / max(last.seconds - first.seconds, 1e-9)
            energy = watts * (ended - began)
            doubtful = spread_of(watts, first, last, began, ended)
            if self._used[zone.domain] == 0 and ended - began > 1:
                failure, energy, doubtful = "its counter does not move", None, None
        return Reading(
            domain=zone.domain,
            meter=self.name,
            method="counter",
            energy_joules=energy,
            standard_uncertainty_joules=doubtful,
            duration_seconds=ended - began,
            doubts=(make_warning("read-failed", domain=zone.domain, reason=failure),)
            if failure
            else (),
        )


def _readable(zone: Zone) -> bool:
    try:
        zone.read()
    except CannotRead:
        return False
    return True
