"""CPU energy from CPU time, where no sensor can be read: an estimate, always marked as one.

Energy = CPU seconds of this process and its children x watts per busy logical CPU. Where the
processor's TDP is not known, the watts lie between 1.69 (a vCPU of an AMD EPYC of the second
generation under full load, from SPECpower as read in Cloud Carbon Footprint's AWS coefficients,
2024) and 12 (a core of any CPU, the default of the Green Algorithms calculator); the middle is
taken, +- 75 %. Nobody has compared this range with a sensor here: it is an assumption, and its
source is stated as one. With the option `cpu_tdp_watts` they are that share of the TDP, +- 50 %: a
processor seldom draws exactly its TDP. Neither idle power nor memory is in the model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from bench.meters import MeterContext, make_reading
from bench.results.domains import DomainKind
from bench.results.machine_record import Sensor
from bench.results.record import Reading
from bench.system.process import own_cpu_seconds

DOMAIN = str(DomainKind.cpu_time)
LOW_WATTS, HIGH_WATTS = 1.69, 12.0
RANGE_SOURCE = (
    "1.69 W (SPECpower, by Cloud Carbon Footprint) to 12 W (Green Algorithms), "
    "not compared with a sensor"
)
TDP_RELATIVE_HALF_WIDTH = 0.5  # assumed: a busy CPU draws between half and one and a half of it
OPTIONS = ("cpu_tdp_watts",)


class ModelledMeter:
    """CPU time x watts per busy logical CPU, in the domain cpu-time.

    `cpu_seconds` gives the CPU time that counts: by default of this process and its ended children.
    """

    name = "modelled"

    def __init__(
        self, context: MeterContext, cpu_seconds: Callable[[], float] | None = None
    ) -> None:
        self.watts_per_cpu, self.relative_half_width = _watts_per_cpu(context.options)
        self._cpu_seconds = cpu_seconds or own_cpu_seconds
        by_tdp = "cpu_tdp_watts" in context.options
        self._range_source = "half to one and a half of the TDP" if by_tdp else RANGE_SOURCE

    def probe(self) -> Sensor:
        """The model's domain and its range; it is always usable."""
        return Sensor(
            meter=self.name,
            usable=True,
            domains=(DOMAIN,),
            method="modelled",
            calibration_relative_half_width=self.relative_half_width,
            calibration_source=f"CPU time x {self.watts_per_cpu:.2f} W per busy logical CPU, "
            f"a model, assumed range: {self._range_source}",
        )

    def start(self) -> float:
        """The CPU time before the window, in seconds."""
        return self._cpu_seconds()

    def stop(self, token: float, began: float, ended: float) -> tuple[Reading, ...]:
        """The energy of the CPU time since `start`; its range is taken as uniform."""
        energy = (self._cpu_seconds() - token) * self.watts_per_cpu
        uncertainty = energy * self.relative_half_width / 3**0.5
        return (make_reading(DOMAIN, self.name, "modelled", ended - began, energy, uncertainty),)

    def watts(self) -> Mapping[str, float]:
        """Nothing: a model of CPU time has no power at a moment."""
        return {}


def build(context: MeterContext) -> ModelledMeter:
    """The model; the option `cpu_tdp_watts` gives the processor's TDP."""
    return ModelledMeter(context)


def _watts_per_cpu(options: Mapping[str, str]) -> tuple[float, float]:
    """Watts per busy logical CPU, and the relative half-width of their range."""
    tdp = options.get("cpu_tdp_watts")
    if tdp is not None:
        return float(tdp) / (os.cpu_count() or 1), TDP_RELATIVE_HALF_WIDTH
    middle = (LOW_WATTS + HIGH_WATTS) / 2
    return middle, (HIGH_WATTS - middle) / middle
