"""Windows on a simulated GPU in a process of its own; one line of JSON a window.

Run as: worker.py PROFILE LENGTH_SECONDS COUNT SEED [OPTION=VALUE …] with the library first in
LD_LIBRARY_PATH and JOULEBENCH_SIMULATED_GPUS naming a file to make.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench import nvidia
from bench.clock import SystemClock
from bench.meters import Site
from bench.meters.nvml import NvmlMeter, build
from bench.records import Device
from simulated_nvml import PROFILES, World, uuid


def device(index: int, used: bool = True) -> Device:
    """The simulated GPU as `machine.describe` would list it."""
    mig = nvidia.gpus()[index].mig_enabled
    return Device(
        domain=f"gpu:{index}", name="simulated", uuid=uuid(index), used=used, mig_enabled=mig
    )


def window(
    meter: NvmlMeter, world: World, clock: SystemClock, seconds: float, chance: random.Random
) -> dict[str, object]:
    """One window at a random phase, beside the truth."""
    mark = meter.start()
    began = clock.now()
    world.busy(0, began, seconds, chance)
    cpu = time.process_time()
    clock.sleep(seconds)
    cpu = time.process_time() - cpu
    ended = clock.now()
    world.idle(0, ended)
    readings = meter.stop(mark, began, ended)
    true = world.joules(0, began, ended)
    reading = readings[0].model_dump(mode="json")
    took = {"stop_seconds": clock.now() - ended, "cpu_seconds": cpu}
    return {"true_joules": true, "true_seconds": ended - began, **took, **reading}


def main(profile: str, length: float, count: int, seed: int, options: dict[str, str]) -> None:
    clock, chance = SystemClock(), random.Random(seed)
    card = PROFILES[profile]
    world = World(Path(os.environ["JOULEBENCH_SIMULATED_GPUS"]), [card], clock.now(), seed)
    meter = build(Site(clock, (device(0),), options))
    sensor = meter.probe()
    print(sensor.model_dump_json(), flush=True)
    for _ in range(count):
        clock.sleep(chance.random() * 0.1)
        print(json.dumps(window(meter, world, clock, length * chance.uniform(1, 1.2), chance)))
    sys.stdout.flush()


if __name__ == "__main__":
    with suppress(PermissionError):
        os.nice(-10)  # what else the machine does should not make us look late
    pairs = dict(word.split("=", 1) for word in sys.argv[5:])
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), pairs)
