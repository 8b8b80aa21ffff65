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
    ("h100", 0.1, 20, "nvml_tail_watts=4"),
    ("a100", 0.1, 20, "nvml_tail_watts=4"),
    ("volta", 0.1, 20, "nvml_tail_watts=4"),
    ("h100", 1.0, 20, "nvml_tail_watts=4"),
    ("a100", 1.0, 20, "nvml_tail_watts=4"),
    ("volta", 1.0, 20, "nvml_tail_watts=4"),
    ("h100", 5.0, 3, "nvml_tail_watts=4"),
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
SCENARIOS = [
    *(
        "reset",
        "lost",
        "frozen",
        "forbidden",
        "no_sensor",
        "window_below_a_step",
        "mig",
        "throttled",
        "no_driver",
    ),
    *(
        "neighbour",
        "pair",
        "processes",
        "visible_devices",
        "old_driver",
        "clocks",
        "shared",
        "tracked",
    ),
]


@dataclass
class Series:
    """The output of one worker: the sensor, then its windows."""

    sensor: dict[str, Any]
    windows: list[dict[str, Any]]

    @property
    def errors(self) -> list[float]:
        return [w["energy_joules"] / w["true_joules"] - 1 for w in self.windows]

    @property
    def halves(self) -> list[float]:
        return [1.96 * w["standard_uncertainty_joules"] / w["true_joules"] for w in self.windows]

    @property
    def covered_count(self) -> int:
        """Windows whose interval holds the true energy: it reaches further on the tail's side."""
        count = 0
        for window, error, half in zip(self.windows, self.errors, self.halves, strict=True):
            below = window.get("tail_joules_below", 0.0) / window["true_joules"]
            above = window.get("tail_joules_above", 0.0) / window["true_joules"]
            count += -half - above <= error <= half + below
        return count


def start(folder: Path, script: str, state: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(folder),
        "JOULEBENCH_SIMULATED_GPUS": str(folder / state),
    }
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    command = [sys.executable, str(FOLDER / script), *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines()]


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = simulated_nvml.build(tmp_path_factory.mktemp("driver"))
    older = simulated_nvml.build(tmp_path_factory.mktemp("older"), old_driver=True)
    running = {
        name: start(older if name == "old_driver" else folder, "scenarios.py", name, name)
        for name in SCENARIOS
    }
    return {name: finish(process)[0] for name, process in running.items()}


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, float], Series]:
    folder = simulated_nvml.build(tmp_path_factory.mktemp("driver"))
    out = {}
    # The strict ones first and alone: on two cores more processes would delay their polling.
    for batch in (STRICT, [*OTHERS, *(row[:4] for row in FAULTY)]):
        running = {}
        for seed, (profile, seconds, count, options) in enumerate(batch):
            arguments = [profile, str(seconds), str(count), str(seed), *options.split()]
            running[profile, seconds] = start(
                folder, "worker.py", f"{profile}-{seconds}", *arguments
            )
        for key, process in running.items():
            sensor, *windows = finish(process)
            out[key] = Series(sensor, windows)
    return out


Measured = dict[tuple[str, float], Series]
FULL_TIME = [(profile, seconds) for profile, seconds, _, _ in STRICT]


@pytest.mark.parametrize(("profile", "seconds"), FULL_TIME)
def test_full_time_counter_is_within_its_error_bounds(
    series: Measured, profile: str, seconds: float
) -> None:
    """A busy machine polls late at times: then the interval is wide."""
    selected = series[profile, seconds]
    allowed = 0.005 if seconds < 1 else 0.001
    for error, half in zip(selected.errors, selected.halves, strict=True):
        assert abs(error) <= max(allowed, 1.3 * half)
    assert statistics.median(abs(error) for error in selected.errors) <= allowed
    assert statistics.median(selected.halves) <= 2 * allowed


def test_intervals_cover_the_true_energy(series: Measured) -> None:
    """Without the counter that is late by half a step: its lag is learnt in the first windows."""
    selected = [
        row[:2] for row in (*STRICT, *OTHERS) if row[0] not in ("lagging", "module", "biased")
    ]
    known = {key: series[key] for key in selected}
    count = sum(len(one.windows) for one in known.values())
    assert sum(one.covered_count for one in known.values()) >= 0.91 * count
    for key, one in known.items():
        assert one.covered_count >= len(one.windows) - max(2, 0.15 * len(one.windows)), key


