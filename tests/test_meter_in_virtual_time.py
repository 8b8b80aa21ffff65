"""The GPU meter over many windows in virtual time: bounds of errors, coverage of intervals."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from simulated_nvml import PROFILES, uuid
from virtual_gpu import MeasuredWindow, VirtualGpu

from bench.meters import MeterContext
from bench.meters.nvml import build
from bench.system.nvidia_driver import GpuInfo


def coverage(windows: Sequence[MeasuredWindow]) -> float:
    """The share of windows whose 95 % interval covers the true energy."""
    return sum(one.is_covered for one in windows) / len(windows)


def largest_error(windows: Sequence[MeasuredWindow]) -> float:
    return max(abs(one.relative_error) for one in windows)


@pytest.mark.parametrize("profile", ["h100", "a100", "volta"])
@pytest.mark.parametrize(
    ("seconds", "target", "widest"), [(0.1, 0.005, 0.01), (1.0, 0.001, 0.001), (5.0, 0.001, 0.001)]
)
def test_full_time_counter_is_within_its_error_bounds(
    profile: str,
    seconds: float,
    target: float,
    widest: float,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The GPU is characterised: the most that power after a load is above the line is known."""
    gpu = VirtualGpu(PROFILES[profile], tmp_path, monkeypatch)
    windows = gpu.series(gpu.meter({"nvml_tail_watts": "4"}), seconds, 100)
    assert largest_error(windows) <= target
    assert coverage(windows) >= 0.93
    assert statistics.median(one.relative_half_width for one in windows) <= widest


