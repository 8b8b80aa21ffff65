"""Running totals: simulated GPUs behind `joulebench track`, a made powercap tree."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import simulated_nvml
from simulated_nvml import PROFILES, SimulatedGpu, World
from test_rapl import Ticking, Tree

from bench.meters import MeterContext
from bench.meters._bracketing import CounterReading, SensorModel, edges_from_reading, fit_at
from bench.meters.rapl import RaplMeter
from bench.results.machine_record import Sensor
from bench.results.record import Reading
from bench.system import machine
from bench.system.clock import SystemClock, VirtualClock
from bench.tracker.program_record import ProgramRecord
from bench.tracker.sensors import LateWindowReader, SystemSensors

pytestmark = pytest.mark.timing

CLOCK = SystemClock()
BUSY_SECONDS, REST_SECONDS = 2.2, 0.4
PROGRAM = f"print('ready', flush=True)\nimport time; time.sleep({BUSY_SECONDS + REST_SECONDS})"

Event = Callable[[World, float], None]


def nothing(world: World, now: float) -> None:
    """All goes well."""


# Name of the scene: cards, options of the tracker, what happens once the program runs.
SCENES: dict[str, tuple[list[SimulatedGpu], list[str], Event]] = {
    "h100": ([PROFILES["h100"]], [], nothing),
    "volta": ([PROFILES["volta"]], [], nothing),
    "slow-calls": ([PROFILES["slow-calls"]], [], nothing),
    "asleep": ([PROFILES["h100"].having(call_seconds=0.02)], [], nothing),
    "turing": ([PROFILES["turing"]], [], nothing),
    "average-only": ([PROFILES["average-only"]], [], nothing),
    "neighbour": ([PROFILES["h100"], PROFILES["a100"]], ["--device", "cuda:0"], nothing),
    "pair": ([PROFILES["h100"], PROFILES["a100"]], [], nothing),
    "forbidden": ([PROFILES["forbidden"]], [], nothing),
    "lost": ([PROFILES["h100"]], [], lambda world, now: world.change(0, lost_at=now + 1)),
    "reset": ([PROFILES["h100"]], [], lambda world, now: world.change(0, reset_at=now + 1)),
    "shared": ([replace(PROFILES["h100"], pids=(4_000_000, 4_000_001))], [], nothing),
    "mig": ([PROFILES["mig"]], [], nothing),
}


@dataclass
class Scene:
    """What came of a scene: the record, and the true energy of each GPU between two bounds."""

    track: ProgramRecord
    stderr: str
    low: list[float]
    high: list[float]

    def reading(self, domain: str = "gpu:0") -> Reading:
        (found,) = [r for r in self.track.readings if r.domain == domain]
        return found


@dataclass
class Running:
    """A scene that runs, side by side with others."""

    process: subprocess.Popen[str]
    world: World
    cards: int
    folder: Path
    ready: float

    def end(self) -> Scene:
        _, stderr = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, stderr
        (path,) = self.folder.glob("*.json")
        track = ProgramRecord.model_validate_json(path.read_text())
        # The program began before it could say so, and ended after its last wait: it rested then.
        spare = track.duration_seconds - BUSY_SECONDS - REST_SECONDS
        ended = self.ready + BUSY_SECONDS + REST_SECONDS
        low = [self.world.joules(i, self.ready, ended) for i in range(self.cards)]
        rest = [self.world.watts(i, self.ready - 1) for i in range(self.cards)]
        high = [joules + 1.3 * watts * spare for joules, watts in zip(low, rest, strict=True)]
        return Scene(track, stderr, low, high)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Scene]]:
    if simulated_nvml.compiler() is None or not sys.platform.startswith("linux"):
        pytest.skip("the simulated driver needs a C compiler and Linux")
    driver = simulated_nvml.build(tmp_path_factory.mktemp("driver"))
    names = list(SCENES)
    done: dict[str, Scene] = {}
    with ExitStack() as stack:
        for batch in (names[:3], names[3:8], names[8:]):
            running = {n: begin(n, driver, tmp_path_factory.mktemp(n), stack) for n in batch}
            done |= {name: one.end() for name, one in running.items()}
    yield done


def begin(name: str, driver: Path, folder: Path, stack: ExitStack) -> Running:
    """Start a tracked program, and let the first GPU work from the moment it says that it runs."""
    cards, words, event = SCENES[name]
    world = World(folder / "world", cards, CLOCK.now())
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(driver),
        "JOULEBENCH_SIMULATED_GPUS": str(folder / "world"),
    }
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    out = folder / "out"
    command = [sys.executable, "-P", "-m", "bench", "track", "--out", str(out), *words, "--"]
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
    return Running(process, world, len(cards), out, ready)


@pytest.mark.parametrize(
    "name", ["h100", "volta", "slow-calls", "asleep", "turing", "average-only"]
)
def test_the_interval_holds_the_true_energy(scenes: dict[str, Scene], name: str) -> None:
    scene = scenes[name]
    reading = scene.reading()
    assert reading.energy_joules is not None and reading.standard_uncertainty_joules is not None
    slack = 3 * reading.standard_uncertainty_joules
    assert scene.low[0] - slack <= reading.energy_joules <= scene.high[0] + slack
    if name in ("turing", "average-only"):
        assert reading.method == "integrated"
    else:
        assert reading.method == "counter"
    assert scene.track.boundary.kind == "measured"


def test_on_a_machine_that_is_not_overloaded_a_counter_is_sharp(scenes: dict[str, Scene]) -> None:
    """One that is overloaded comes late to the steps after the end, and says so in the interval."""
    if os.getloadavg()[0] > 2 * (os.cpu_count() or 1):
        pytest.skip("the machine is overloaded")
    found = [scenes[name].reading() for name in ("h100", "volta", "slow-calls")]
    shares = [(r.standard_uncertainty_joules or 1e9) / (r.energy_joules or 1.0) for r in found]
    assert min(shares) < 0.02


def test_the_total_is_the_gpus_and_the_modelled_cpu_stands_apart(
    scenes: dict[str, Scene],
) -> None:
    track = scenes["pair"].track
    gpus = [scenes["pair"].reading(f"gpu:{i}").energy_joules or 0.0 for i in range(2)]
    assert track.energy_kwh is not None
    assert track.energy_kwh.value == pytest.approx(sum(gpus) / 3.6e6, rel=1e-9)
    assert track.boundary.domains == ("gpu:0", "gpu:1")
    assert "cpu-package:0" in {r.domain for r in track.readings if r.method == "modelled"}
    assert track.energy_kwh.low < 0.96 * track.energy_kwh.value  # the sensor's scale is in it


def test_a_gpu_that_was_not_asked_for_is_not_billed(scenes: dict[str, Scene]) -> None:
    assert scenes["neighbour"].track.boundary.domains == ("gpu:0",)
    assert {r.domain for r in scenes["neighbour"].track.readings} == {"gpu:0", "cpu-package:0"}


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("forbidden", "energy-missing", "forbidden"),
        ("lost", "energy-missing", "lost"),
        ("reset", "counter-reset", "backwards"),
    ],
)
def test_a_fault_gives_none_and_says_why(
    scenes: dict[str, Scene], name: str, code: str, words: str
) -> None:
    """Nor does the CPU's figure stand there as if it were the whole."""
    scene = scenes[name]
    assert scene.reading().energy_joules is None
    assert scene.track.energy_kwh is None
    assert scene.track.exit_code == 0
    (warning,) = [d for d in scene.track.warnings if d.code == code]
    assert words in warning.message and warning.remedy
    assert "could not be read" in scene.stderr


