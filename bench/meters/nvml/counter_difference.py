"""A plain difference of a GPU's counter, for unused GPUs and for readings while a program runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.meters import make_reading
from bench.meters._bracketing import CounterReading
from bench.system import nvidia_driver
from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.meters import MeteredDevice
    from bench.results.machine_record import Device, Method
    from bench.results.record import Reading

METER = "nvml"
USUAL_STEP_SECONDS = 0.1  # of A100 and H100 (docs/measurement.md), until the step is known
DRIVER_ERRORS = (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable)


class CounterDifference:
    """The counter of one GPU from `open` on, each end known to a step of the counter.

    `first` is None where `open` failed; `failure` is the reason of the latest failed read, and
    `counter_missing` whether the GPU has no counter. `fell`: the counter went backwards.
    """

    def __init__(self, device: Device | MeteredDevice, clock: Clock) -> None:
        self._device, self._clock = device, clock
        self.first: CounterReading | None = None
        self._last: CounterReading | None = None
        self.failure: str | None = None
        self.counter_missing = False
        self.fell = False

    def open(self) -> None:
        """Read the counter for the first time."""
        self.first = self._last = self._read()

    def update(self) -> None:
        """Read the counter again; where `open` failed there is no difference, and no read."""
        latest = self._read() if self._last else None
        if self._last and latest:
            self.fell |= latest.joules < self._last.joules
            self._last = latest

    def reading(self, began: float, ended: float) -> Reading:
        """The energy, scaled from the two reads to the time from `began` to `ended` (s)."""
        power = None
        if self.first and self._last and not self.failure and not self.fell:
            seconds = max(self._last.seconds - self.first.seconds, 1e-9)
            power = (self._last.joules - self.first.joules) / seconds
        reason = "counter-reset" if self.fell else self.failure or ""
        return approximate_reading(self._device.domain, "counter", power, ended - began, reason)

    def _read(self) -> CounterReading | None:
        try:
            joules = nvidia_driver.energy_joules(self._device.uuid or "")
        except DRIVER_ERRORS as failure:
            self.failure = failure.reason
            self.counter_missing = getattr(failure, "unsupported", False)
            return None
        self.failure = None
        return CounterReading(self._clock.now(), joules)


def approximate_reading(
    domain: str,
    method: Method,
    watts: float | None,
    seconds: float,
    reason: str,
    end_seconds: float = USUAL_STEP_SECONDS,
) -> Reading:
    """Mean power times `seconds`, each end known to `end_seconds`: a step of the sensor.

    Where `watts` is None, a reading without energy: `reason` is a clause, or "counter-reset".
    """
    from bench.results.warning_catalogue import make_warning

    if watts is None:
        code = "counter-reset" if reason == "counter-reset" else "energy-missing"
        missing = make_warning(code, domain=domain, reason=reason)
        return make_reading(domain, METER, method, seconds, warnings=[missing])
    uncertainty = watts * end_seconds / 6**0.5
    return make_reading(domain, METER, method, seconds, watts * seconds, uncertainty)
