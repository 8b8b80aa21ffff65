"""Cumulative mode: simulated GPUs under `joulebench track`, with the real driver binding."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import simulated_nvml
from simulated_nvml import PROFILES, SimulatedGpu, World

from bench.results.record import Reading
from bench.system.clock import SystemClock
from bench.tracker.program_record import ProgramRecord

pytestmark = pytest.mark.timing

CLOCK = SystemClock()
BUSY_SECONDS, REST_SECONDS = 2.2, 0.4
PROGRAM = f"print('ready', flush=True)\nimport time; time.sleep({BUSY_SECONDS + REST_SECONDS})"

Event = Callable[[World, float], None]


def no_event(world: World, now: float) -> None:
    """Nothing happens to the GPU."""


# Name of the scenario: GPUs, options of the tracker, event once the program runs.
SCENARIOS: dict[str, tuple[list[SimulatedGpu], list[str], Event]] = {
    "h100": ([PROFILES["h100"]], [], no_event),
    "volta": ([PROFILES["volta"]], [], no_event),
    "slow-calls": ([PROFILES["slow-calls"]], [], no_event),
    "asleep": ([PROFILES["h100"].with_values(call_seconds=0.02)], [], no_event),
    "turing": ([PROFILES["turing"]], [], no_event),
    "average-only": ([PROFILES["average-only"]], [], no_event),
    "neighbour": ([PROFILES["h100"], PROFILES["a100"]], ["--device", "cuda:0"], no_event),
    "pair": ([PROFILES["h100"], PROFILES["a100"]], [], no_event),
    "forbidden": ([PROFILES["forbidden"]], [], no_event),
    "lost": ([PROFILES["h100"]], [], lambda world, now: world.change(0, lost_at=now + 1)),
    "reset": ([PROFILES["h100"]], [], lambda world, now: world.change(0, reset_at=now + 1)),
    "shared": ([replace(PROFILES["h100"], pids=(4_000_000, 4_000_001))], [], no_event),
    "mig": ([PROFILES["mig"]], [], no_event),
}


@dataclass
class Outcome:
    """The record of a scenario, and bounds of the true energy of each GPU in joules."""

    track: ProgramRecord
    stderr: str
    low: list[float]
    high: list[float]

    def reading(self, domain: str = "gpu:0") -> Reading:
        (reading,) = [r for r in self.track.readings if r.domain == domain]
        return reading


@dataclass
class RunningScenario:
    """A scenario that runs, side by side with others."""

    process: subprocess.Popen[str]
    world: World
    gpu_count: int
    folder: Path
    ready: float

    def end(self) -> Outcome:
        _, stderr = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, stderr
        (path,) = self.folder.glob("*.json")
        track = ProgramRecord.model_validate_json(path.read_text())
        # The program began before it printed, and ended after its last wait: the GPU idled then.
        idle = track.duration_seconds - BUSY_SECONDS - REST_SECONDS
        ended = self.ready + BUSY_SECONDS + REST_SECONDS
        low = [self.world.joules(i, self.ready, ended) for i in range(self.gpu_count)]
        rest = [self.world.watts(i, self.ready - 1) for i in range(self.gpu_count)]
        high = [joules + 1.3 * watts * idle for joules, watts in zip(low, rest, strict=True)]
        return Outcome(track, stderr, low, high)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    if simulated_nvml.compiler() is None or not sys.platform.startswith("linux"):
        pytest.skip("the simulated driver needs a C compiler and Linux")
    driver = simulated_nvml.build(tmp_path_factory.mktemp("driver"))
    names = list(SCENARIOS)
    done: dict[str, Outcome] = {}
    with ExitStack() as stack:
        for batch in (names[:3], names[3:8], names[8:]):
            running = {n: begin(n, driver, tmp_path_factory.mktemp(n), stack) for n in batch}
            done |= {name: one.end() for name, one in running.items()}
    yield done


def begin(name: str, driver: Path, folder: Path, stack: ExitStack) -> RunningScenario:
    """Start a tracked program, and load the first GPU from its first line of output on."""
    gpus, options, event = SCENARIOS[name]
    world = World(folder / "world", gpus, CLOCK.now())
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(driver),
        "JOULEBENCH_SIMULATED_GPUS": str(folder / "world"),
    }
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    out = folder / "out"
    command = [sys.executable, "-P", "-m", "bench", "track", "--out", str(out), *options, "--"]
    process = subprocess.Popen(
        [*command, sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stack.callback(process.kill)
    assert process.stdout is not None
    process.stdout.readline()
    ready = CLOCK.now()
    world.busy(0, ready, BUSY_SECONDS, random.Random(name))
    world.idle(0, ready + BUSY_SECONDS)
    event(world, ready)
    return RunningScenario(process, world, len(gpus), out, ready)


@pytest.mark.parametrize(
    "name", ["h100", "volta", "slow-calls", "asleep", "turing", "average-only"]
)
def test_interval_covers_the_true_energy(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    reading = outcome.reading()
    assert reading.energy_joules is not None and reading.standard_uncertainty_joules is not None
    slack = 3 * reading.standard_uncertainty_joules
    assert outcome.low[0] - slack <= reading.energy_joules <= outcome.high[0] + slack
    if name in ("turing", "average-only"):
        assert reading.method == "integrated"
    else:
        assert reading.method == "counter"
    assert outcome.track.boundary.kind == "measured"


def test_counter_is_sharp_unless_the_machine_is_overloaded(outcomes: dict[str, Outcome]) -> None:
    """An overloaded machine polls the edges after the end late: the interval is then wider."""
    if os.getloadavg()[0] > 2 * (os.cpu_count() or 1):
        pytest.skip("the machine is overloaded")
    readings = [outcomes[name].reading() for name in ("h100", "volta", "slow-calls")]
    shares = [(r.standard_uncertainty_joules or 1e9) / (r.energy_joules or 1.0) for r in readings]
    assert min(shares) < 0.02


def test_total_is_that_of_the_gpus_without_the_modelled_cpu(
    outcomes: dict[str, Outcome],
) -> None:
    track = outcomes["pair"].track
    gpus = [outcomes["pair"].reading(f"gpu:{i}").energy_joules or 0.0 for i in range(2)]
    assert track.energy_kwh is not None
    assert track.energy_kwh.value == pytest.approx(sum(gpus) / 3.6e6, rel=1e-9)
    assert track.boundary.domains == ("gpu:0", "gpu:1")
    assert "cpu-time" in {r.domain for r in track.readings if r.method == "modelled"}
    assert track.energy_kwh.low < 0.96 * track.energy_kwh.value  # it holds the calibration


def test_gpu_that_is_not_selected_is_outside_the_boundary(outcomes: dict[str, Outcome]) -> None:
    assert outcomes["neighbour"].track.boundary.domains == ("gpu:0",)
    assert {r.domain for r in outcomes["neighbour"].track.readings} == {"gpu:0", "cpu-time"}


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("forbidden", "energy-missing", "forbidden"),
        ("lost", "energy-missing", "lost"),
        ("reset", "counter-reset", "backwards"),
    ],
)
def test_fault_gives_none_with_its_reason(
    outcomes: dict[str, Outcome], name: str, code: str, text: str
) -> None:
    """The modelled CPU does not replace the missing GPU in the total."""
    outcome = outcomes[name]
    assert outcome.reading().energy_joules is None
    assert outcome.track.energy_kwh is None
    assert outcome.track.exit_code == 0
    (warning,) = [d for d in outcome.track.warnings if d.code == code]
    assert text in warning.message and warning.remedy
    assert "could not be read" in outcome.stderr


def test_mig_gpu_is_marked(outcomes: dict[str, Outcome]) -> None:
    assert "mig-whole-gpu" in {warning.code for warning in outcomes["mig"].track.warnings}


def test_foreign_process_on_the_gpu_has_a_warning(outcomes: dict[str, Outcome]) -> None:
    assert "foreign-process" in {warning.code for warning in outcomes["shared"].track.warnings}
    assert "foreign-process" not in {warning.code for warning in outcomes["h100"].track.warnings}
