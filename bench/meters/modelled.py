"""CPU energy from CPU time, where no sensor can be read: an estimate, always marked as one.

Energy = CPU seconds of this process and its children x watts per busy logical CPU. Where the
processor's TDP is not known, the watts lie between 1.69 (a vCPU of an AMD EPYC of the second
generation under full load, from SPECpower as read in Cloud Carbon Footprint's AWS coefficients,
2024) and 12 (a core of any CPU, the default of the Green Algorithms calculator); the middle is
taken, +- 75 %. With the option `cpu_tdp_watts` they are that share of the TDP, +- 50 %: a processor
seldom draws exactly its TDP. Idle power is not in the model.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from bench.meters import MeterContext
from bench.results.machine_record import Sensor
from bench.results.record import Reading
from bench.system.process import own_cpu_seconds

DOMAIN = "cpu-package:0"
LOW_WATTS, HIGH_WATTS = 1.69, 12.0
TDP_RELATIVE_HALF_WIDTH = 0.5
OPTIONS = ("cpu_tdp_watts",)


class ModelledMeter:
    """CPU time x watts per busy logical CPU, in the domain cpu-package:0.

    `cpu_seconds` says whose time counts: by default this process and its ended children.
    """

    name = "modelled"

    def __init__(self, site: MeterContext, cpu_seconds: Callable[[], float] | None = None) -> None:
        self.watts_per_cpu, self.relative_half_width = _watts_per_cpu(site.options)
        self._cpu_seconds = cpu_seconds or own_cpu_seconds

    def probe(self) -> Sensor:
        return Sensor(
            meter=self.name,
            usable=True,
            domains=(DOMAIN,),
            method="modelled",
            calibration_relative_half_width=self.relative_half_width,
            calibration_source=f"CPU time x {self.watts_per_cpu:.2f} W per busy logical CPU, a model",
        )

    def start(self) -> float:
        return self._cpu_seconds()

    def stop(self, mark: float, began: float, ended: float) -> tuple[Reading, ...]:
        energy = (self._cpu_seconds() - mark) * self.watts_per_cpu
        return (
            Reading(
                domain=DOMAIN,
                meter=self.name,
                method="modelled",
                energy_joules=energy,
                standard_uncertainty_joules=energy * self.relative_half_width / 3**0.5,
                duration_seconds=ended - began,
            ),
        )

    def watts(self) -> Mapping[str, float]:
        return {}


def build(site: MeterContext) -> ModelledMeter:
    """The meter for this site; the option `cpu_tdp_watts` gives the processor's TDP."""
    return ModelledMeter(site)


def _watts_per_cpu(options: Mapping[str, str]) -> tuple[float, float]:
    """Watts per busy logical CPU, and the relative half-width of their range."""
    tdp = options.get("cpu_tdp_watts")
    if tdp is not None:
        return float(tdp) / (os.cpu_count() or 1), TDP_RELATIVE_HALF_WIDTH
    middle = (LOW_WATTS + HIGH_WATTS) / 2
    return middle, (HIGH_WATTS - middle) / middle
