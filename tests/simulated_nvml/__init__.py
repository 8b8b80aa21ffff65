"""The Python side of the simulated driver: builds the library and holds the true power."""

from __future__ import annotations

import math
import mmap
import random
import shutil
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

KNOTS = 8192
PROCESSES = 8
GPUS = 8
FIELDS = (
    *("step", "phase", "jitter", "lag", "lag_jitter", "quantum", "scale", "offset_watts"),
    *("counter_duty", "power_step", "power_phase", "power_duty", "power_average", "power_noise"),
    *("call_seconds", "lost_at", "reset_at", "has_counter", "has_average", "has_instant"),
    *("forbidden", "mig", "throttle", "limit_watts", "default_limit_watts", "memory_bytes"),
    *("temperature", "clock", "max_clock"),
    *("app_clock", "default_app_clock", "module_watts", "has_average_field", "capability"),
    "process_count",
    *(f"pid{i}" for i in range(PROCESSES)),
)
_HEAD = 8 + 96
_NAMES = 3 * 96
_COUNT = _NAMES + 8 * len(FIELDS)
_GPU = _COUNT + 8 + 24 * KNOTS

Knots = list[tuple[float, float]]
"""Power over time: (seconds, watts) pairs, linear between them, constant after the last."""


@dataclass(frozen=True)
class SimulatedGpu:
    """One simulated GPU: its sensors (`values`, in seconds, joules and watts) and its power."""

    name: str = "Simulated GPU"
    idle_watts: float = 70.0
    busy_watts: float = 400.0
    after_watts: float = 15.0  # above idle right after load, falling with `after_seconds`
    after_seconds: float = 0.5
    after_shape: str = "exponential"  # or "rectangle", "ramp": both end after `after_seconds`
    pids: tuple[int, ...] = ()
    values: dict[str, float] = field(default_factory=dict)

    def with_values(self, **values: float) -> SimulatedGpu:
        """A copy with these values of FIELDS changed."""
        return replace(self, values={**self.values, **values})


_COMMON = {
    "scale": 1.0, "counter_duty": 1.0, "power_step": 0.1, "power_duty": 0.25, "power_average": 1.0,
    "power_noise": 0.4, "quantum": 0.001, "has_counter": 1.0, "has_average": 1.0,
    "has_instant": 1.0, "limit_watts": 700.0, "default_limit_watts": 700.0,
    "memory_bytes": 80 * 2.0**30, "temperature": 45.0, "clock": 1980.0, "max_clock": 1980.0,
    "app_clock": 1980.0, "default_app_clock": 1980.0,
    "has_average_field": 1.0, "capability": 9.0,
}  # fmt: skip

