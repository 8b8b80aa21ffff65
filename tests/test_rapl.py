"""The RAPL meter on a simulated powercap tree, in virtual time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from virtual_clock import VirtualClock

from bench.meters import MeterContext
from bench.meters.rapl import RaplMeter, build, zones
from bench.results.record import Reading
from bench.system.clock import SystemClock

RANGE = 262_143.328850


class Tree:
    """A powercap tree whose counters follow the clock: each sleep moves them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.watts: dict[Path, float] = {}
        self.start: dict[Path, float] = {}

    def zone(self, folder: str, name: str, watts: float, start: float = 100.0) -> Path:
        path = self.root / folder
        path.mkdir(parents=True)
        (path / "name").write_text(name + "\n")
        (path / "max_energy_range_uj").write_text(f"{RANGE * 1e6:.0f}\n")
        self.watts[path], self.start[path] = watts, start
        self.update(0.0)
        return path

    def update(self, now: float) -> None:
        for folder, watts in self.watts.items():
            ticks = int(now / 0.001)
            joules = (self.start[folder] + watts * ticks * 0.001) % RANGE
            (folder / "energy_uj").write_text(f"{joules * 1e6:.0f}\n")


class TreeClock(VirtualClock):
    """A virtual clock whose sleeps update a tree."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self._tree = tree

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._tree.update(self.now())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    tree = Tree(tmp_path / "powercap")
    tree.zone("intel-rapl:0", "package-0", 50.0)
    tree.zone("intel-rapl:0:0", "core", 30.0)
    tree.zone("intel-rapl:0:1", "uncore", 5.0)
    tree.zone("intel-rapl:0:2", "dram", 8.0)
    tree.zone("intel-rapl:1", "package-1", 60.0)
    tree.zone("intel-rapl:1:0", "dram", 9.0)
    tree.zone("intel-rapl:2", "psys", 200.0)
    tree.zone("intel-rapl-mmio:0", "package-0", 50.0)
    return tree


def meter(tree: Tree) -> tuple[RaplMeter, TreeClock]:
    clock = TreeClock(tree)
    return build(MeterContext(clock, (), {"rapl_root": str(tree.root)})), clock


def measured_joules(tree: Tree, seconds: float) -> dict[str, float | None]:
    rapl, clock = meter(tree)
    assert rapl.probe().usable
    token = rapl.start()
    began = clock.now()
    clock.sleep(seconds)
    readings = rapl.stop(token, began, clock.now())
    for reading in readings:
        assert reading.method == "counter"
        assert reading.duration_seconds == pytest.approx(seconds)
    return {reading.domain: reading.energy_joules for reading in readings}


def test_packages_and_memory_are_each_read_once(tree: Tree) -> None:
    energy = measured_joules(tree, 2.0)
    assert set(energy) == {"cpu-package:0", "cpu-package:1", "dram:0", "dram:1"}
    assert energy["cpu-package:0"] == pytest.approx(100.0, rel=0.002)
    assert energy["cpu-package:1"] == pytest.approx(120.0, rel=0.002)
    assert energy["dram:0"] == pytest.approx(16.0, rel=0.002)
    assert energy["dram:1"] == pytest.approx(18.0, rel=0.002)


def test_probe_characterises_the_sensor(tree: Tree) -> None:
    rapl, _ = meter(tree)
    sensor = rapl.probe()
    assert sensor.method == "counter"
    assert sensor.step_seconds == pytest.approx(0.001, rel=0.1)
    assert sensor.quantum_joules == pytest.approx(0.05, rel=0.01)
    assert sensor.domains == ("cpu-package:0", "cpu-package:1", "dram:0", "dram:1")


def test_wrap_of_the_counter_is_added(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.zone("intel-rapl:0", "package-0", 80.0, start=RANGE - 40.0)
    assert measured_joules(tree, 3.0)["cpu-package:0"] == pytest.approx(240.0, rel=0.002)


def test_interval_covers_in_short_windows(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.zone("intel-rapl:0", "package-0", 80.0)
    rapl, clock = meter(tree)
    rapl.probe()
    for length in (0.005, 0.0123, 0.05, 0.3):
        token = rapl.start()
        began = clock.now()
        clock.sleep(length)
        (reading,) = rapl.stop(token, began, clock.now())
        assert reading.low_joules is not None and reading.high_joules is not None
        assert reading.low_joules <= 80.0 * length <= reading.high_joules
        assert reading.high_joules - reading.low_joules < 80.0 * 0.006
        assert reading.energy_joules == pytest.approx(80.0 * length, abs=80.0 * 0.0006)


def test_window_in_which_the_counter_may_wrap_twice_has_a_warning(tmp_path: Path) -> None:
    """Of 60 W: a range of 1 kJ more would take 160 W in 10 s, and 93 W in 30 s."""
    tree = Tree(tmp_path)
    folder = tree.zone("intel-rapl:0", "package-0", 60.0)
    (folder / "max_energy_range_uj").write_text("1000000000\n")
    (folder / "constraint_0_max_power_uw").write_text("100000000\n")
    rapl, clock = meter(tree)
    rapl.probe()
    for seconds, has_warning in ((10.0, False), (30.0, True)):
        token = rapl.start()
        began = clock.now()
        clock.sleep(seconds)
        (reading,) = rapl.stop(token, began, clock.now())
        assert ("counter-wrap-risk" in {d.code for d in reading.warnings}) is has_warning


def test_slow_window_on_epyc_has_no_warning(tmp_path: Path) -> None:
    """EPYC's zones wrap at 65,533 J and do not state their highest power; memory draws little."""
    tree = Tree(tmp_path)
    for folder in (
        tree.zone("intel-rapl:0", "package-0", 90.0),
        tree.zone("intel-rapl:0:0", "dram", 10.0),
    ):
        (folder / "max_energy_range_uj").write_text("65532610987\n")
    rapl, clock = meter(tree)
    rapl.probe()
    token = rapl.start()
    began = clock.now()
    clock.sleep(120.0)
    for reading, watts in zip(rapl.stop(token, began, clock.now()), (90.0, 10.0), strict=True):
        assert reading.warnings == ()
        assert reading.energy_joules == pytest.approx(120.0 * watts, rel=1e-3)