@pytest.mark.parametrize(
    ("profile", "widest"), [("h100", 0.006), ("a100", 0.006), ("volta", 0.0015)]
)
def test_interval_of_a_gpu_that_is_not_characterised_is_wider_by_the_tail(
    profile: str, widest: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later windows are sharper than the first: those at other phases showed more of the tail."""
    gpu = VirtualGpu(PROFILES[profile], tmp_path, monkeypatch)
    windows = gpu.series(gpu.meter(), 1.0, 50)
    assert largest_error(windows) <= 0.001
    assert coverage(windows) >= 0.93
    widths = [one.relative_half_width for one in windows]
    assert statistics.median(widths) <= widest
    assert statistics.median(widths[-10:]) < statistics.median(widths[:5])


@pytest.mark.parametrize("profile", ["h100", "volta"])
@pytest.mark.parametrize(
    ("watts", "seconds", "shape"),
    [
        (0.0, 0.5, "exponential"),
        (30.0, 0.05, "exponential"),
        (60.0, 0.02, "rectangle"),
        (60.0, 0.1, "rectangle"),
        (60.0, 0.15, "exponential"),
        (60.0, 0.2, "ramp"),
        (60.0, 0.5, "rectangle"),
    ],
)
def test_intervals_cover_whatever_power_does_after_the_load(
    profile: str,
    watts: float,
    seconds: float,
    shape: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulated = replace(
        PROFILES[profile], after_watts=watts, after_seconds=seconds, after_shape=shape
    )
    gpu = VirtualGpu(simulated, tmp_path, monkeypatch, seed=3)
    windows = gpu.series(gpu.meter(), 1.0, 30)
    assert coverage(windows) >= 0.93
    assert statistics.median(one.relative_half_width for one in windows) <= 0.015


@pytest.mark.parametrize("profile", ["h100", "volta"])
@pytest.mark.parametrize("lag", [0.0, 0.01, 0.03, 0.1, 0.15, 0.25])
def test_intervals_cover_a_latency_of_several_steps(
    profile: str, lag: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = VirtualGpu(PROFILES[profile].with_values(lag=lag), tmp_path, monkeypatch, seed=3)
    windows = gpu.series(gpu.meter(), 1.0, 30)
    # All windows of a meter share what it learnt of the latency: at 250 ms one meter in several
    # runs of this test covered 25 of 30 (docs/measurement.md).
    assert coverage(windows) >= (0.93 if lag < 0.25 else 0.75)
    assert statistics.median(abs(one.relative_error) for one in windows) <= 0.001


@pytest.mark.parametrize("late", [0.002, 0.01])
def test_intervals_cover_on_a_busy_machine(
    late: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = VirtualGpu(PROFILES["h100"], tmp_path, monkeypatch, seed=7, late=late)
    assert coverage(gpu.series(gpu.meter(), 0.1, 100)) >= 0.93


def test_long_window_needs_fewer_edges_than_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three edges on each side are enough where the energy is sharp; a short window takes more."""
    gpu = VirtualGpu(PROFILES["h100"], tmp_path, monkeypatch)
    meter = gpu.meter()

    def overhead(seconds: float) -> float:
        """Seconds that a window takes beyond its length: the median of nine."""
        overheads = []
        for _ in range(9):
            gpu.series(meter, seconds, 1)  # sets the number of edges that the meter waits for
            gpu.clock.advance(0.6)
            start = gpu.clock.now()
            gpu.window(meter, seconds)
            overheads.append(gpu.clock.now() - start - seconds)
        return statistics.median(overheads)

    long, short = overhead(2.0), overhead(0.1)
    assert long < 1.3
    assert short > long


def test_short_window_states_its_complete_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window of 19.8 steps of 0.1 s does not have 20."""
    gpu = VirtualGpu(PROFILES["h100"], tmp_path, monkeypatch)
    reading = gpu.window(gpu.meter(), 1.98).reading
    (warning,) = [item for item in reading.warnings if item.code == "window-short"]
    assert "held 19 steps" in warning.message


def cumulative(gpu: VirtualGpu, seconds: float, fault: bool = False) -> tuple[MeasuredWindow, ...]:
    """A load of `seconds` in cumulative mode: the reading in its middle and the final one.

    `fault`: the counter is reset in the middle of the load.
    """
    device = GpuInfo(index=0, uuid=uuid(0), name="simulated")
    meter = build(MeterContext(gpu.clock, (device,)))
    gpu.clock.advance(0.3 + gpu.rng.random())
    meter.open()
    began = gpu.clock.now()
    gpu.world.busy(0, began, seconds, gpu.rng)
    gpu.clock.advance(seconds / 2)
    middle = gpu.clock.now()
    (so_far,) = meter.so_far(began, middle)
    if fault:
        gpu.reset_counter()
    gpu.clock.advance(seconds / 2)
    meter.so_far(began, gpu.clock.now())
    ended = gpu.clock.now()
    gpu.world.idle(0, ended)
    (final,) = meter.close(began, ended)
    return (
        MeasuredWindow(so_far, gpu.world.joules(0, began, middle)),
        MeasuredWindow(final, gpu.world.joules(0, began, ended)),
    )


@pytest.mark.parametrize(
    "profile", ["h100", "a100", "volta", "slow-calls", "turing", "part-time-power", "average-only"]
)
def test_cumulative_readings_cover_the_true_energy(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load begins with the program, before the first edge of a power reading."""
    middles, finals = [], []
    for seed in range(10):
        gpu = VirtualGpu(PROFILES[profile], tmp_path, monkeypatch, seed=seed)
        middle, final = cumulative(gpu, 3.0)
        middles.append(middle)
        finals.append(final)
    assert coverage(finals) >= 0.9
    assert coverage(middles) >= 0.8
    assert largest_error(finals) < 0.06


def test_counter_reset_in_cumulative_mode_gives_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = VirtualGpu(PROFILES["h100"], tmp_path, monkeypatch)
    reading = cumulative(gpu, 2.0, fault=True)[1].reading
    assert reading.energy_joules is None
    assert [warning.code for warning in reading.warnings] == ["counter-reset"]


def test_gpu_without_a_sensor_in_cumulative_mode_gives_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = VirtualGpu(PROFILES["no-sensor"], tmp_path, monkeypatch)
    for window in cumulative(gpu, 1.0):
        assert window.reading.energy_joules is None
        assert [warning.code for warning in window.reading.warnings] == ["energy-missing"]


@pytest.mark.parametrize("profile", ["h100", "a100", "volta", "lagging", "part-time-counter"])
@pytest.mark.parametrize("seconds", [0.1, 1.0, 5.0])
def test_back_to_back_windows_cover_under_a_continuous_load(
    profile: str, seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = back_to_back(profile, seconds, 100, tmp_path, monkeypatch)
    assert coverage(windows) >= 0.92
    if seconds >= 1 and profile != "part-time-counter":
        assert statistics.median(one.relative_half_width for one in windows) <= 0.02 / seconds


@pytest.mark.parametrize("seconds", [0.1, 1.0])
def test_back_to_back_window_covers_a_load_that_stops_with_it(
    seconds: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option's condition does not hold at the end; the interval is wide enough all the same."""
    assert coverage(back_to_back("h100", seconds, 60, tmp_path, monkeypatch, stops=True)) >= 0.92


def test_back_to_back_windows_of_integrated_power_cover(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for profile, duty in (("turing", "1"), ("part-time-power", "0.25"), ("average-only", "1")):
        windows = back_to_back(profile, 2.0, 40, tmp_path, monkeypatch, power_duty=duty)
        assert coverage(windows) >= 0.92


def back_to_back(
    profile: str,
    seconds: float,
    count: int,
    folder: Path,
    patch: pytest.MonkeyPatch,
    stops: bool = False,
    power_duty: str = "0.25",
) -> list[MeasuredWindow]:
    """Windows cut out of a varying load that begins long before each and goes on after it."""
    options = {"nvml_back_to_back": "1", "nvml_power_duty": power_duty}
    if profile == "part-time-counter":
        options["nvml_counter_duty"] = "0.25"
    gpu = VirtualGpu(PROFILES[profile], folder, patch, seed=3)
    meter, windows = gpu.meter(options), []
    for _ in range(count):
        gpu.world.drop_history(0, gpu.clock.now() - 5)
        length = seconds * gpu.rng.uniform(1, 1.2)
        gpu.world.busy(0, gpu.clock.now(), length + 6, gpu.rng)
        gpu.clock.advance(1.5 + gpu.rng.random())
        windows.append(gpu.window(meter, length, loaded=True, stops=stops))
    return windows