def test_a_slice_of_a_card_says_that_it_is_the_whole_card(scenes: dict[str, Scene]) -> None:
    assert "mig-whole-gpu" in {warning.code for warning in scenes["mig"].track.warnings}


def test_others_on_the_card_are_told(scenes: dict[str, Scene]) -> None:
    assert "foreign-process" in {warning.code for warning in scenes["shared"].track.warnings}
    assert "foreign-process" not in {warning.code for warning in scenes["h100"].track.warnings}


def test_one_look_leaves_open_when_the_counter_moved() -> None:
    """100 W before the program, a counter that moved somewhere in the last 0.1 s: 5 ± 3 J."""
    edges = edges_from_reading(CounterReading(10.0, 500.0, 100.0), 10.0, 0.1, 0.0)
    fit = fit_at(10.0, edges, SensorModel(0.1))
    assert fit.joules == pytest.approx(505.0)
    assert 100 * 0.1 / 12**0.5 <= fit.standard_uncertainty <= 2 * 100 * 0.1 / 12**0.5


def test_a_late_look_widens_what_is_not_known() -> None:
    late = fit_at(
        10.0,
        edges_from_reading(CounterReading(10.2, 520.0, 100.0), 10.0, 0.1, 0.0),
        SensorModel(0.1),
    )
    early = fit_at(
        10.0,
        edges_from_reading(CounterReading(10.0, 500.0, 100.0), 10.0, 0.1, 0.0),
        SensorModel(0.1),
    )
    assert late.joules == pytest.approx(505.0)
    assert late.standard_uncertainty > 4 * early.standard_uncertainty