def test_long_window_is_read_before_its_counter_wraps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In real time, with reads every 20 ms: the counter wraps three times in one window."""
    monkeypatch.setattr("bench.meters.rapl.READ_SECONDS", 0.02)
    tree = Tree(tmp_path)
    folder = tree.zone("intel-rapl:0", "package-0", 0.0, start=0.0)
    (folder / "max_energy_range_uj").write_text("30000000\n")
    clock = SystemClock()
    rapl = build(MeterContext(clock, (), {"rapl_root": str(tree.root)}))
    rapl.probe()
    token = rapl.start()
    began = clock.now()
    for joules in range(0, 110, 10):
        replacement = folder / "next"
        replacement.write_text(f"{joules % 30 * 1_000_000}\n")
        replacement.replace(folder / "energy_uj")  # at once: a reader never sees an empty file
        clock.sleep(0.08)
    (reading,) = rapl.stop(token, began, clock.now())
    assert reading.energy_joules == pytest.approx(100.0, rel=0.2)


def test_still_counter_gives_none(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.zone("intel-rapl:0", "package-0", 0.0)
    assert measured_joules(tree, 1.0) == {"cpu-package:0": None}


def test_vanished_file_gives_none_with_its_reason(tree: Tree) -> None:
    rapl, clock = meter(tree)
    rapl.probe()
    token = rapl.start()
    began = clock.now()
    removed = tree.root / "intel-rapl:0"
    del tree.watts[removed]
    (removed / "energy_uj").unlink()
    clock.sleep(1.0)
    first, second, *_ = rapl.stop(token, began, clock.now())
    assert first.energy_joules is None
    assert [d.code for d in first.warnings] == ["read-failed"]
    assert second.energy_joules == pytest.approx(60.0, rel=0.01)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_named_with_its_remedy(tree: Tree) -> None:
    for folder in tree.watts:
        (folder / "energy_uj").chmod(0)
    _check_refused(tree)


def test_refused_read_is_named_with_its_remedy(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    rapl, _ = meter(tree)
    read_text = Path.read_text

    def refuse(self: Path, *args: str, **kwargs: str) -> str:
        if self.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read_text(self, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", refuse)
    _check_refused(tree)
    assert rapl.stop(rapl.start(), 0.0, 1.0) == ()


def _check_refused(tree: Tree) -> None:
    sensor = meter(tree)[0].probe()
    assert not sensor.usable
    assert sensor.reason is not None
    assert f"{tree.root}/intel-rapl:0/energy_uj" in sensor.reason
    assert f"sudo chmod a+r {tree.root}/intel-rapl:*/energy_uj" in sensor.reason


def test_missing_tree_is_the_reason(tmp_path: Path) -> None:
    sensor = build(MeterContext(VirtualClock(), (), {"rapl_root": str(tmp_path / "none")})).probe()
    assert not sensor.usable
    assert "virtual machine" in (sensor.reason or "")


def test_dies_of_one_package_are_separate_domains(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.zone("intel-rapl:0", "package-0-die-0", 10.0)
    tree.zone("intel-rapl:1", "package-0-die-1", 20.0)
    assert [z.domain for z in zones(tmp_path)] == ["cpu-package:0", "cpu-package:1"]


def test_watts_are_the_mean_since_the_last_call(tree: Tree) -> None:
    rapl, clock = meter(tree)
    rapl.probe()
    assert rapl.watts() == {}
    clock.sleep(1.0)
    assert rapl.watts()["cpu-package:0"] == pytest.approx(50.0, rel=0.01)


def test_amd_sockets_are_read_without_powercap(tmp_path: Path) -> None:
    """The counters of the cores lie inside their socket's and are not read."""
    folder = tmp_path / "hwmon" / "hwmon3"
    folder.mkdir(parents=True)
    (folder / "name").write_text("amd_energy\n")
    for i, label in enumerate(("Ecore000", "Ecore001", "Esocket0", "Esocket1"), start=1):
        (folder / f"energy{i}_label").write_text(f"{label}\n")
        (folder / f"energy{i}_input").write_text(f"{i}000000\n")
    sockets = zones(tmp_path / "powercap")
    assert [(zone.domain, zone.file.name) for zone in sockets] == [
        ("cpu-package:0", "energy3_input"),
        ("cpu-package:1", "energy4_input"),
    ]
    assert sockets[0].read() == 3.0
    assert sockets[0].remedy == f"sudo chmod a+r {folder}/energy*_input"


