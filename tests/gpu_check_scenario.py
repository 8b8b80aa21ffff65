"""The sensor part of the GPU check on simulated cards, whose power the load writes.

Run as: gpu_check_scenario.py PROFILE FIGURES OUT with the simulated library first in LD_LIBRARY_PATH.
FIGURES are the plan's, as name=number; `only` names the checks to make, joined by plus signs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulated_nvml import PROFILES, World

from bench.system.clock import SystemClock
from tools.gpu_check import cards, parts

BUSY_WATTS, WORK_WATTS, UNIT_SECONDS = 420.0, 260.0, 0.01
CLOCK = SystemClock()


class MadeLoad:
    """Writes power into the simulated world in place of working."""

    def __init__(self, world: World, rest: float) -> None:
        self._world, self._rest = world, rest

    @property
    def versions(self) -> Mapping[str, str]:
        return {"made": "1"}

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
    card = PROFILES[profile].with_values(step=0.04, power_step=0.04)
    world = World(Path(os.environ["JOULEBENCH_SIMULATED_GPUS"]), [card], CLOCK.now())
    pairs = dict(word.split("=") for word in figures.split(","))
    only = pairs.pop("only", "")
    if only:
        whole = cards._Card._checks
        cards._Card._checks = lambda *a: [c for c in whole(*a) if c[0] in only.split("+")]
    cards.machine.lock = lambda *a: nullcontext()  # made cards share no watts
    plan = cards.Plan(
        **{name: type(getattr(cards.Plan, name))(text) for name, text in pairs.items()}
    )
    parts.sensor(out, 1, lambda number: MadeLoad(world, card.idle_watts), plan)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
