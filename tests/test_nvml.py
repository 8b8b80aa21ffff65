"""The GPU meter through the real binding, on a simulated driver whose true energy is known."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import simulated_nvml

pytestmark = [
    pytest.mark.timing,
    pytest.mark.skipif(
        simulated_nvml.compiler() is None or not sys.platform.startswith("linux"),
        reason="the simulated driver needs a C compiler and Linux",
    ),
]

FOLDER = Path(simulated_nvml.__file__).parent
STRICT = [
    ("h100", 0.1, 20, ""),
    ("a100", 0.1, 20, ""),
    ("volta", 0.1, 20, ""),
    ("h100", 1.0, 20, ""),
    ("a100", 1.0, 20, ""),
    ("volta", 1.0, 20, ""),
    ("h100", 5.0, 3, ""),
]
OTHERS = [
    ("lagging", 0.5, 20, ""),
    ("slow-calls", 0.5, 20, ""),
    ("module", 0.5, 20, ""),
    ("throttled", 0.3, 20, ""),
    ("biased", 0.3, 20, ""),
    ("h100", 0.3, 20, "fault=neighbour"),
    ("part-time-counter", 0.5, 20, "nvml_counter_duty=0.25"),
    ("turing", 0.5, 20, "nvml_power_duty=1"),
    ("turing", 5.0, 3, "nvml_power_duty=1"),
    ("part-time-power", 0.5, 20, ""),
    ("average-only", 0.5, 20, ""),
]
FAULTY = [
    ("h100", 0.2, 20, "fault=reset", "counter-reset"),
    ("h100", 0.25, 20, "fault=lost", "read-failed"),
    ("forbidden", 0.1, 20, "", "energy-missing"),
    ("mig", 0.2, 20, "", "mig-whole-gpu"),
]
SCENES = [
    *(
        "reset",
        "lost",
        "frozen",
        "forbidden",
        "no_sensor",
        "glimpse",
        "mig",
        "throttled",
        "no_driver",
    ),
    *("neighbour", "pair", "processes", "visible", "old_driver", "clocks", "shared", "tracked"),
]


@dataclass
class Series:
    """What one worker printed: the sensor, then its windows."""

    sensor: dict[str, Any]
    windows: list[dict[str, Any]]

    @property
    def errors(self) -> list[float]:
        return [w["energy_joules"] / w["true_joules"] - 1 for w in self.windows]

    @property
    def halves(self) -> list[float]:
        return [1.96 * w["standard_uncertainty_joules"] / w["true_joules"] for w in self.windows]

    @property
    def covered(self) -> int:
        pairs = zip(self.errors, self.halves, strict=True)
        return sum(1 for error, half in pairs if abs(error) <= half)


def start(folder: Path, script: str, state: str, *words: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(folder),
        "JOULEBENCH_SIMULATED_GPUS": str(folder / state),
    }
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    command = [sys.executable, str(FOLDER / script), *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = simulated_nvml.build(tmp_path_factory.mktemp("driver"))
    older = simulated_nvml.build(tmp_path_factory.mktemp("older"), old_driver=True)
    running = {
        name: start(older if name == "old_driver" else folder, "scenarios.py", name, name)
        for name in SCENES
    }
    return {name: finish(process)[0] for name, process in running.items()}


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, float], Series]:
    folder = simulated_nvml.build(tmp_path_factory.mktemp("driver"))
    out = {}
    # The strict ones first and among themselves: on two cores more would make each other look late.
    for batch in (STRICT, [*OTHERS, *(row[:4] for row in FAULTY)]):
        running = {}
        for seed, (profile, seconds, count, options) in enumerate(batch):
            words = [profile, str(seconds), str(count), str(seed), *options.split()]
            running[profile, seconds] = start(folder, "worker.py", f"{profile}-{seconds}", *words)
        for key, process in running.items():
            sensor, *windows = finish(process)
            out[key] = Series(sensor, windows)
    return out


Measured = dict[tuple[str, float], Series]
FULL_TIME = [(profile, seconds) for profile, seconds, _, _ in STRICT]


@pytest.mark.parametrize(("profile", "seconds"), FULL_TIME)
def test_a_full_time_counter_is_read_true(series: Measured, profile: str, seconds: float) -> None:
    """A machine that runs other things too looks late at times: then the interval is wide."""
    mine = series[profile, seconds]
    allowed = 0.005 if seconds < 1 else 0.001
    for error, half in zip(mine.errors, mine.halves, strict=True):
        assert abs(error) <= max(allowed, 1.3 * half)
    assert statistics.median(abs(error) for error in mine.errors) <= allowed
    assert statistics.median(mine.halves) <= 2 * allowed


def test_the_intervals_cover(series: Measured) -> None:
    """A counter that is late by half a step is found out in the first windows: left out here."""
    mine = [row[:2] for row in (*STRICT, *OTHERS) if row[0] not in ("lagging", "module", "biased")]
    known = {key: series[key] for key in mine}
    count = sum(len(one.windows) for one in known.values())
    assert sum(one.covered for one in known.values()) >= 0.91 * count
    for key, one in known.items():
        assert one.covered >= len(one.windows) - max(2, 0.15 * len(one.windows)), key


def test_the_sensor_is_characterised(series: Measured) -> None:
    for profile, step in (("h100", 0.1), ("a100", 0.1), ("volta", 0.02)):
        sensor = series[profile, 1.0].sensor
        assert sensor["usable"] and sensor["method"] == "counter"
        assert sensor["step_seconds"] == pytest.approx(step, rel=0.05)
        assert sensor["counter_to_power_ratio"] == pytest.approx(1.0, rel=0.05)
        assert sensor["quantum_joules"] == pytest.approx(0.001)
    assert series["slow-calls", 0.5].sensor["read_cost_seconds"] >= 0.003


def test_nothing_of_ours_runs_inside_a_counter_window(series: Measured) -> None:
    assert max(w["cpu_seconds"] for w in series["h100", 5.0].windows) < 0.01


def test_a_late_counter_is_found_out(series: Measured) -> None:
    late = series["lagging", 0.5]
    settled = zip(late.errors[10:], late.halves[10:], strict=True)
    assert sum(abs(error) <= max(0.002, half) for error, half in settled) >= 8


def test_without_a_counter_power_is_integrated(series: Measured) -> None:
    turing = series["turing", 5.0]
    assert turing.sensor["method"] == "integrated"
    for window, error, half in zip(turing.windows, turing.errors, turing.halves, strict=True):
        assert window["method"] == "integrated"
        assert abs(error) <= max(0.003, half)
    for profile in ("part-time-power", "part-time-counter"):
        part = series[profile, 0.5]
        assert all("aliasing-risk" in codes(window) for window in part.windows)
        assert part.sensor["method"] == "integrated"
        assert statistics.median(abs(error) for error in part.errors) < 0.03
    assert "power-averaged" in codes(series["average-only", 0.5].windows[0])


@pytest.mark.parametrize(("profile", "seconds", "code"), [(f[0], f[1], f[4]) for f in FAULTY])
def test_a_fault_in_any_of_twenty_windows_never_gives_a_number(
    series: Measured, profile: str, seconds: float, code: str
) -> None:
    windows = series[profile, seconds].windows
    assert len(windows) == 20
    for window in windows:
        assert window["energy_joules"] is None and window["standard_uncertainty_joules"] is None
        assert codes(window) == {code}
        assert window["warnings"][0]["remedy"]


def test_a_noisy_neighbour_changes_nothing(series: Measured) -> None:
    one = series["h100", 0.3]
    assert statistics.median(abs(error) for error in one.errors) < 0.003


def test_a_module_counter_says_what_it_covers(series: Measured) -> None:
    """The counter of a GH200 holds the CPU beside the GPU: 120 W more here, told and not hidden."""
    one = series["module", 0.5]
    assert "module" in one.sensor["calibration_source"]
    assert one.sensor["counter_to_power_ratio"] > 2
    for window in one.windows:
        assert "module-scope" in codes(window)
        true = window["true_joules"] + 120.0 * window["true_seconds"]
        assert window["energy_joules"] == pytest.approx(true, rel=0.01)


def test_a_scale_error_stays_within_the_stated_gain(series: Measured) -> None:
    """The simulated card reads 5 % and 2 W high: that is the calibration's part, not the interval's."""
    one = series["biased", 0.3]
    assert one.sensor["calibration_relative_half_width"] == 0.05
    assert statistics.median(one.errors) == pytest.approx(0.056, abs=0.005)


def test_a_short_window_is_told(series: Measured) -> None:
    assert "window-short" in codes(series["h100", 0.1].windows[0])
    assert "window-short" not in codes(series["h100", 5.0].windows[0])


def codes(reading: dict[str, Any]) -> set[str]:
    return {item["code"] for item in reading["warnings"]}


@pytest.mark.parametrize(
    ("scene", "code", "words"),
    [
        ("reset", "counter-reset", "backwards"),
        ("lost", "read-failed", "lost"),
        ("frozen", "read-failed", "did not move"),
        ("forbidden", "energy-missing", "forbidden"),
        ("no_sensor", "energy-missing", "does not support"),
        ("glimpse", "energy-missing", "missed so short a window"),
    ],
)
def test_a_fault_gives_none_and_says_why(
    scenes: dict[str, Any], scene: str, code: str, words: str
) -> None:
    (reading,) = scenes[scene]["readings"]
    assert reading["energy_joules"] is None
    assert reading["standard_uncertainty_joules"] is None
    assert codes(reading) == {code}
    assert words in reading["warnings"][0]["message"]


def test_an_unreadable_sensor_is_unusable_with_its_reason(scenes: dict[str, Any]) -> None:
    for scene, words in (("forbidden", "forbidden"), ("no_sensor", "does not support")):
        sensor = scenes[scene]["sensor"]
        assert not sensor["usable"]
        assert words in sensor["reason"]
        assert scenes[scene]["watts"] == {}
    assert scenes["no_driver"]["sensor"]["reason"] == "NVIDIA's driver is not loaded"
    assert scenes["no_driver"]["devices"] == 1


def test_a_slice_of_a_card_has_no_figure_and_the_whole_card_one_on_request(
    scenes: dict[str, Any],
) -> None:
    (refused,) = scenes["mig"]["refused"]
    assert refused["energy_joules"] is None and codes(refused) == {"mig-whole-gpu"}
    assert "nvml_mig=whole" in refused["warnings"][0]["remedy"]
    (reading,) = scenes["mig"]["readings"]
    assert "mig-whole-gpu" in codes(reading)
    assert reading["energy_joules"] == pytest.approx(scenes["mig"]["true_joules"][0], rel=0.02)


def test_a_neighbour_is_not_billed(scenes: dict[str, Any]) -> None:
    scene = scenes["neighbour"]
    mine, other = scene["readings"]
    assert (mine["domain"], other["domain"]) == ("gpu:0", "gpu:1")
    assert mine["energy_joules"] == pytest.approx(scene["true_joules"][0], rel=0.01)
    u = other["standard_uncertainty_joules"]
    assert abs(other["energy_joules"] - scene["true_joules"][1]) < 4 * u
    assert scene["sensor"]["domains"] == ["gpu:0"]
    assert set(scene["watts"]) == {"gpu:0"}


def test_two_gpus_in_one_run_are_each_read_true(scenes: dict[str, Any]) -> None:
    scene = scenes["pair"]
    for reading, true in zip(scene["readings"], scene["true_joules"], strict=True):
        assert reading["energy_joules"] == pytest.approx(true, rel=0.01)


def test_throttling_is_seen(scenes: dict[str, Any]) -> None:
    condition = scenes["throttled"]["device_states"][0]
    assert condition["throttle_reasons"] == ["hw_thermal_slowdown", "sw_power_cap"]
    assert condition["temperature_celsius"] == 45
    assert condition["clock_mhz"] == 1980
    assert scenes["old_driver"] == {"throttle": ["hw_thermal_slowdown"], "seconds": {}}


def test_strangers_are_counted_and_we_are_not(scenes: dict[str, Any]) -> None:
    scene = scenes["processes"]
    device = scene.pop("described")
    assert scene == {"alone": 1, "with_us": 1, "with_another": 2, "contained": 1}
    assert device["foreign_process_count"] == 1
    assert device["power_limit_watts"] == 700 and device["driver_version"] == "999.10"


def test_clocks_that_somebody_set_are_told(scenes: dict[str, Any]) -> None:
    assert scenes["clocks"] == {
        "default": [],
        "application clocks": ["application_clocks"],
        "locked": ["locked_clocks"],
        "held at the default": [],
        "no application clocks, locked": ["locked_clocks"],
        "no application clocks": [],
    }


def test_a_window_that_a_stranger_shared_has_no_figure(scenes: dict[str, Any]) -> None:
    """A stranger that computes, seen at the start or at the end; a screen alone is no stranger."""
    scene = scenes["shared"]
    for name in ("alone", "us"):
        assert scene[name]["energy_joules"] is not None
    for name in ("at the start", "at the end"):
        assert scene[name]["energy_joules"] is None
        assert codes(scene[name]) == {"foreign-process"}
        assert "Stop what else runs" in scene[name]["warnings"][0]["remedy"]


def test_track_cuts_a_block_out_of_a_load_that_goes_on(scenes: dict[str, Any]) -> None:
    scene = scenes["tracked"]
    reading = next(r for r in scene["readings"] if r["domain"] == "gpu:0")
    u = reading["standard_uncertainty_joules"]
    assert abs(reading["energy_joules"] - scene["true_joules"]) < 4 * u
    assert 2 * u < 0.05 * scene["true_joules"]


def test_device_strings_count_within_what_is_visible(scenes: dict[str, Any]) -> None:
    assert scenes["visible"] == {
        "none": ["gpu:0"],
        "second": ["gpu:1"],
        "swapped": ["gpu:2"],
        "both": ["gpu:0", "gpu:2"],
        "uuid": ["gpu:2"],
        "slice": ["gpu:1"],
        "old slice": ["gpu:1"],
        "empty": [],
        "cpu": [],
        "too many": "there is no cuda:1: this machine shows 1 GPU",
        "ends at the first bad name": "there is no cuda:1: this machine shows 1 GPU",
        "odd": "the device 'gpu0' is none of auto, cpu, cuda:N[,cuda:M]",
        "twice": "the device 'cuda:0,cuda:0' names a GPU twice",
    }
