"""Windows on a simulated GPU in a process of its own; one line of JSON a window.

Run as: worker.py PROFILE LENGTH_SECONDS COUNT SEED [OPTION=VALUE …] with the library first in
LD_LIBRARY_PATH and JOULEBENCH_SIMULATED_GPUS naming a file to make. The options are the meter's,
and `fault`: what happens in the middle of every window (`reset`, `lost`), or `neighbour`: a second
GPU that another program keeps busy.
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

from bench.meters import MeterContext
from bench.meters.nvml import build
from bench.meters.nvml.meter import NvmlMeter
from bench.results.machine_record import Device
from bench.system import nvidia_driver
from bench.system.clock import SystemClock
from simulated_nvml import PROFILES, World, uuid


def make_device(index: int, used: bool = True) -> Device:
    """The simulated GPU as `describe_machine` would list it."""
    gpu = nvidia_driver.list_gpus()[index]
    return Device(
        domain=f"gpu:{index}",
        name=gpu.name,
        used=used,
        mig_enabled=gpu.mig_enabled,
    ).with_uuid(uuid(index))


def measure_window(
    meter: NvmlMeter,
    world: World,
    clock: SystemClock,
    seconds: float,
    rng: random.Random,
    fault: str,
) -> dict[str, object]:
    """One window at a random phase, with its true energy."""
    token = meter.start()
    began = clock.now()
    world.busy(0, began, seconds, rng)
    cpu = time.process_time()
    clock.sleep(seconds / 2)
    if fault in ("reset", "lost"):
        world.change(0, **{f"{fault}_at": clock.now()})
    clock.sleep(seconds / 2)
    cpu = time.process_time() - cpu
    ended = clock.now()
    world.idle(0, ended)
    readings = meter.stop(token, began, ended)
    if fault == "lost":
        world.change(0, lost_at=0.0)  # the GPU is back for the next window
    return {
        "true_joules": world.joules(0, began, ended),
        "true_seconds": ended - began,
        "stop_seconds": clock.now() - ended,
        "cpu_seconds": cpu,
        **readings[0].model_dump(mode="json"),
    }


def main(profile: str, length: float, count: int, seed: int, options: dict[str, str]) -> None:
    clock, rng = SystemClock(), random.Random(seed)
    fault = options.pop("fault", "")
    gpus = [PROFILES[profile]] * (2 if fault == "neighbour" else 1)
    world = World(Path(os.environ["JOULEBENCH_SIMULATED_GPUS"]), gpus, clock.now(), seed)
    devices = tuple(make_device(index, used=index == 0) for index in range(len(gpus)))
    if fault == "neighbour":
        world.busy(1, clock.now(), 60.0, random.Random(seed + 1))
    meter = build(MeterContext(clock, devices, options))
    print(meter.probe().model_dump_json(), flush=True)
    for _ in range(count):
        clock.sleep(rng.random() * 0.1)
        seconds = length * rng.uniform(1, 1.2)
        print(json.dumps(measure_window(meter, world, clock, seconds, rng, fault)))
    sys.stdout.flush()


if __name__ == "__main__":
    with suppress(PermissionError):
        os.nice(-10)  # other programs of the machine should not delay the polling
    pairs = dict(word.split("=", 1) for word in sys.argv[5:])
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), pairs)