# The counter moves every 100 ms on A100 and H100 and every 20 ms on V100; power is sampled for 25
# of every 100 ms on A100 and H100, all the time on Turing, according to published measurements of
# these GPUs. Lags and jitters are assumptions: none are published. PowerUsage and field 185 are as
# NVML's reference says: A100 (GA100), V100 and T4 have no average, and an instantaneous PowerUsage.
H100 = SimulatedGpu("Simulated H100").with_values(
    **_COMMON, step=0.1, jitter=0.002, lag=0.004, lag_jitter=0.0002
)
A100 = SimulatedGpu(
    "Simulated A100", idle_watts=55.0, busy_watts=300.0, after_watts=20.0
).with_values(**_COMMON, step=0.1, jitter=0.004, lag=0.008, lag_jitter=0.0002)
A100 = A100.with_values(has_average_field=0.0, power_average=0.025, capability=8.0)
VOLTA = SimulatedGpu("Simulated V100", idle_watts=40.0, busy_watts=250.0).with_values(
    **_COMMON, step=0.02, jitter=0.0005, lag=0.002, lag_jitter=0.0001
)
VOLTA = VOLTA.with_values(has_instant=0.0, power_step=0.02, power_average=0.01, power_duty=0.5)
VOLTA = VOLTA.with_values(has_average_field=0.0, capability=7.0)
TURING = SimulatedGpu(
    "Simulated T4", idle_watts=12.0, busy_watts=68.0, after_watts=3.0
).with_values(**_COMMON, step=0.1)
TURING = TURING.with_values(has_counter=0.0, power_duty=1.0, power_noise=0.05)
TURING = TURING.with_values(has_average_field=0.0, power_average=0.1, capability=7.5)
TURING = TURING.with_values(limit_watts=70.0, default_limit_watts=70.0)
PROFILES: dict[str, SimulatedGpu] = {
    "h100": H100,
    "a100": A100,
    "volta": VOLTA,
    "turing": TURING,
    "lagging": H100.with_values(lag=0.06),
    "part-time-counter": H100.with_values(counter_duty=0.25),
    "part-time-power": H100.with_values(has_counter=0.0),
    "average-only": H100.with_values(has_counter=0.0, has_instant=0.0, has_average_field=0.0),
    "average-field": H100.with_values(has_counter=0.0, has_instant=0.0, has_average=0.0),
    "a100-power": A100.with_values(has_counter=0.0, has_instant=0.0),
    "v100-power": VOLTA.with_values(has_counter=0.0),
    "t4-usage": TURING.with_values(has_instant=0.0),
    "slow-calls": H100.with_values(call_seconds=0.003),
    "forbidden": H100.with_values(forbidden=1.0),
    "mig": A100.with_values(mig=1.0),
    "throttled": H100.with_values(throttle=float(0x40 | 0x04)),
    "no-sensor": H100.with_values(
        has_counter=0.0, has_instant=0.0, has_average=0.0, has_average_field=0.0
    ),
    "module": replace(H100, name="Simulated GH200 480GB").with_values(module_watts=120.0),
    "gb200": replace(H100, name="Simulated GB200").with_values(module_watts=120.0, capability=10.0),
    "gb300": replace(H100, name="Simulated GB300").with_values(module_watts=120.0, capability=10.3),
    "biased": H100.with_values(scale=1.05, offset_watts=2.0),
}


