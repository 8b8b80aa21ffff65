"""Energy from a recorded or synthetic power trace, exact, for tests and demonstrations."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.meters import MeterContext, make_reading
from bench.results.machine_record import Sensor
from bench.results.record import Reading
from bench.results.warning_catalogue import make_warning

DOMAIN = "gpu:0"
ON_REQUEST = True  # used only when the command line names it: a trace is no sensor of this machine


class ReplayTrace:
    """Piecewise-linear power (W) over time (s), constant before the first point and after the last.

    Raises ValueError where the times do not increase, or a number is not finite.
    """

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
        import numpy as np

        return float(np.interp(time, self.seconds, self.watts))

    def energy(self, began: float, ended: float) -> float:
        """Energy in joules between two times: the exact integral, piece by piece."""
        import numpy as np

        times = [began, *(time for time in self.seconds if began < time < ended), ended]
        powers = np.interp(times, self.seconds, self.watts)
        return math.fsum((powers[:-1] + powers[1:]) / 2 * np.diff(times))


class ReplayMeter:
    """Reads a trace as if it were a device's power; its time zero is when the meter is built."""

    name = "replay"

    def __init__(self, context: MeterContext, trace: ReplayTrace) -> None:
        self._clock = context.clock
        self._zero = context.clock.now()
        self.trace = trace

    def probe(self) -> Sensor:
        """The trace's domain; it is always usable."""
        return Sensor(
            meter=self.name,
            usable=True,
            domains=(DOMAIN,),
            method="integrated",
            calibration_relative_half_width=0.0,
            calibration_source="a trace has no scale error",
        )

    def start(self) -> None:
        """Nothing is read before the window."""

    def stop(self, token: None, began: float, ended: float) -> tuple[Reading, ...]:
        """The exact integral of the trace between `began` and `ended`."""
        energy = self.trace.energy(began - self._zero, ended - self._zero)
        seconds, warnings = ended - began, [make_warning("energy-replayed")]
        return (make_reading(DOMAIN, self.name, "integrated", seconds, energy, 0.0, warnings),)

    def watts(self) -> Mapping[str, float]:
        """The trace's power at this moment."""
        return {DOMAIN: self.trace.power(self._clock.now() - self._zero)}


def build(context: MeterContext) -> ReplayMeter:
    """The meter of a trace. The option `trace` names a CSV file with columns seconds and watts.

    Raises ValueError with one sentence where the file is no trace.
    """
    name = context.options.get("trace")
    if not name:
        raise ValueError("the replay meter needs a trace: --meter replay:FILE.csv")
    try:
        with Path(name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        seconds, watts = ([float(row[column]) for row in rows] for column in ("seconds", "watts"))
        return ReplayMeter(context, ReplayTrace(seconds, watts))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name} is no power trace (columns seconds, watts): {error}") from error
