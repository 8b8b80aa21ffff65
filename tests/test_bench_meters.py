"""The comparison of meters: its plan, its tables, and one worker on a simulated GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import simulated_nvml

from tools.bench_meters import page, plan, window_errors
from tools.bench_meters.meters import IMPORTS, JOULEBENCH, PEERS, TOOLS

pytestmark = pytest.mark.timing

ROOT = Path(__file__).resolve().parents[1]


def row(tool: str, joules: float | None, half: float | None = None, **more: Any) -> dict[str, Any]:
    """A window of 100 J; `half` is the half-width of the tool's interval."""
    interval = None if joules is None or half is None else (joules - half, joules + half)
    return {
        "tool": tool, "profile": "h100", "fault": None, "length": 1.0, "true_joules": 100.0,
        "joules": joules, "interval": interval, "message": "", "warned": [], "raised": None,
        "begin_seconds": 0.001, "end_seconds": 0.001, "cpu_seconds": 0.0, **more,
    }  # fmt: skip


HOW = {
    "kind": "how", "date": "2026-01-01", "versions": {"zeus": "1"}, "python": "3.11", "cores": 2,
    "load": None, "side_by_side": 4, "minutes": 1.0, "imports": {JOULEBENCH: 0.05, "Zeus": 0.01},
}  # fmt: skip


def test_errors_have_median_worst_and_coverage() -> None:
    joules = (99.0, 100.5, 102.0, None)
    one = window_errors.errors_of([row(JOULEBENCH, j, 1.2) for j in joules])
    assert one.median == pytest.approx(0.01)
    assert one.worst == pytest.approx(0.02)
    assert (one.covered_count, len(one.half_widths), one.missing) == (2, 3, 1)


def test_peer_with_the_smaller_error_has_a_line() -> None:
    joulebench = [row(JOULEBENCH, 101.0, half=2.0), row(JOULEBENCH, 98.0, half=2.0)]
    records = [HOW, *joulebench, row("Zeus", 100.5), row("Zeus", 90.0)]
    assert page.smaller_errors(window_errors.errors_by_window(records)) == []
    records[-1]["joules"] = 99.9
    (line,) = page.smaller_errors(window_errors.errors_by_window(records))
    assert line.startswith("- h100, 1 s: Zeus has the smaller error: median")
    assert "worst 0.50 % of 2 windows against our 2.0 % of 2" in line
    text = page.tables([*records, row(JOULEBENCH, 1.0, kind="cost", open_seconds=1.0)])
    assert line in text and "our meter takes 50 ms; less: Zeus (10 ms)" in text


def test_errors_of_peers_are_stated_where_our_meter_gives_none() -> None:
    records = [HOW, row(JOULEBENCH, None), row("Zeus", 40.0), row("polling", 90.0)]
    (line,) = page.smaller_errors(window_errors.errors_by_window(records))
    assert line.endswith(
        "our meter gives no energy. The peers do, with a median error of Zeus 60 %, polling 10 %."
    )


def test_missing_energy_is_never_a_number() -> None:
    raised = {"tool": "Zeus", "profile": "h100", "fault": None, "length": None, "raised": "E: no"}
    records = [HOW, row(JOULEBENCH, 100.0, half=2.0), raised]
    assert "| Zeus | raises |" in page.tables(records)
    assert page.fault_result(row(JOULEBENCH, None, message="`read-failed`: lost")).startswith(
        "None, `read-fail"
    )
    assert page.fault_result(row("CodeCarbon", 0.0)) == "0.0 J (100.0 J is true), no warning"


def test_percents_and_durations_have_two_digits() -> None:
    assert [page.percent(x) for x in (0.5, 0.013, 0.0042, 0.00012, 4e-6)] == [
        "50 %", "1.3 %", "0.42 %", "0.012 %", "0.0004 %",
    ]  # fmt: skip
    assert page.percent(-0.5, sign=True) == "−50 %"
    assert [page.seconds(x) for x in (2.04, 0.42, 0.0042, 42e-6)] == [
        "2.0 s", "420 ms", "4.2 ms", "42 µs",
    ]  # fmt: skip


def test_generated_part_of_the_page_is_replaced() -> None:
    text = (ROOT / "docs" / "measurement.md").read_text()
    generated = page.tables([HOW, row(JOULEBENCH, 100.0, half=2.0)])
    once = page.replace_generated(text, generated)
    assert page.replace_generated(once, generated) == once
    assert once.startswith(text.split(page.BEGIN)[0])
    with pytest.raises(ValueError, match="markers"):
        page.replace_generated("nothing", generated)


def test_plan_has_the_stated_numbers_of_windows() -> None:
    jobs = plan.windows(("h100", "turing"), plan.LENGTHS, plan.Counts(), tuple(TOOLS))

    def count(tool: str, profile: str, length: float) -> int:
        selected = (j for j in jobs if j.tool == tool and j.profile == profile)
        return sum(n for j in selected for x, _, n in j.segments if x == length)

    assert [count(JOULEBENCH, "h100", x) for x in plan.LENGTHS] == [200, 200, 200, 200, 30, 8]
    assert count("polling", "turing", 0.1) == count(JOULEBENCH, "turing", 0.1) == 30
    assert count("Zeus", "turing", 0.1) == 10 and count("Zeus", "h100", 0.1) == 30
    seeds = {j.tool: j.segments[0][1] for j in jobs if j.profile == "h100" and j.segments}
    assert set(page.PROFILE_TEXTS) == set(plan.PROFILES) <= set(simulated_nvml.PROFILES)
    assert seeds["Zeus"] == seeds["polling"] == plan.seed("h100", 0.05, 0)


def test_every_peer_is_pinned_and_has_an_import() -> None:
    lines = (ROOT / "tools" / "bench_meters" / "peers.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins and all("==" in pin for pin in pins)
    assert set(IMPORTS) == set(TOOLS) > PEERS


@pytest.mark.skipif(
    simulated_nvml.compiler() is None or not sys.platform.startswith("linux"),
    reason="the simulated driver needs a C compiler and Linux",
)
def test_worker_reports_measured_and_true_energy(tmp_path: Path) -> None:
    folder = ROOT / "tools" / "bench_meters"
    library = str(tmp_path / "libnvidia-ml.so.1")
    compiler = simulated_nvml.compiler() or "cc"
    command = [compiler, "-shared", "-fPIC", "-o", library, str(folder / "driver.c"), "-lm"]
    subprocess.run(command, check=True)
    job = plan.Job("counter difference", "volta", ((0.1, 1, 2),))
    process = subprocess.run(
        [sys.executable, str(folder / "worker.py"), json.dumps(job.as_dict())],
        env={
            **os.environ,
            "LD_LIBRARY_PATH": str(tmp_path),
            "JOULEBENCH_SIMULATED_GPUS": str(tmp_path / "gpu"),
        },
        input="go\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    ready, *rows = process.stdout.splitlines()
    assert ready == "ready" and len(rows) == 2
    for one in map(json.loads, rows):
        assert one["raised"] is None
        assert one["joules"] == pytest.approx(one["true_joules"], rel=0.5)