def compiler() -> str | None:
    """The system's C compiler, or None."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(folder: Path, old_driver: bool = False, process_lists: int = 550) -> Path:
    """Compile the library into `folder`, which then goes first in LD_LIBRARY_PATH.

    `process_lists` is the driver branch whose process lists it has: 0 (none), 418, 470, 535 (its
    first releases) or 550.
    """
    command = [
        compiler() or "cc",
        "-O2",
        "-shared",
        "-fPIC",
        "-o",
        str(folder / "libnvidia-ml.so.1"),
    ]
    command += ["-DOLD_DRIVER"] if old_driver else []
    command += [f"-DPROCESS_LISTS={process_lists}"]
    source = Path(__file__).with_name("driver.c")
    subprocess.run([*command, str(source), "-lm"], check=True, capture_output=True)
    return folder


def uuid(index: int) -> str:
    """The UUID of the simulated GPU of this index."""
    return f"GPU-0000000{index}-aaaa-bbbb-cccc-dddddddddddd"


class World:
    """The state that the library reads, with the true power and energy of every GPU."""

    def __init__(self, path: Path, gpus: Sequence[SimulatedGpu], now: float, seed: int = 0) -> None:
        rng = random.Random(seed)
        with path.open("wb") as file:
            file.truncate(_HEAD + _GPU * GPUS)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._gpus = list(gpus)
        self._knots: list[list[tuple[float, float, float]]] = []
        struct.pack_into("<q96s", self._memory, 0, len(gpus), b"999.10")
        for index, gpu in enumerate(gpus):
            values = dict.fromkeys(FIELDS, 0.0) | gpu.values | {"process_count": len(gpu.pids)}
            values |= {f"pid{i}": pid for i, pid in enumerate(gpu.pids)}
            values["phase"] = now - 20 + rng.random() * values["step"]
            values["power_phase"] = now - 20 + rng.random() * values["power_step"]
            names = [n.encode() for n in (uuid(index), gpu.name, f"MIG-{uuid(index)[4:]}")]
            struct.pack_into("<96s96s96s", self._memory, self._at(index), *names)
            at = self._at(index) + _NAMES
            struct.pack_into(f"<{len(FIELDS)}d", self._memory, at, *(values[f] for f in FIELDS))
            self._knots.append([(now - 20, gpu.idle_watts, 0.0)])
            self._write(index, 0)

    def _at(self, index: int) -> int:
        return _HEAD + _GPU * index

    def _write(self, index: int, start: int) -> None:
        knots = self._knots[index]
        at = self._at(index) + _COUNT
        struct.pack_into("<q", self._memory, at, start)
        for i in range(start, len(knots)):
            struct.pack_into("<3d", self._memory, at + 8 + 24 * i, *knots[i])
        struct.pack_into("<q", self._memory, at, len(knots))

    def change(self, index: int, **values: float) -> None:
        """Set values of one GPU while it runs, such as `lost_at` (seconds) or `throttle`."""
        for name, value in values.items():
            at = self._at(index) + _NAMES + 8 * FIELDS.index(name)
            struct.pack_into("<d", self._memory, at, value)

    def value(self, index: int, name: str) -> float:
        """One of the FIELDS of a GPU as it is now."""
        at = self._at(index) + _NAMES + 8 * FIELDS.index(name)
        return float(struct.unpack_from("<d", self._memory, at)[0])

    def drop_history(self, index: int, time: float) -> None:
        """Drop the true power before `time`, so that any number of windows fit.

        The first knot stays: the counter counts from there.
        """
        first, *rest = self._knots[index]
        self._knots[index] = [first, *(knot for knot in rest if knot[0] > time)]
        self._write(index, 1)

    def power(self, index: int, time: float, knots: Knots) -> None:
        """Set the power of GPU `index` from `time` on; the knots' seconds count from `time`."""
        kept = self._knots[index]
        last = self.watts(index, time)
        while len(kept) > 1 and kept[-1][0] > time:
            kept.pop()
        start = len(kept)
        for at, watts in [(time, last), *((time + s, w) for s, w in knots)]:
            then, before, joules = kept[-1]
            kept.append((at, watts, joules + 0.5 * (before + watts) * (at - then)))
        self._write(index, start)

    def busy(self, index: int, time: float, seconds: float, rng: random.Random) -> None:
        """A varying load from `time` on, for at least `seconds`: 75 to 100 % of `busy_watts`."""
        highest = self._gpus[index].busy_watts
        knots: Knots = []
        at = 0.0
        while at < seconds + 1:
            watts = highest * rng.uniform(0.75, 1.0)
            knots.append((at, watts))
            at += rng.uniform(0.005, 0.08) * max(1.0, seconds / 20)
            knots.append((at, watts))
        self.power(index, time, knots)

    def idle(self, index: int, time: float) -> None:
        """End the load at `time`; power falls off to idle."""
        gpu = self._gpus[index]
        length, highest = gpu.after_seconds, gpu.after_watts
        fall: Knots
        if gpu.after_shape == "rectangle":
            fall = [(0.0, highest), (length, highest), (length, 0.0)]
        elif gpu.after_shape == "ramp":
            fall = [(0.0, highest), (length, 0.0)]
        else:
            times = [i * 0.1 * length for i in range(80)]
            fall = [(s, highest * math.exp(-s / length)) for s in times]
        self.power(index, time, [(s, gpu.idle_watts + w) for s, w in fall])

    def _locate(self, index: int, time: float) -> int:
        knots = self._knots[index]
        low, high = 0, len(knots) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if knots[middle][0] <= time else (low, middle - 1)
        return low

    def watts(self, index: int, time: float) -> float:
        """True power in watts at `time`."""
        knots = self._knots[index]
        i = self._locate(index, time)
        if i + 1 == len(knots) or knots[i + 1][0] <= knots[i][0]:
            return knots[i][1]
        (t, w, _), (t2, w2, _) = knots[i : i + 2]
        return w + (w2 - w) * (time - t) / (t2 - t)

    def joules(self, index: int, began: float, ended: float) -> float:
        """True energy in joules between two times."""
        return self.joules_at(index, ended) - self.joules_at(index, began)

    def joules_at(self, index: int, time: float) -> float:
        """True energy in joules since the first knot."""
        t, w, joules = self._knots[index][self._locate(index, time)]
        return joules + 0.5 * (w + self.watts(index, time)) * (time - t)
