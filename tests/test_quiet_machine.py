"""A busy machine: looked at before a run, stated below the headline, and what waiting costs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from synthetic_results import result_with_energy, result_with_host
from virtual_clock import VirtualClock

from bench.cli._progress import event_text
from bench.reports import terminal
from bench.results import analysis_versions, warning_rules
from bench.results.analysis_versions import AnalysisParameters
from bench.results.machine_record import DeviceState
from bench.results.record import Result
from bench.runner.config import Profile
from bench.runner.events import Event
from bench.runner.quiet_machine import wait_for_quiet_machine
from bench.system.process import let_waiting_threads_sleep


def wait(loads: Sequence[float | None], profile: Profile = "standard") -> tuple[bool, str, float]:
    """Whether the machine became quiet, the events' names, and how long that took in seconds."""
    clock, events = VirtualClock(), list[Event]()
    began, left = clock.now(), iter(loads)
    quiet = wait_for_quiet_machine(profile, clock, events.append, lambda: next(left))
    assert all(event_text(event) for event in events)
    return quiet, " ".join(event.name for event in events), clock.now() - began


def test_quiet_machine_is_not_waited_for():
    assert wait([0.05]) == (True, "", 0.5)
    assert wait([None]) == (True, "", 0.5)


def test_run_waits_until_other_programs_have_stopped():
    assert wait([0.8, 0.7, 0.02]) == (True, "machine-busy", 1.5)


def test_lasting_load_is_stated_after_a_minute():
    quiet, names, seconds = wait([0.8] * 1000)
    assert (quiet, names) == (False, "machine-busy machine-still-busy")
    assert 60 <= seconds < 62


def test_quick_run_states_the_load_and_does_not_wait():
    assert wait([0.8] * 10, "quick") == (False, "machine-still-busy", 0.5)


def busy(result: Result, version: int) -> Result:
    """The result with 40 % of the CPU taken by other programs, and its warnings."""
    states = (DeviceState(domain="cpu-package:0", other_load_fraction=0.4),)
    trials = tuple(t.model_copy(update={"device_states": states}) for t in result.trials)
    changed = result.model_copy(update={"trials": trials, "analysis_version": version})
    warnings = warning_rules.derive_warnings(changed)
    return changed.model_copy(update={"warnings": warnings})


@pytest.fixture(autouse=True)
def version_2(monkeypatch: pytest.MonkeyPatch) -> None:
    if 2 not in analysis_versions.PARAMETERS:
        monkeypatch.setitem(analysis_versions.PARAMETERS, 2, AnalysisParameters())


@pytest.mark.parametrize(
    ("result", "version", "code", "blocks"),
    [
        (result_with_host(0.05), 2, "cpu-shared", True),
        (result_with_energy(0.1, kind="modelled"), 2, "cpu-shared", True),
        (result_with_energy(0.1), 2, "machine-busy", False),
        (result_with_host(0.05), 1, "machine-busy", False),
    ],
    ids=["measured CPU", "modelled CPU", "GPU alone", "version 1"],
)
def test_other_load_blocks_ranking_where_the_cpu_is_in_the_boundary(
    result: Result, version: int, code: str, blocks: bool
) -> None:
    found = {item.code: item.blocks_ranking for item in busy(result, version).warnings}
    assert found[code] is blocks
    assert len({"cpu-shared", "machine-busy"} & found.keys()) == 1


@pytest.mark.parametrize("version", [1, 2])
def test_other_load_is_stated_directly_below_the_headline(version: int) -> None:
    console = Console(file=StringIO(), width=200)
    result = busy(result_with_host(0.05), version)
    terminal.print_result(result, Path("run.json"), console, "epa-current", "make submit")
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    at = next(i for i, line in enumerate(lines) if "per 1,000 images   measured" in line)
    assert "Other programs took up to 40 % of the CPU" in lines[at + 1]


def test_waiting_threads_sleep_unless_the_user_has_set_a_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    let_waiting_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
