"""Faults and special cases of a GPU, each a scenario that prints one line of JSON.

Run as: scenarios.py NAME with the library first in LD_LIBRARY_PATH and JOULEBENCH_SIMULATED_GPUS
naming a file to make.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.meters import MeterContext
from bench.meters.nvml import build
from bench.meters.nvml.gpu_sensor import POWER_DUTY, GpuSensor, has_average
from bench.results.machine_record import Machine
from bench.results.record import Reading
from bench.runner import instruments
from bench.runner.window import close_window, open_window
from bench.system import device_monitor, machine, nvidia_driver
from bench.system.clock import SystemClock
from bench.tracker.code_block import track
from simulated_nvml import H100, PROFILES, SimulatedGpu, World, uuid

CLOCK = SystemClock()
RNG = random.Random(1)
FOREIGN_PID = 4_000_000
POWER_PROFILES = (
    "h100",
    "a100",
    "average-only",
    "average-field",
    "a100-power",
    "v100-power",
    "t4-usage",
)


def make_world(*gpus: SimulatedGpu) -> World:
    return World(Path(os.environ["JOULEBENCH_SIMULATED_GPUS"]), gpus, CLOCK.now())


def as_json(readings: tuple[Reading, ...]) -> list[dict[str, object]]:
    return [reading.model_dump(mode="json") for reading in readings]


def measure_window(
    world: World,
    seconds: float,
    inside: Callable[[], None] = lambda: None,
    device: str = "auto",
    **options: str,
) -> dict[str, object]:
    """One window on the devices of the argument `device`; `inside` is called in its middle."""
    described = machine.describe_machine(device)
    meter = build(MeterContext(CLOCK, described.devices, options))
    sensor = meter.probe()
    token = meter.start()
    began = CLOCK.now()
    world.busy(0, began, seconds, RNG)
    CLOCK.sleep(seconds / 2)
    inside()
    CLOCK.sleep(seconds / 2)
    ended = CLOCK.now()
    world.idle(0, ended)
    readings = meter.stop(token, began, ended)
    return {
        "sensor": sensor.model_dump(mode="json"),
        "readings": as_json(readings),
        "true_joules": [world.joules(i, began, ended) for i in range(len(described.devices) - 1)],
        "watts": dict(meter.watts()),
        "device_states": [
            c.model_dump(mode="json") for c in device_monitor.DeviceMonitor(described).sample()
        ],
    }


def reset() -> dict[str, object]:
    world = make_world(H100)
    return measure_window(world, 0.6, lambda: world.change(0, reset_at=CLOCK.now()))


def lost() -> dict[str, object]:
    world = make_world(H100)
    return measure_window(world, 0.6, lambda: world.change(0, lost_at=CLOCK.now()))


def frozen() -> dict[str, object]:
    world = make_world(H100)
    return measure_window(world, 0.6, lambda: world.change(0, step=1e6, phase=CLOCK.now() - 1))


def forbidden() -> dict[str, object]:
    return measure_window(make_world(PROFILES["forbidden"]), 0.2)


def no_sensor() -> dict[str, object]:
    return measure_window(make_world(PROFILES["no-sensor"]), 0.2)


def window_below_a_step() -> dict[str, object]:
    return measure_window(make_world(PROFILES["part-time-power"]), 0.05)


def mig() -> dict[str, object]:
    world = make_world(PROFILES["mig"])
    os.environ["CUDA_VISIBLE_DEVICES"] = f"MIG-{uuid(0)[4:]}"
    refused = measure_window(world, 0.3)["readings"]
    return {**measure_window(world, 0.3, nvml_mig="whole"), "refused": refused}


def throttled() -> dict[str, object]:
    return measure_window(make_world(PROFILES["throttled"]), 0.2)


def no_driver() -> dict[str, object]:
    del os.environ["JOULEBENCH_SIMULATED_GPUS"]
    described = machine.describe_machine()
    sensor = build(MeterContext(CLOCK, described.devices)).probe()
    return {"sensor": sensor.model_dump(mode="json"), "devices": len(described.devices)}


def neighbour() -> dict[str, object]:
    """Two GPUs: the run has the first, another program loads the second all the time."""
    world = make_world(H100, H100)
    world.power(1, CLOCK.now(), [(0.0, 500.0)])
    return measure_window(world, 1.0, device="cuda:0")


def pair() -> dict[str, object]:
    """Two GPUs in one run, the second under a steady load throughout."""
    world = make_world(H100, PROFILES["volta"])
    world.power(1, CLOCK.now() - 1, [(0.0, 200.0)])
    return measure_window(world, 1.0, device="cuda:0,cuda:1")


def processes() -> dict[str, object]:
    """Foreign processes: one before our own, with it, with another, and our own in a container."""
    world = make_world(SimulatedGpu("Shared", pids=(FOREIGN_PID,)).with_values(**H100.values))
    described = machine.describe_machine()
    monitor = device_monitor.DeviceMonitor(described)

    def count() -> int | None:
        return monitor.sample()[0].foreign_process_count

    out: dict[str, object] = {"described": _device(described), "alone": count()}
    world.change(0, process_count=2, pid1=os.getpid())
    out["with_own"] = count()
    world.change(0, process_count=3, pid2=FOREIGN_PID + 1)
    out["with_another"] = count()
    world.change(0, process_count=2, pid1=FOREIGN_PID + 2)  # our own, by its number on the host
    out["contained"] = count()
    return out


def clocks() -> dict[str, object]:
    """Clock settings, and the throttle reasons that the monitor reports for them."""
    world = make_world(H100)
    cases: dict[str, dict[str, float]] = {
        "default": {},
        "application clocks": {"app_clock": 1200.0},
        "locked": {"app_clock": 1980.0, "throttle": 2.0, "clock": 1500.0},
        "held at the default": {"clock": 1980.0},
        "no application clocks, locked": {"app_clock": 0.0, "default_app_clock": 0.0},
        "no application clocks": {"throttle": 0.0},
    }
    out: dict[str, object] = {}
    for name, values in cases.items():
        world.change(0, **values)
        out[name] = (
            device_monitor.DeviceMonitor(machine.describe_machine()).sample()[0].throttle_reasons
        )
    return out


def shared() -> dict[str, object]:
    """Windows alone, with our process, and with a foreign one at the start or at the end."""
    world = make_world(H100)
    described = machine.describe_machine()
    meter = build(MeterContext(CLOCK, described.devices))
    meter.probe()
    monitor = device_monitor.DeviceMonitor(described)
    meters = instruments.Instruments(CLOCK, (meter,), foreign_processes=monitor.foreign_processes)

    def window(before: tuple[int, ...], after: tuple[int, ...]) -> object:
        set_processes(before)
        token = open_window(meters)
        CLOCK.sleep(0.2)
        set_processes(after)
        closed = close_window(meters, token)
        return as_json(closed.readings)[0]

    def set_processes(pids: tuple[int, ...]) -> None:
        values = {f"pid{i}": float(pid) for i, pid in enumerate(pids)}
        world.change(0, process_count=float(len(pids)), **values)

    own = os.getpid()
    return {
        "alone": window((), ()),
        "own": window((own,), (own,)),
        "at the start": window((own, FOREIGN_PID), (own,)),
        "at the end": window((own,), (own, FOREIGN_PID)),
    }


def tracked() -> dict[str, object]:
    """A block cut out of a load that goes on: back_to_back, through `track`."""
    world = make_world(H100)
    world.busy(0, CLOCK.now(), 30.0, RNG)
    with track(devices=[0], back_to_back=True) as measurement:
        began = CLOCK.now()
        CLOCK.sleep(2.0)
        ended = CLOCK.now()
    return {
        "readings": as_json(measurement.readings),
        "true_joules": world.joules(0, began, ended),
    }


def _device(described: Machine) -> dict[str, object]:
    return described.devices[-1].model_dump(mode="json")


def visible_devices() -> dict[str, object]:
    """The GPU of each device string under each CUDA_VISIBLE_DEVICES."""
    make_world(H100, PROFILES["mig"], H100)
    cases = {
        "none": (None, "auto"),
        "second": ("1", "auto"),
        "swapped": ("2,0", "cuda:0"),
        "both": ("2,0", "cuda:1,cuda:0"),
        "uuid": (uuid(2)[:12], "cuda:0"),
        "slice": (f"MIG-{uuid(1)[4:]}", "cuda:0"),
        "old slice": (f"MIG-{uuid(1)}/1/0", "cuda:0"),
        "empty": ("", "auto"),
        "cpu": (None, "cpu"),
        "too many": ("2", "cuda:1"),
        "ends at the first bad name": ("0,nonsense,1", "cuda:1"),
        "malformed": (None, "gpu0"),
        "twice": (None, "cuda:0,cuda:0"),
    }
    out: dict[str, object] = {}
    for name, (setting, device) in cases.items():
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        if setting is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = setting
        try:
            out[name] = [d.domain for d in machine.describe_machine(device).devices if d.used][1:]
        except ValueError as error:
            out[name] = str(error)
    return out


def old_driver() -> dict[str, object]:
    """The library without the functions that drivers before 2023 lack."""
    make_world(PROFILES["throttled"])
    gpu = nvidia_driver.list_gpus()[0]
    return {
        "throttle": nvidia_driver.throttle_reasons(gpu.uuid),
        "seconds": nvidia_driver.throttled_seconds(gpu.uuid),
    }


def process_lists() -> dict[str, object]:
    """The process ids and the foreign processes; no process list is a reason, not an exception."""
    world = make_world(H100)
    out: dict[str, object] = {}
    for count in (0, 1, 3, 8):
        pids = {f"pid{i}": float(FOREIGN_PID + i) for i in range(count)}
        world.change(0, process_count=float(count), **pids)
        try:
            found: object = sorted(nvidia_driver.processes(uuid(0)))
        except nvidia_driver.NvmlReadError as failure:
            found = failure.reason
        described = machine.describe_machine()
        out[str(count)] = [found, described.devices[-1].foreign_process_count]
    return out


def power_kinds() -> dict[str, object]:
    """Of each GPU: the kind of its power, whether it has an average, and how it is integrated."""
    names = [name for name in PROFILES if name in POWER_PROFILES]
    make_world(*(PROFILES[name] for name in names))
    out: dict[str, object] = {}
    for index, name in enumerate(names):
        kind = nvidia_driver.power(uuid(index)).kind
        sensor = GpuSensor(nvidia_driver.list_gpus()[index], CLOCK)
        sensor.integrate(0.0, POWER_DUTY)
        out[name] = [kind, has_average(uuid(index)), sensor.averaged, sensor.duty]
    return out


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
