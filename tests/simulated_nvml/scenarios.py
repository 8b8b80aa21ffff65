"""What can go wrong or be special with a GPU, each as one scene that prints one line of JSON.

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
from bench.results.machine_record import Machine
from bench.results.record import Reading
from bench.runner import instruments
from bench.runner.window import MeasuredWindow, close_window, open_window
from bench.system import device_monitor, machine, nvidia_driver
from bench.system.clock import SystemClock
from bench.tracker.code_block import track
from simulated_nvml import H100, PROFILES, SimulatedGpu, World, uuid

CLOCK = SystemClock()
CHANCE = random.Random(1)
STRANGER = 4_000_000


def made(*cards: SimulatedGpu) -> World:
    return World(Path(os.environ["JOULEBENCH_SIMULATED_GPUS"]), cards, CLOCK.now())


def shown(readings: tuple[Reading, ...]) -> list[dict[str, object]]:
    return [reading.model_dump(mode="json") for reading in readings]


def measured(
    world: World,
    seconds: float,
    inside: Callable[[], None] = lambda: None,
    device: str = "auto",
    **options: str,
) -> dict[str, object]:
    """One window on the devices that `device` names; `inside` happens in its middle."""
    described = machine.describe_machine(device)
    meter = build(MeterContext(CLOCK, described.devices, options))
    sensor = meter.probe()
    token = meter.start()
    began = CLOCK.now()
    world.busy(0, began, seconds, CHANCE)
    CLOCK.sleep(seconds / 2)
    inside()
    CLOCK.sleep(seconds / 2)
    ended = CLOCK.now()
    world.idle(0, ended)
    readings = meter.stop(token, began, ended)
    return {
        "sensor": sensor.model_dump(mode="json"),
        "readings": shown(readings),
        "true_joules": [world.joules(i, began, ended) for i in range(len(described.devices) - 1)],
        "watts": dict(meter.watts()),
        "device_states": [
            c.model_dump(mode="json") for c in device_monitor.DeviceMonitor(described).look()
        ],
    }


def reset() -> dict[str, object]:
    world = made(H100)
    return measured(world, 0.6, lambda: world.change(0, reset_at=CLOCK.now()))


def lost() -> dict[str, object]:
    world = made(H100)
    return measured(world, 0.6, lambda: world.change(0, lost_at=CLOCK.now()))


def frozen() -> dict[str, object]:
    world = made(H100)
    return measured(world, 0.6, lambda: world.change(0, step=1e6, phase=CLOCK.now() - 1))


def forbidden() -> dict[str, object]:
    return measured(made(PROFILES["forbidden"]), 0.2)


def no_sensor() -> dict[str, object]:
    return measured(made(PROFILES["no-sensor"]), 0.2)


def glimpse() -> dict[str, object]:
    return measured(made(PROFILES["part-time-power"]), 0.05)


def mig() -> dict[str, object]:
    world = made(PROFILES["mig"])
    os.environ["CUDA_VISIBLE_DEVICES"] = f"MIG-{uuid(0)[4:]}"
    refused = measured(world, 0.3)["readings"]
    return {**measured(world, 0.3, nvml_mig="whole"), "refused": refused}


def throttled() -> dict[str, object]:
    return measured(made(PROFILES["throttled"]), 0.2)


def no_driver() -> dict[str, object]:
    del os.environ["JOULEBENCH_SIMULATED_GPUS"]
    described = machine.describe_machine()
    sensor = build(MeterContext(CLOCK, described.devices)).probe()
    return {"sensor": sensor.model_dump(mode="json"), "devices": len(described.devices)}


def neighbour() -> dict[str, object]:
    """Two GPUs: the run has the first, somebody else loads the second all the time."""
    world = made(H100, H100)
    world.power(1, CLOCK.now(), [(0.0, 500.0)])
    return measured(world, 1.0, device="cuda:0")


def pair() -> dict[str, object]:
    """Two GPUs in one run, the second drawing a steady load throughout."""
    world = made(H100, PROFILES["volta"])
    world.power(1, CLOCK.now() - 1, [(0.0, 200.0)])
    return measured(world, 1.0, device="cuda:0,cuda:1")


def processes() -> dict[str, object]:
    """Who is on the GPU: a stranger before us, then ourselves, then another, then a container."""
    world = made(SimulatedGpu("Shared", pids=(STRANGER,)).having(**H100.values))
    described = machine.describe_machine()
    watch = device_monitor.DeviceMonitor(described)

    def count() -> int | None:
        return watch.look()[0].foreign_process_count

    out: dict[str, object] = {"described": _device(described), "alone": count()}
    world.change(0, process_count=2, pid1=os.getpid())
    out["with_us"] = count()
    world.change(0, process_count=3, pid2=STRANGER + 1)
    out["with_another"] = count()
    world.change(0, process_count=2, pid1=STRANGER + 2)  # ours, by the host's number
    out["contained"] = count()
    return out


def clocks() -> dict[str, object]:
    """What was set about the clocks, and what of it is seen."""
    world = made(H100)
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
            device_monitor.DeviceMonitor(machine.describe_machine()).look()[0].throttle_reasons
        )
    return out


def shared() -> dict[str, object]:
    """Windows with nobody, with ourselves, and with a stranger at the start or at the end."""
    world = made(H100)
    described = machine.describe_machine()
    meter = build(MeterContext(CLOCK, described.devices))
    meter.probe()
    watch = device_monitor.DeviceMonitor(described)
    rig = instruments.Instruments(CLOCK, (meter,), strangers=watch.strangers)

    def window(before: tuple[int, ...], after: tuple[int, ...]) -> object:
        there(before)
        opened = open_window(rig)
        CLOCK.sleep(0.2)
        there(after)
        closed: MeasuredWindow[None] = close_window(rig, opened)
        return shown(closed.readings)[0]

    def there(pids: tuple[int, ...]) -> None:
        values = {f"pid{i}": float(pid) for i, pid in enumerate(pids)}
        world.change(0, process_count=float(len(pids)), **values)

    me = os.getpid()
    return {
        "alone": window((), ()),
        "us": window((me,), (me,)),
        "at the start": window((me, STRANGER), (me,)),
        "at the end": window((me,), (me, STRANGER)),
    }


def tracked() -> dict[str, object]:
    """A block cut out of a load that goes on: back to back, through `track`."""
    world = made(H100)
    world.busy(0, CLOCK.now(), 30.0, CHANCE)
    with track(devices=[0], back_to_back=True) as measurement:
        began = CLOCK.now()
        CLOCK.sleep(2.0)
        ended = CLOCK.now()
    return {
        "readings": shown(measurement.readings),
        "true_joules": world.joules(0, began, ended),
    }


def _device(described: Machine) -> dict[str, object]:
    return described.devices[-1].model_dump(mode="json")


def visible() -> dict[str, object]:
    """Which GPU each device string means under each CUDA_VISIBLE_DEVICES."""
    made(H100, PROFILES["mig"], H100)
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
        "odd": (None, "gpu0"),
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
    """Built without what drivers before 2023 lack: the older names must do."""
    made(PROFILES["throttled"])
    gpu = nvidia_driver.list_gpus()[0]
    return {
        "throttle": nvidia_driver.throttle(gpu.uuid).hardware,
        "seconds": nvidia_driver.throttled_seconds(gpu.uuid),
    }


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
