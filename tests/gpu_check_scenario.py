"""The sensor part of the GPU check on simulated GPUs, whose power the load sets.

Run as: gpu_check_scenario.py PROFILE FIGURES OUT with the library first in LD_LIBRARY_PATH.
FIGURES are the plan's, as name=number; `only` lists the checks to make, joined by plus signs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulated_nvml import PROFILES, World

from bench.system.clock import SystemClock
from tools.gpu_check import parts, sensor_checks

BUSY_WATTS, WORK_WATTS, UNIT_SECONDS = 420.0, 260.0, 0.01
CLOCK = SystemClock()


class SimulatedLoad:
    """Sets the power of the simulated GPU instead of working."""

    def __init__(self, world: World, rest: float) -> None:
        self._world, self._rest = world, rest

    @property
    def versions(self) -> Mapping[str, str]:
        return {"simulated": "1"}

    def busy(self, seconds: float) -> None:
        self._draw(BUSY_WATTS, seconds)

    def work(self, units: int) -> None:
        self._draw(WORK_WATTS, units * UNIT_SECONDS)

    def _draw(self, watts: float, seconds: float) -> None:
        now = CLOCK.now()
        ends = [(0.0, watts), (seconds, watts), (seconds, self._rest)]
        self._world.power(0, now, ends)
        while CLOCK.now() < now + seconds:
            CLOCK.sleep(min(0.001, now + seconds - CLOCK.now()))


def main(profile: str, figures: str, out: Path) -> None:
    gpu = PROFILES[profile].with_values(step=0.04, power_step=0.04)
    world = World(Path(os.environ["JOULEBENCH_SIMULATED_GPUS"]), [gpu], CLOCK.now())
    pairs = dict(word.split("=") for word in figures.split(","))
    only = pairs.pop("only", "")
    checks = sensor_checks.GpuChecks.checks

    def selected(*arguments: Any) -> list[Any]:
        return [check for check in checks(*arguments) if not only or check[0] in only.split("+")]

    kinds = {name: type(getattr(sensor_checks.Plan, name)) for name in pairs}
    plan = sensor_checks.Plan(**{name: kinds[name](text) for name, text in pairs.items()})
    with (
        mock.patch.object(sensor_checks.GpuChecks, "checks", selected),
        # Simulated GPUs share no power, so several may be checked at once.
        mock.patch.object(sensor_checks.machine, "machine_lock", lambda *_: nullcontext()),
    ):
        parts.sensor(out, 1, lambda number: SimulatedLoad(world, gpu.idle_watts), plan)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