def test_remedy_names_all_files_of_its_kind(tree: Tree) -> None:
    assert zones(tree.root)[0].remedy == f"sudo chmod a+r {tree.root}/intel-rapl:*/energy_uj"


def rapl_readings(tree: Tree, seconds: float, interval: float) -> dict[str, Reading]:
    clock = TreeClock(tree)
    reader = RaplMeter(MeterContext(clock, (), {"rapl_root": str(tree.root)}))
    reader.open()
    began = clock.now()
    while clock.now() - began < seconds:
        clock.sleep(interval)
        reader.so_far(began, clock.now())
    readings = reader.close(began, clock.now())
    assert reader.sensor().usable
    return {reading.domain: reading for reading in readings}


def test_counter_that_wraps_many_times_is_added_up(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "powercap")
    tree.zone("intel-rapl:0", "package-0", 150.0)
    tree.zone("intel-rapl:0:0", "dram", 8.0)
    tree.zone("intel-rapl:1", "psys", 300.0)
    readings = rapl_readings(tree, 7200.0, 10.0)
    assert set(readings) == {"cpu-package:0", "dram:0"}
    for domain, watts in (("cpu-package:0", 150.0), ("dram:0", 8.0)):
        assert readings[domain].energy_joules == pytest.approx(7200.0 * watts, rel=1e-5)
        assert readings[domain].warnings == ()
    assert 7200.0 * 150.0 > 4 * 262_143


def test_still_rapl_counter_gives_none(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "powercap")
    tree.zone("intel-rapl:0", "package-0", 0.0)
    (reading,) = rapl_readings(tree, 5.0, 1.0).values()
    assert reading.energy_joules is None
    assert "does not move" in reading.warnings[0].message


def test_rapl_counter_lost_during_a_program_gives_none(tmp_path: Path) -> None:
    tree = Tree(tmp_path / "powercap")
    zone = tree.zone("intel-rapl:0", "package-0", 50.0)
    clock = TreeClock(tree)
    reader = RaplMeter(MeterContext(clock, (), {"rapl_root": str(tree.root)}))
    reader.open()
    clock.sleep(2.0)
    tree.watts.clear()
    (zone / "energy_uj").unlink()
    (reading,) = reader.so_far(0.0, clock.now())
    assert reading.energy_joules is None and "cannot be read" in reading.warnings[0].message