def test_probe_characterises_the_sensor(series: Measured) -> None:
    for profile, step in (("h100", 0.1), ("a100", 0.1), ("volta", 0.02)):
        sensor = series[profile, 1.0].sensor
        assert sensor["usable"] and sensor["method"] == "counter"
        assert sensor["step_seconds"] == pytest.approx(step, rel=0.05)
        assert sensor["counter_to_power_ratio"] == pytest.approx(1.0, rel=0.05)
        assert sensor["quantum_joules"] == pytest.approx(0.001)
    assert series["slow-calls", 0.5].sensor["read_cost_seconds"] >= 0.003


def test_meter_uses_no_cpu_inside_a_counter_window(series: Measured) -> None:
    assert max(w["cpu_seconds"] for w in series["h100", 5.0].windows) < 0.01


def test_lag_of_a_late_counter_is_learnt(series: Measured) -> None:
    late = series["lagging", 0.5]
    settled = zip(late.errors[10:], late.halves[10:], strict=True)
    assert sum(abs(error) <= max(0.002, half) for error, half in settled) >= 8


def test_power_is_integrated_without_a_counter(series: Measured) -> None:
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
def test_fault_in_twenty_windows_never_gives_an_energy(
    series: Measured, profile: str, seconds: float, code: str
) -> None:
    windows = series[profile, seconds].windows
    assert len(windows) == 20
    for window in windows:
        assert window["energy_joules"] is None and window["standard_uncertainty_joules"] is None
        assert codes(window) == {code}
        assert window["warnings"][0]["remedy"]


def test_load_of_another_gpu_changes_nothing(series: Measured) -> None:
    one = series["h100", 0.3]
    assert statistics.median(abs(error) for error in one.errors) < 0.003


def test_counter_of_a_module_is_marked(series: Measured) -> None:
    """The counter of a GH200 covers the CPU too, 120 W here: a warning states it."""
    one = series["module", 0.5]
    assert "module" in one.sensor["calibration_source"]
    assert one.sensor["counter_to_power_ratio"] > 2
    for window in one.windows:
        assert "module-scope" in codes(window)
        true = window["true_joules"] + 120.0 * window["true_seconds"]
        assert window["energy_joules"] == pytest.approx(true, rel=0.01)


def test_scale_error_is_within_the_calibration_uncertainty(series: Measured) -> None:
    """The simulated GPU reads 5 % and 2 W high: the calibration covers that, not the interval."""
    one = series["biased", 0.3]
    assert one.sensor["calibration_relative_half_width"] == 0.05
    assert statistics.median(one.errors) == pytest.approx(0.056, abs=0.005)


def test_short_window_has_a_warning(series: Measured) -> None:
    assert "window-short" in codes(series["h100", 0.1].windows[0])
    assert "window-short" not in codes(series["h100", 5.0].windows[0])


def codes(reading: dict[str, Any]) -> set[str]:
    return {item["code"] for item in reading["warnings"]}


@pytest.mark.parametrize(
    ("scenario", "code", "text"),
    [
        ("reset", "counter-reset", "backwards"),
        ("lost", "read-failed", "lost"),
        ("frozen", "read-failed", "did not move"),
        ("forbidden", "energy-missing", "forbidden"),
        ("no_sensor", "energy-missing", "does not support"),
        ("window_below_a_step", "energy-missing", "missed so short a window"),
    ],
)
def test_fault_gives_none_with_its_reason(
    scenarios: dict[str, Any], scenario: str, code: str, text: str
) -> None:
    (reading,) = scenarios[scenario]["readings"]
    assert reading["energy_joules"] is None
    assert reading["standard_uncertainty_joules"] is None
    assert codes(reading) == {code}
    assert text in reading["warnings"][0]["message"]


def test_unreadable_sensor_is_unusable_with_its_reason(scenarios: dict[str, Any]) -> None:
    for scenario, text in (("forbidden", "forbidden"), ("no_sensor", "does not support")):
        sensor = scenarios[scenario]["sensor"]
        assert not sensor["usable"]
        assert text in sensor["reason"]
        assert scenarios[scenario]["watts"] == {}
    assert scenarios["no_driver"]["sensor"]["reason"] == "NVIDIA's driver is not loaded"
    assert scenarios["no_driver"]["devices"] == 1


