"""Meters: the `Meter` protocol, its cumulative mode, and what a meter knows of the machine.

A file of this folder is a meter. It has `build(context) -> Meter`, and may have `OPTIONS` (names of
its `--meter-option`s) and `ON_REQUEST = True` (used only if `--meter` names it; any other meter
that can read is used in every run). A meter that always reads 10 W::

    class TenWatts:
        name = "ten-watts"

        def probe(self):
            return Sensor(meter=self.name, usable=True, domains=("wall:0",), method="counter")

        def start(self):
            return None

        def stop(self, token, began, ended):
            seconds = ended - began
            joules = 10.0 * seconds
            return (make_reading("wall:0", self.name, "counter", seconds, joules, 0.01 * joules),)

        def watts(self):
            return {}

    build = lambda context: TenWatts()

`Sensor` is in `bench.results.machine_record`. A domain is `kind:number`. The method is "counter",
"integrated" or "modelled". A sensor that states no calibration uncertainty gets ±5 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.results.machine_record import Device, Method, Sensor
    from bench.results.record import MeasurementWarning, Reading
    from bench.system.nvidia_driver import GpuInfo


@dataclass(frozen=True)
class MeterContext:
    """The clock, the machine's devices, and the meters' options as text.

    `devices` lists every device of the machine, also those that the run does not use.
    """

    clock: Clock
    devices: tuple[Device | GpuInfo, ...]
    options: Mapping[str, str] = field(default_factory=dict)


class Meter(Protocol):
    """A measurement is start -> token, work, stop(token, began, ended) -> readings.

    `start` may wait for an edge of its sensor before the window and `stop` for one after it: the
    readings hold the energy between `began` and `ended` (seconds on the context's clock), with what
    lies outside taken out. A domain that could not be read yields a reading whose energy is None,
    with a warning that says why; a meter never raises its sensor's exception.
    """

    name: str

    def probe(self) -> Sensor:
        """Which domains can be read here, and how well, or why none can."""

    def start(self) -> Any:
        """Open a window and return the token that `stop` needs."""

    def stop(self, token: Any, began: float, ended: float) -> tuple[Reading, ...]:
        """Close the window: one reading per domain, in joules between `began` and `ended`."""

    def watts(self) -> Mapping[str, float]:
        """Power at this moment by domain, in watts, for plots only; empty if there is none."""


class CumulativeReader(Protocol):
    """Energy since one moment, read without waiting for the sensor: a meter's second mode.

    `open` -> `so_far` any number of times -> `close`. The sensor is characterised at the end.
    """

    name: str

    def open(self) -> None:
        """Read every sensor once. Never raises: later readings say what cannot be read."""

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        """The energy between `began` and `now` (seconds on the clock), cheap and approximate."""

    def close(self, began: float, ended: float) -> tuple[Reading, ...]:
        """The energy between `began` and `ended`, as accurate as the sensor allows."""

    def sensor(self) -> Sensor:
        """What is known of the sensor at this moment, or why it cannot be read."""


def measured_domains(readings: Sequence[Reading]) -> set[str]:
    """The domains of the readings that do not come from a model."""
    return {reading.domain for reading in readings if reading.method != "modelled"}


def missing_reading(
    domain: str, meter: str, method: Method, seconds: float, code: str, reason: str = ""
) -> Reading:
    """A reading without energy, with the warning `code`; `reason` is a clause that says why."""
    from bench.results.warning_catalogue import make_warning

    warning = make_warning(code, domain=domain, reason=reason)
    return make_reading(domain, meter, method, seconds, warnings=[warning])


def make_reading(
    domain: str,
    meter: str,
    method: Method,
    seconds: float,
    joules: float | None = None,
    standard_uncertainty: float | None = None,
    warnings: Sequence[MeasurementWarning] = (),
) -> Reading:
    """One domain's reading of a window of `seconds`; energy and uncertainty in joules."""
    from bench.results.record import Reading

    return Reading(
        domain=domain,
        meter=meter,
        method=method,
        energy_joules=joules,
        standard_uncertainty_joules=standard_uncertainty,
        duration_seconds=seconds,
        warnings=tuple(warnings),
    )
