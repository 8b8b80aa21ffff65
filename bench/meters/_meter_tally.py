"""Any other meter as a running total: it needs a while to know its sensor, and the program runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.meters import Meter
    from bench.results.machine_record import Device, Sensor
    from bench.results.record import Reading


class MeterTally:
    """A meter whose window opens late, when its sensor is known, and closes with the program.

    What was drawn before that is taken at the mean power since, give or take as much again.
    """

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self._meter, self._clock = meter, clock
        self.name = meter.name
        self._said: Sensor | None = None
        self._mark: Any = None
        self._opened = math.inf

    def begin(self) -> None:
        """Learn the sensor, then open the window; takes up to some seconds."""
        self._said = self._meter.probe()
        if self._said.usable:
            self._mark = self._meter.start()
            self._opened = self._clock.now()

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        """Nothing: a window is read once."""
        return ()

    def sensor(self) -> Sensor:
        """What the meter said of itself."""
        from bench.results.machine_record import Sensor

        return self._said or Sensor(meter=self.name, usable=False, reason="not known yet")

    def close(self, began: float, ended: float, devices: Sequence[Device]) -> tuple[Reading, ...]:
        """The window's readings, stretched to the program's beginning."""
        if self._mark is None:
            return ()
        opened = max(began, self._opened)
        readings = self._meter.stop(self._mark, min(opened, ended), ended)
        return tuple(_stretched(reading, opened - began, ended - opened) for reading in readings)


def _stretched(reading: Reading, late: float, seconds: float) -> Reading:
    from bench.results.warning_catalogue import make_warning

    whole = {"duration_seconds": late + max(seconds, 0.0)}
    if reading.energy_joules is None:
        return reading.model_copy(update=whole)
    if seconds <= 0:
        reason = "the program ended before the sensor was known"
        missing = make_warning("energy-missing", domain=reading.domain, reason=reason)
        nothing = {"energy_joules": None, "standard_uncertainty_joules": None}
        return reading.model_copy(update={**whole, **nothing, "doubts": (missing,)})
    head = reading.energy_joules / seconds * late
    spread = math.hypot(reading.standard_uncertainty_joules or 0.0, head / 3**0.5)
    energy = {
        "energy_joules": reading.energy_joules + head,
        "standard_uncertainty_joules": spread,
    }
    return reading.model_copy(update={**whole, **energy})
