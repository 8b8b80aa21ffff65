"""A complete run of the command on a simulated GPU, with the real driver binding in between."""

import os
import subprocess
import sys
import time

import pytest
from simulated_nvml import H100, World, build, compiler, uuid

from bench.results import storage
from bench.results.machine_record import card_id
from bench.system import machine_identity

pytestmark = [
    pytest.mark.timing,
    pytest.mark.skipif(compiler() is None, reason="no C compiler for the driver"),
]
WATTS = 180.0


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return build(tmp_path_factory.mktemp("driver"))


def run_on(library, tmp_path, gpus, device, at_trial_3=lambda world: None):
    """The terminal's output and the result of a quick run on simulated GPUs."""
    world = World(tmp_path / "gpus", gpus, time.perf_counter())
    for index, _ in enumerate(gpus):
        world.power(index, time.perf_counter() - 10, [(0.0, WATTS)])
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(library),
        "JOULEBENCH_SIMULATED_GPUS": str(tmp_path / "gpus"),
    }
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    options = ["run", "text-gen", "--backend", "simulated", "--quick", "--device", device]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *options, "--out", str(tmp_path / "out")],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if "trial 3" in line:
            at_trial_3(world)
    output = process.stdout.read()
    assert process.wait(timeout=60) == 0
    return output, storage.load_result(next((tmp_path / "out").glob("text-gen/*.json")))


def test_boundary_of_a_run_is_its_gpu_alone(library, tmp_path):
    output, result = run_on(library, tmp_path, [H100, H100], "cuda:1")
    assert result.boundary.kind == "measured"
    assert result.boundary.domains[0] == "gpu:1"
    assert "gpu:0" not in result.boundary.domains
    used = {d.domain: d.used for d in result.machine.devices}
    assert used["gpu:1"] and not used["gpu:0"]
    assert next(d.card_id for d in result.machine.devices if d.domain == "gpu:1") == card_id(
        uuid(1), machine_identity.machine_salt()
    )
    for trial in result.measured():
        reading = next(r for r in trial.readings if r.domain == "gpu:1")
        true = WATTS * trial.duration_seconds
        assert abs(reading.energy_joules - true) < 4 * reading.standard_uncertainty_joules + 1e-3
        assert abs(reading.energy_joules / true - 1) < 0.005
    # The idle energy of the other GPU has a reading of its own.
    assert {r.domain for idle in result.idle for r in idle.readings} >= {"gpu:0", "gpu:1"}
    # The simulated load adds nothing to the idle power.
    assert result.summary.net_energy_kwh_per_1000 is None
    assert "net-energy-unresolved" in {warning.code for warning in result.warnings}
    # The CPU is modelled, has its own field, and is not added.
    if not any(domain.startswith("cpu") for domain in result.boundary.domains):
        assert result.summary.modelled_energy_kwh_per_1000 is not None
    assert "measured" in output and "NOT measured" not in output


def test_boundary_of_a_run_on_several_gpus_is_these(library, tmp_path):
    _, result = run_on(library, tmp_path, [H100, H100, H100], "cuda:0,cuda:2")
    assert result.boundary.domains[:2] == ("gpu:0", "gpu:2")
    assert "gpu:1" not in result.boundary.domains
    for trial in result.measured():
        both = {r.domain: r.energy_joules for r in trial.readings}
        true = 2 * WATTS * trial.duration_seconds
        assert both["gpu:0"] + both["gpu:2"] == pytest.approx(true, rel=0.005)


def test_unreadable_gpu_gives_no_energy_but_a_warning(library, tmp_path):
    output, result = run_on(library, tmp_path, [H100.with_values(forbidden=1.0)], "cuda:0")
    assert result.boundary.domains[0] == "gpu:0"
    assert result.summary.energy_kwh_per_1000 is None
    missing = [d for d in result.warnings if d.code in ("energy-missing", "read-failed")]
    assert missing and missing[0].blocks_ranking
    assert not result.rankable
    assert "No energy could be read" in output


def test_gpu_lost_during_a_run_keeps_the_finished_trials(library, tmp_path):
    def lose(world):
        world.change(0, lost_at=time.perf_counter())

    _, result = run_on(library, tmp_path, [H100], "cuda:0", at_trial_3=lose)
    energies = [
        next(r.energy_joules for r in t.readings if r.domain == "gpu:0") for t in result.measured()
    ]
    assert [energy is None for energy in energies] == [False, False, True, True, True]
    assert all(energy > 0 for energy in energies[:2])
    assert result.summary.energy_kwh_per_1000 is None
    assert any(d.code == "read-failed" and "lost" in d.message.lower() for d in result.warnings)
