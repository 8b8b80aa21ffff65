"""Energy from a recorded or synthetic power trace, exact, for tests and demonstrations."""

from __future__ import annotations

import bisect
import csv
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.meters import MeterContext
from bench.results.machine_record import Sensor
from bench.results.record import Reading
from bench.results.warning_catalogue import make_warning

DOMAIN = "gpu:0"

# Only where it is asked for: a trace is no sensor of this machine.
ON_REQUEST = True


class ReplayTrace:
    """Piecewise-linear power in watts over seconds; before the first point and after the last, it
    stays as it is there. Points must be in order of time."""

    def __init__(self, seconds: Sequence[float], watts: Sequence[float]) -> None:
        if len(seconds) != len(watts) or not seconds:
            raise ValueError("a trace needs as many powers as times, and at least one")
        if any(later <= earlier for earlier, later in itertools.pairwise(seconds)):
            raise ValueError("the times of a trace must increase")
        if not all(map(math.isfinite, (*seconds, *watts))):
            raise ValueError("a trace holds finite numbers only")
        self.seconds, self.watts = list(seconds), list(watts)

    def power(self, time: float) -> float:
        """Power in watts at a time in seconds."""
        after = bisect.bisect_right(self.seconds, time)
        if after == 0:
            return self.watts[0]
        if after == len(self.seconds):
            return self.watts[-1]
        t0, t1 = self.seconds[after - 1], self.seconds[after]
        p0, p1 = self.watts[after - 1], self.watts[after]
        return p0 + (p1 - p0) * (time - t0) / (t1 - t0)

    def energy(self, began: float, ended: float) -> float:
        """Energy in joules between two times: the exact integral, piece by piece."""
        inner = self.seconds[
            bisect.bisect_right(self.seconds, began) : bisect.bisect_left(self.seconds, ended)
        ]
        times = [began, *inner, ended]
        return math.fsum(
            (self.power(a) + self.power(b)) / 2 * (b - a) for a, b in itertools.pairwise(times)
        )


class ReplayMeter:
    """Reads a trace as if it were a device's power, from the moment that the meter was built."""

    name = "replay"

    def __init__(self, site: MeterContext, trace: ReplayTrace) -> None:
        self._clock = site.clock
        self._zero = site.clock.now()
        self.trace = trace

    def probe(self) -> Sensor:
        return Sensor(
            meter=self.name,
            usable=True,
            domains=(DOMAIN,),
            method="integrated",
            calibration_relative_half_width=0.0,
            calibration_source="a trace has no scale error",
        )

    def start(self) -> None:
        return None

    def stop(self, mark: None, began: float, ended: float) -> tuple[Reading, ...]:
        return (
            Reading(
                domain=DOMAIN,
                meter=self.name,
                method="integrated",
                energy_joules=self.trace.energy(began - self._zero, ended - self._zero),
                standard_uncertainty_joules=0.0,
                duration_seconds=ended - began,
                warnings=(make_warning("energy-replayed"),),
            ),
        )

    def watts(self) -> Mapping[str, float]:
        return {DOMAIN: self.trace.power(self._clock.now() - self._zero)}


def build(site: MeterContext) -> ReplayMeter:
    """The meter for this site. The option `trace` names a CSV file with columns seconds and watts.

    Raises ValueError with one sentence where the file is no trace.
    """
    name = site.options.get("trace")
    if not name:
        raise ValueError("the replay meter needs a trace: --meter replay:FILE.csv")
    try:
        with Path(name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return ReplayMeter(
            site,
            ReplayTrace([float(r["seconds"]) for r in rows], [float(r["watts"]) for r in rows]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} is no power trace (columns seconds, watts): {error}") from error
