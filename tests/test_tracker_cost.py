"""Overhead of `joulebench track`: delay of the program's start, its duration, and CPU time."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.results.correlated_mean import mean_half_width
from bench.tracker.program_record import ProgramRecord

pytestmark = [
    pytest.mark.timing,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux"),
]

START_SECONDS, SHARE = 0.150, 0.01
TRIES = 20
NOW = "import time; print(time.clock_gettime(time.CLOCK_MONOTONIC))"
WORK = """
import time
start = time.perf_counter()
total = sum(n * n for n in range(20_000_000))
print(time.perf_counter() - start)
"""


def output(words: list[str]) -> float:
    ended = subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return float(ended.stdout)


def track_command(folder: Path, *program: str) -> list[str]:
    words = ["track", "--out", str(folder), "--region", "FR", "--", *program]
    return [sys.executable, "-P", "-m", "bench", *words]


def test_program_starts_within_150_ms(tmp_path: Path) -> None:
    """The fastest of several tries. On a busy machine the limit is scaled by the slowness: duration
    of an untracked start divided by its CPU time."""
    program = [sys.executable, "-c", NOW]

    def start(words: list[str]) -> float:
        began = time.clock_gettime(time.CLOCK_MONOTONIC)
        return output(words) - began

    plain, with_tracker, slowness = [], [], []
    for _ in range(TRIES):
        before = os.times()
        plain.append(start(program))
        after = os.times()
        cpu = sum(after[2:4]) - sum(before[2:4])
        slowness.append(max(1.0, plain[-1] / max(cpu, 0.01)))
        with_tracker.append(start(track_command(tmp_path, *program)))
        delay = min(with_tracker) - min(plain)
        if len(with_tracker) >= 3 and delay < START_SECONDS * statistics.median(slowness):
            return
    pytest.fail(
        f"the start is {delay:.3f} s late on a machine slowed by a factor of {min(slowness):.1f}"
    )


def test_duration_grows_by_less_than_one_percent(tmp_path: Path) -> None:
    """It fails only where the measurement shows it: on a busy machine one pair differs by several
    percent, so the 95 % interval of the mean logarithm of the ratio must exceed the limit."""
    program = [sys.executable, "-c", WORK]
    growth: list[float] = []
    for number in range(TRIES):
        commands = [program, track_command(tmp_path, *program)]
        order = commands if number % 2 else commands[::-1]
        durations = {len(command): output(command) for command in order}
        growth.append(math.log(durations[len(commands[1])] / durations[len(program)]))
        mean, half_width = statistics.fmean(growth), mean_half_width([growth], 0.95)
        if len(growth) >= 5 and mean + half_width < math.log1p(SHARE):
            return
    low, high = math.expm1(mean - half_width), math.expm1(mean + half_width)
    assert low < SHARE, f"it takes {low:.1%} to {high:.1%} longer"


def test_reading_the_sensors_takes_less_than_one_percent_of_a_cpu(tmp_path: Path) -> None:
    """CPU time of the tracker over a long program less that over a short one."""

    def cpu(number: int, seconds: float) -> float:
        folder = tmp_path / f"{number}-{seconds}"
        subprocess.run(
            track_command(folder, "sleep", str(seconds)), check=True, stderr=subprocess.DEVNULL
        )
        (path,) = folder.glob("*.json")
        return ProgramRecord.model_validate_json(path.read_text()).tracker_cpu_seconds

    for number in range(3):
        if cpu(number, 9.0) - cpu(number, 2.0) < SHARE * 7.0:
            return
    pytest.fail("reading the sensors takes more than one percent of a CPU")