def test_a_slow_driver_does_not_hold_the_program_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow() -> machine.GpuSnapshot:
        time.sleep(2.0)
        return machine.GpuSnapshot((), "slow")

    monkeypatch.setattr(machine, "snapshot_gpus", slow)
    sensors = SystemSensors("all", CLOCK, {})
    began = time.monotonic()
    sensors.begin()
    assert time.monotonic() - began < 1.0
    assert {r.method for r in sensors.so_far(CLOCK.now())} == {"modelled"}
    assert sensors.describe().devices  # waits for it, while the program runs


class Slow:
    """A meter that takes two seconds to know its sensor and reads 10 W from then on."""

    name = "slow"

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def probe(self) -> Sensor:
        self._clock.sleep(2.0)
        return Sensor(meter="slow", usable=True, domains=("gpu:0",), method="counter")

    def start(self) -> float:
        return self._clock.now()

    def stop(self, token: float, began: float, ended: float) -> tuple[Reading, ...]:
        return (
            Reading(
                domain="gpu:0",
                meter="slow",
                method="counter",
                energy_joules=10.0 * (ended - began),
                standard_uncertainty_joules=0.1,
                duration_seconds=ended - began,
            ),
        )

    def watts(self) -> dict[str, float]:
        return {}


def test_what_a_slow_meter_missed_is_in_its_uncertainty() -> None:
    clock = VirtualClock()
    reader = LateWindowReader(Slow(clock), clock)
    reader.open()
    clock.sleep(8.0)
    (reading,) = reader.close(0.0, clock.now())
    assert reading.energy_joules == pytest.approx(100.0)
    assert reading.duration_seconds == pytest.approx(10.0)
    assert reading.low_joules is not None and reading.high_joules is not None
    assert reading.low_joules < 80.0 and reading.high_joules > 120.0


def test_a_program_that_ends_before_its_sensor_is_known_has_no_energy() -> None:
    clock = VirtualClock()
    reader = LateWindowReader(Slow(clock), clock)
    reader.open()
    (reading,) = reader.close(0.0, 1.0)
    assert reading.energy_joules is None
    assert "before the sensor was known" in reading.warnings[0].message


def tallied(tree: Tree, seconds: float, looks: float) -> dict[str, Reading]:
    clock = Ticking(tree)
    reader = RaplMeter(MeterContext(clock, (), {"rapl_root": str(tree.root)}))
    reader.open()
    began = clock.now()
    while clock.now() - began < seconds:
        clock.sleep(looks)
        reader.so_far(began, clock.now())
    readings = reader.close(began, clock.now())
    assert reader.sensor().usable
    return {reading.domain: reading for reading in readings}


def test_counters_that_wrap_many_times_are_added_up(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "powercap")
    tree.zone("intel-rapl:0", "package-0", 150.0)
    tree.zone("intel-rapl:0:0", "dram", 8.0)
    tree.zone("intel-rapl:1", "psys", 300.0)
    found = tallied(tree, 7200.0, 10.0)
    assert set(found) == {"cpu-package:0", "dram:0"}
    for domain, watts in (("cpu-package:0", 150.0), ("dram:0", 8.0)):
        assert found[domain].energy_joules == pytest.approx(7200.0 * watts, rel=1e-5)
        assert found[domain].warnings == ()
    assert 7200.0 * 150.0 > 4 * 262_143


def test_a_counter_that_stands_still_is_no_zero(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "powercap")
    tree.zone("intel-rapl:0", "package-0", 0.0)
    (reading,) = tallied(tree, 5.0, 1.0).values()
    assert reading.energy_joules is None
    assert "does not move" in reading.warnings[0].message


def test_a_counter_that_is_lost_halfway_is_none(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "powercap")
    zone = tree.zone("intel-rapl:0", "package-0", 50.0)
    clock = Ticking(tree)
    reader = RaplMeter(MeterContext(clock, (), {"rapl_root": str(tree.root)}))
    reader.open()
    clock.sleep(2.0)
    tree.watts.clear()
    (zone / "energy_uj").unlink()
    (reading,) = reader.so_far(0.0, clock.now())
    assert reading.energy_joules is None and "can't be read" in reading.warnings[0].message
