"""Versions of NVIDIA's driver, each simulated, through the real binding: reasons, no exceptions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import simulated_nvml
from simulated_nvml import PROFILES
from virtual_gpu import VirtualGpu

from bench.system.nvidia_driver import covers_module

pytestmark = pytest.mark.skipif(
    simulated_nvml.compiler() is None or not sys.platform.startswith("linux"),
    reason="the simulated driver needs a C compiler and Linux",
)
SCENARIOS = Path(simulated_nvml.__file__).with_name("scenarios.py")


def outcome(folder: Path, scenario: str, **build_options: Any) -> dict[str, Any]:
    """The output of a scenario under a driver that is built with these options."""
    simulated_nvml.build(folder, **build_options)
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(folder),
        "JOULEBENCH_SIMULATED_GPUS": str(folder / "gpus"),
    }
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    command = [sys.executable, str(SCENARIOS), scenario]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("branch", [418, 470, 535, 550])
def test_process_ids_are_right_under_every_driver(tmp_path: Path, branch: int) -> None:
    """Branch 470 has no _v3, the first releases of 535 have longer entries."""
    found = outcome(tmp_path, "process_lists", process_lists=branch)
    for count in (0, 1, 3, 8):
        ids = list(range(4_000_000, 4_000_000 + count))
        assert found[str(count)] == [ids, count]


def test_missing_process_lists_are_a_reason(tmp_path: Path) -> None:
    found = outcome(tmp_path, "process_lists", process_lists=0)
    for reason, foreign_count in found.values():
        assert reason == "the driver is too old to have this function" and foreign_count is None


def test_power_is_what_the_driver_documents_for_the_gpu(tmp_path: Path) -> None:
    """PowerUsage is an average on Ampere (except GA100) and newer, else instantaneous.

    Field 185 is the average, 186 the instantaneous power. A sensor that samples a part of each step
    is read through the average, where the GPU has one.
    """
    kind_average_averaged_duty = outcome(tmp_path, "power_kinds")
    assert kind_average_averaged_duty == {
        "h100": ["instant", True, True, 0.25],
        "a100": ["instant", False, False, 0.25],
        "average-only": ["average", True, True, 1.0],
        "average-field": ["average", True, True, 1.0],
        "a100-power": ["instant", False, False, 0.25],
        "v100-power": ["instant", False, False, 0.25],
        "t4-usage": ["instant", False, False, 0.25],
    }


@pytest.mark.parametrize("profile", ["module", "gb200", "gb300"])
def test_counter_of_a_superchip_covers_its_module(profile: str) -> None:
    assert covers_module(PROFILES[profile].name)


@pytest.mark.parametrize("name", ["NVIDIA H200", "NVIDIA H100 PCIe", "NVIDIA B200", "NVIDIA A100"])
def test_counter_of_a_card_covers_the_card(name: str) -> None:
    assert not covers_module(name)


@pytest.mark.parametrize(
    ("profile", "duty", "warning"),
    [
        ("t4-usage", "1", None),
        ("v100-power", "0.5", "aliasing-risk"),
        ("a100-power", "0.25", "aliasing-risk"),
    ],
)
def test_instantaneous_power_usage_is_not_taken_for_an_average(
    profile: str,
    duty: str,
    warning: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu = VirtualGpu(PROFILES[profile], tmp_path, monkeypatch, seed=5)
    windows = gpu.series(gpu.meter({"nvml_power_duty": duty}), 2.0, 20)
    covered = sum(1 for w in windows if abs(w.relative_error) <= w.relative_half_width)
    assert covered >= 18
    codes = {item.code for w in windows for item in w.reading.warnings}
    assert codes == ({warning} if warning else set())