def test_mig_slice_has_no_energy_unless_the_whole_gpu_is_requested(
    scenarios: dict[str, Any],
) -> None:
    (refused,) = scenarios["mig"]["refused"]
    assert refused["energy_joules"] is None and codes(refused) == {"mig-whole-gpu"}
    assert "nvml_mig=whole" in refused["warnings"][0]["remedy"]
    (reading,) = scenarios["mig"]["readings"]
    assert "mig-whole-gpu" in codes(reading)
    assert reading["energy_joules"] == pytest.approx(scenarios["mig"]["true_joules"][0], rel=0.02)


def test_unused_gpu_has_a_reading_of_its_own(scenarios: dict[str, Any]) -> None:
    scenario = scenarios["neighbour"]
    used, other = scenario["readings"]
    assert (used["domain"], other["domain"]) == ("gpu:0", "gpu:1")
    assert used["energy_joules"] == pytest.approx(scenario["true_joules"][0], rel=0.01)
    u = other["standard_uncertainty_joules"]
    assert abs(other["energy_joules"] - scenario["true_joules"][1]) < 4 * u
    assert scenario["sensor"]["domains"] == ["gpu:0"]
    assert set(scenario["watts"]) == {"gpu:0"}


def test_two_gpus_of_a_run_are_each_within_error_bounds(scenarios: dict[str, Any]) -> None:
    scenario = scenarios["pair"]
    for reading, true in zip(scenario["readings"], scenario["true_joules"], strict=True):
        assert reading["energy_joules"] == pytest.approx(true, rel=0.01)


def test_throttle_reasons_are_reported(scenarios: dict[str, Any]) -> None:
    state = scenarios["throttled"]["device_states"][0]
    assert state["throttle_reasons"] == ["hw_thermal_slowdown", "sw_power_cap"]
    assert state["temperature_celsius"] == 45
    assert state["clock_mhz"] == 1980
    reasons = ["sw_power_cap", "hw_thermal_slowdown"]
    assert scenarios["old_driver"] == {"throttle": reasons, "seconds": {}}


def test_foreign_processes_are_counted_without_our_own(scenarios: dict[str, Any]) -> None:
    scenario = scenarios["processes"]
    device = scenario.pop("described")
    assert scenario == {"alone": 1, "with_own": 1, "with_another": 2, "contained": 1}
    assert device["foreign_process_count"] == 1
    assert device["power_limit_watts"] == 700 and device["driver_version"] == "999.10"


def test_clock_settings_are_reported(scenarios: dict[str, Any]) -> None:
    assert scenarios["clocks"] == {
        "default": [],
        "application clocks": ["application_clocks"],
        "locked": ["locked_clocks"],
        "held at the default": [],
        "no application clocks, locked": ["locked_clocks"],
        "no application clocks": [],
    }


def test_window_shared_with_a_foreign_process_has_no_energy(scenarios: dict[str, Any]) -> None:
    """A foreign process that computes at the start or at the end; graphics alone do not count."""
    scenario = scenarios["shared"]
    for name in ("alone", "own"):
        assert scenario[name]["energy_joules"] is not None
    for name in ("at the start", "at the end"):
        assert scenario[name]["energy_joules"] is None
        assert codes(scenario[name]) == {"foreign-process"}
        assert "Stop other programs" in scenario[name]["warnings"][0]["remedy"]


def test_track_measures_a_block_of_a_continuous_load(scenarios: dict[str, Any]) -> None:
    scenario = scenarios["tracked"]
    reading = next(r for r in scenario["readings"] if r["domain"] == "gpu:0")
    u = reading["standard_uncertainty_joules"]
    assert abs(reading["energy_joules"] - scenario["true_joules"]) < 4 * u
    assert 2 * u < 0.05 * scenario["true_joules"]


def test_device_strings_count_within_visible_devices(scenarios: dict[str, Any]) -> None:
    assert scenarios["visible_devices"] == {
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
        "malformed": "the device 'gpu0' is none of auto, cpu, cuda:N[,cuda:M]",
        "twice": "the device 'cuda:0,cuda:0' names a GPU twice",
    }
