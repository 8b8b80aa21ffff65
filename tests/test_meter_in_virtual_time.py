"""The GPU meter over many windows in virtual time: errors known, intervals cover."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from simulated_nvml import PROFILES
from virtual_gpu import MeasuredWindow, VirtualGpu


def covered(seen: Sequence[MeasuredWindow]) -> float:
    return sum(abs(one.relative_error) <= one.relative_half_width for one in seen) / len(seen)


def worst(seen: Sequence[MeasuredWindow]) -> float:
    return max(abs(one.relative_error) for one in seen)


@pytest.mark.parametrize("profile", ["h100", "a100", "volta"])
@pytest.mark.parametrize(("seconds", "target"), [(0.1, 0.005), (1.0, 0.001), (5.0, 0.001)])
def test_a_full_time_counter_meets_its_targets(
    profile: str, seconds: float, target: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = VirtualGpu(PROFILES[profile], tmp_path, monkeypatch)
    seen = gpu.series(gpu.meter(), seconds, 100)
    assert worst(seen) <= target
    assert covered(seen) >= 0.93
    assert statistics.median(one.relative_half_width for one in seen) <= target


@pytest.mark.parametrize("late", [0.002, 0.01])
def test_a_busy_machine_widens_the_interval_and_never_teaches_a_false_lag(
    late: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = VirtualGpu(PROFILES["h100"], tmp_path, monkeypatch, seed=7, late=late)
    assert covered(gpu.series(gpu.meter(), 0.1, 100)) >= 0.93


def test_a_long_window_is_not_waited_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps on each side are enough where the bill is sharp; a short window takes more."""
    gpu = VirtualGpu(PROFILES["h100"], tmp_path, monkeypatch)
    meter = gpu.meter()

    def cost(seconds: float) -> float:
        """What a window usually takes beyond itself: the middle of nine."""
        costs = []
        for _ in range(9):
            gpu.series(meter, seconds, 1)  # rests, and teaches the meter what to expect
            gpu.clock.advance(0.6)
            asked = gpu.clock.now()
            gpu.window(meter, seconds)
            costs.append(gpu.clock.now() - asked - seconds)
        return sorted(costs)[4]

    long, short = cost(2.0), cost(0.1)
    assert long < 1.3
    assert short > long


@pytest.mark.parametrize("profile", ["h100", "a100", "volta", "lagging", "part-time-counter"])
@pytest.mark.parametrize("seconds", [0.1, 1.0, 5.0])
def test_back_to_back_windows_cover_under_a_load_that_never_rests(
    profile: str, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = back_to_back(profile, seconds, 100, tmp_path, monkeypatch)
    assert covered(seen) >= 0.92
    if seconds >= 1 and profile != "part-time-counter":
        assert statistics.median(one.relative_half_width for one in seen) <= 0.02 / seconds


@pytest.mark.parametrize("seconds", [0.1, 1.0])
def test_a_load_that_stops_with_the_window_is_covered_back_to_back_too(
    seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise is broken at the end, and the width of the interval says so."""
    assert covered(back_to_back("h100", seconds, 60, tmp_path, monkeypatch, stops=True)) >= 0.92


def test_a_sampled_sensor_covers_back_to_back_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread sleeps in real time, so the window is made of readings here."""
    for profile, duty in (("turing", "1"), ("part-time-power", "0.25"), ("average-only", "1")):
        seen = back_to_back(profile, 2.0, 40, tmp_path, monkeypatch, power_duty=duty)
        assert covered(seen) >= 0.92


def back_to_back(
    profile: str,
    seconds: float,
    count: int,
    folder: Path,
    patch: pytest.MonkeyPatch,
    stops: bool = False,
    power_duty: str = "0.25",
) -> list[MeasuredWindow]:
    """Windows cut out of a restless load that begins long before each and goes on after it."""
    options = {"nvml_back_to_back": "1", "nvml_power_duty": power_duty}
    if profile == "part-time-counter":
        options["nvml_counter_duty"] = "0.25"
    gpu = VirtualGpu(PROFILES[profile], folder, patch, seed=3)
    meter, seen = gpu.meter(options), []
    for _ in range(count):
        gpu.world.forget(0, gpu.clock.now() - 5)
        length = seconds * gpu.rng.uniform(1, 1.2)
        gpu.world.busy(0, gpu.clock.now(), length + 6, gpu.rng)
        gpu.clock.advance(1.5 + gpu.rng.random())
        seen.append(gpu.window(meter, length, loaded=True, stops=stops))
    return seen
