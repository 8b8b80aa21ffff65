"""The RAPL meter against a made powercap tree, in virtual time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.meters import MeterContext
from bench.meters.rapl import RaplMeter, build, zones
from bench.system.clock import VirtualClock

RANGE = 262_143.328850


class Tree:
    """A powercap tree whose counters follow the clock: each sleep moves them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.watts: dict[Path, float] = {}
        self.start: dict[Path, float] = {}

    def zone(self, folder: str, name: str, watts: float, start: float = 100.0) -> Path:
        made = self.root / folder
        made.mkdir(parents=True)
        (made / "name").write_text(name + "\n")
        (made / "max_energy_range_uj").write_text(f"{RANGE * 1e6:.0f}\n")
        self.watts[made], self.start[made] = watts, start
        self.show(0.0)
        return made

    def show(self, now: float) -> None:
        for folder, watts in self.watts.items():
            ticks = int(now / 0.001)
            joules = (self.start[folder] + watts * ticks * 0.001) % RANGE
            (folder / "energy_uj").write_text(f"{joules * 1e6:.0f}\n")


class Ticking(VirtualClock):
    """A virtual clock that moves a tree along."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self._tree = tree

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._tree.show(self.now())


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path / "powercap")
    made.zone("intel-rapl:0", "package-0", 50.0)
    made.zone("intel-rapl:0:0", "core", 30.0)
    made.zone("intel-rapl:0:1", "uncore", 5.0)
    made.zone("intel-rapl:0:2", "dram", 8.0)
    made.zone("intel-rapl:1", "package-1", 60.0)
    made.zone("intel-rapl:1:0", "dram", 9.0)
    made.zone("intel-rapl:2", "psys", 200.0)
    made.zone("intel-rapl-mmio:0", "package-0", 50.0)
    return made


def meter(tree: Tree) -> tuple[RaplMeter, Ticking]:
    clock = Ticking(tree)
    return build(MeterContext(clock, (), {"rapl_root": str(tree.root)})), clock


def measured(tree: Tree, seconds: float) -> dict[str, float | None]:
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


def test_packages_and_memory_are_read_and_nothing_twice(tree: Tree) -> None:
    energy = measured(tree, 2.0)
    assert set(energy) == {"cpu-package:0", "cpu-package:1", "dram:0", "dram:1"}
    assert energy["cpu-package:0"] == pytest.approx(100.0, rel=0.002)
    assert energy["cpu-package:1"] == pytest.approx(120.0, rel=0.002)
    assert energy["dram:0"] == pytest.approx(16.0, rel=0.002)
    assert energy["dram:1"] == pytest.approx(18.0, rel=0.002)


def test_the_sensor_is_characterised(tree: Tree) -> None:
    rapl, _ = meter(tree)
    sensor = rapl.probe()
    assert sensor.method == "counter"
    assert sensor.step_seconds == pytest.approx(0.001, rel=0.1)
    assert sensor.quantum_joules == pytest.approx(0.05, rel=0.01)
    assert sensor.domains == ("cpu-package:0", "cpu-package:1", "dram:0", "dram:1")


def test_a_counter_that_wraps_is_followed(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.zone("intel-rapl:0", "package-0", 80.0, start=RANGE - 40.0)
    assert measured(tree, 3.0)["cpu-package:0"] == pytest.approx(240.0, rel=0.002)


def test_the_interval_holds_in_short_windows(tmp_path: Path) -> None:
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


def test_a_window_in_which_the_counter_may_wrap_twice_is_doubted(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    folder = tree.zone("intel-rapl:0", "package-0", 80.0)
    (folder / "max_energy_range_uj").write_text("1000000000\n")
    (folder / "constraint_0_max_power_uw").write_text("100000000\n")
    rapl, clock = meter(tree)
    rapl.probe()
    for seconds, doubted in ((4.0, False), (6.0, True)):
        token = rapl.start()
        began = clock.now()
        clock.sleep(seconds)
        (reading,) = rapl.stop(token, began, clock.now())
        assert ("counter-wrap-risk" in {d.code for d in reading.warnings}) is doubted


def test_a_counter_that_stands_still_is_none_not_zero(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.zone("intel-rapl:0", "package-0", 0.0)
    assert measured(tree, 1.0) == {"cpu-package:0": None}


def test_a_file_that_vanishes_gives_none_and_says_why(tree: Tree) -> None:
    rapl, clock = meter(tree)
    rapl.probe()
    token = rapl.start()
    began = clock.now()
    gone = tree.root / "intel-rapl:0"
    del tree.watts[gone]
    (gone / "energy_uj").unlink()
    clock.sleep(1.0)
    first, second, *_ = rapl.stop(token, began, clock.now())
    assert first.energy_joules is None
    assert [d.code for d in first.warnings] == ["read-failed"]
    assert second.energy_joules == pytest.approx(60.0, rel=0.01)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named_with_its_remedy(tree: Tree) -> None:
    for folder in tree.watts:
        (folder / "energy_uj").chmod(0)
    _check_refused(tree)


def test_a_refused_reading_is_named_with_its_remedy(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    rapl, _ = meter(tree)
    whole = Path.read_text

    def refuse(self: Path, *words: str, **named: str) -> str:
        if self.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return whole(self, *words, **named)

    monkeypatch.setattr(Path, "read_text", refuse)
    _check_refused(tree)
    assert rapl.stop(rapl.start(), 0.0, 1.0) == ()


def _check_refused(tree: Tree) -> None:
    sensor = meter(tree)[0].probe()
    assert not sensor.usable
    assert sensor.reason is not None
    assert f"{tree.root}/intel-rapl:0/energy_uj" in sensor.reason
    assert f"sudo chmod a+r {tree.root}/intel-rapl:*/energy_uj" in sensor.reason


def test_no_tree_says_so(tmp_path: Path) -> None:
    sensor = build(MeterContext(VirtualClock(), (), {"rapl_root": str(tmp_path / "none")})).probe()
    assert not sensor.usable
    assert "virtual machine" in (sensor.reason or "")


def test_dies_of_one_package_are_told_apart(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.zone("intel-rapl:0", "package-0-die-0", 10.0)
    tree.zone("intel-rapl:1", "package-0-die-1", 20.0)
    assert [z.domain for z in zones(tmp_path)] == ["cpu-package:0", "cpu-package:1"]


def test_power_is_shown_since_the_last_look(tree: Tree) -> None:
    rapl, clock = meter(tree)
    rapl.probe()
    assert rapl.watts() == {}
    clock.sleep(1.0)
    assert rapl.watts()["cpu-package:0"] == pytest.approx(50.0, rel=0.01)


def test_amds_own_driver_shows_the_sockets_where_there_is_no_powercap(tmp_path: Path) -> None:
    """Each core has a counter as well, which lies inside its socket's and is not read."""
    folder = tmp_path / "hwmon" / "hwmon3"
    folder.mkdir(parents=True)
    (folder / "name").write_text("amd_energy\n")
    for i, label in enumerate(("Ecore000", "Ecore001", "Esocket0", "Esocket1"), start=1):
        (folder / f"energy{i}_label").write_text(f"{label}\n")
        (folder / f"energy{i}_input").write_text(f"{i}000000\n")
    found = zones(tmp_path / "powercap")
    assert [(zone.domain, zone.file.name) for zone in found] == [
        ("cpu-package:0", "energy3_input"),
        ("cpu-package:1", "energy4_input"),
    ]
    assert found[0].read() == 3.0
    assert found[0].remedy == f"sudo chmod a+r {folder}/energy*_input"


def test_the_remedy_names_all_files_of_its_kind(tree: Tree) -> None:
    assert zones(tree.root)[0].remedy == f"sudo chmod a+r {tree.root}/intel-rapl:*/energy_uj"
