"""`joulebench track` around real programs: real processes, real signals, a real terminal."""

from __future__ import annotations

import csv
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bench.results.record import Boundary, Reading
from bench.tracker.program_record import ProgramRecord, total_energy

pytestmark = [
    pytest.mark.timing,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux"),
]

BUSY = "import time\nwhile time.process_time() < {seconds}: pass"
CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


def track(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "bench", "track", *words]


def run(folder: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = track("--out", str(folder), *words)
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, **options
    )


def python(code: str, *words: str) -> list[str]:
    return ["--", sys.executable, "-c", code, *words]


def record(folder: Path) -> ProgramRecord:
    (path,) = folder.glob("*.json")
    return ProgramRecord.model_validate_json(path.read_text())


def start(folder: Path, code: str) -> subprocess.Popen[bytes]:
    """A tracked program that has said that it runs."""
    process = subprocess.Popen(track("--out", str(folder), *python(code)), stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def wait_for_record(folder: Path) -> ProgramRecord:
    until = time.monotonic() + 30
    while not list(folder.glob("*.json")):
        assert time.monotonic() < until, "no record while the program runs"
        time.sleep(0.05)
    return record(folder)


def test_a_program_keeps_its_streams_and_its_exit_code(tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read().upper()); print('aside', file=sys.stderr); exit(7)"
    ended = run(tmp_path, *python(code), input="whale")
    assert ended.returncode == 7
    assert ended.stdout == "WHALE\n"
    assert ended.stderr.startswith("aside\n") and "exit code 7" in ended.stderr
    kept = record(tmp_path)
    assert (kept.status, kept.exit_code) == ("done", 7)


def test_what_follows_the_program_is_the_programs_own(tmp_path: Path) -> None:
    code = "import sys; print(sys.argv[1:])"
    ended = run(tmp_path, *python(code, "--json", "--region", "--", "-h"))
    assert ended.stdout == "['--json', '--region', '--', '-h']\n"


def test_the_program_and_all_below_it_are_counted_and_the_tracker_is_not(tmp_path: Path) -> None:
    """Here without a sensor: the model counts CPU time, of a grandchild and of an orphan too."""
    busy = BUSY.format(seconds=0.6)
    orphan = f"import os, time\nif os.fork() == 0:\n os.setsid()\n {busy.splitlines()[1]}"
    code = (
        "import subprocess, sys, time\n"
        "for child in sys.argv[1:]: subprocess.run([sys.executable, '-c', child])\n"
        f"{busy}\ntime.sleep(2)"
    )
    run(tmp_path, *python(code, busy, orphan))
    kept = record(tmp_path)
    (reading,) = [r for r in kept.readings if r.method == "modelled"]
    assert reading.energy_joules is not None
    (sensor,) = [s for s in kept.machine.sensors if s.meter == "modelled"]
    watts = float((sensor.calibration_source or "").split(" x ")[1].split(" W")[0])
    assert 1.8 <= reading.energy_joules / watts <= 1.8 + 0.6  # three times 0.6 s, and the starts


def test_a_program_that_does_nothing_costs_nothing_much(tmp_path: Path) -> None:
    """The tracker's imports take half a second of CPU; none of it is billed."""
    run(tmp_path, "--", "sleep", "1.5")
    kept = record(tmp_path)
    joules = [r.energy_joules for r in kept.readings if r.method == "modelled"]
    assert joules[0] is not None and joules[0] < 0.1
    assert kept.tracker_cpu_seconds > 0.05


def test_a_crash_leaves_what_was_measured(tmp_path: Path) -> None:
    ended = run(
        tmp_path, *python(f"{BUSY.format(seconds=0.3)}\nimport os; os.kill(os.getpid(), 9)")
    )
    assert ended.returncode == 128 + 9
    assert "ended by SIGKILL" in ended.stderr and "Traceback" not in ended.stderr
    kept = record(tmp_path)
    assert (kept.status, kept.exit_code) == ("done", 137)
    assert kept.energy_kwh is not None and kept.energy_kwh.value > 0


def test_a_fault_of_the_tracker_is_not_the_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.tracker import program_recorder, spawn, supervise

    def fails(*_: object) -> ProgramRecord:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(program_recorder.ProgramRecorder, "close", fails)
    words = ["-c", "import sys; sys.exit(4)"]
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        followed = supervise.supervise(
            spawn.TrackConfig([sys.executable, *words], "x", tmp_path), lambda track: None
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    assert followed.exit_code == 4 and followed.track is None
    assert "a fault of ours" in (followed.failure or "")


def test_an_energy_below_zero_within_its_uncertainty_can_be_kept() -> None:
    reading = Reading(
        domain="gpu:0",
        meter="nvml",
        method="counter",
        energy_joules=-1.0,
        standard_uncertainty_joules=3.0,
        duration_seconds=1.0,
    )
    found = total_energy([reading], Boundary(domains=("gpu:0",), kind="measured"), None)
    assert found is not None and found.low <= found.value < 0 < found.high


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_passed_on_and_the_program_may_answer_it(tmp_path: Path, number: int) -> None:
    code = (
        "import signal, time, sys\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(5))\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    process = start(tmp_path, code)
    process.send_signal(number)
    assert process.wait(20) == 5
    assert record(tmp_path).exit_code == 5


def test_a_killed_tracker_leaves_the_last_record_and_the_program_alone(tmp_path: Path) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    process = subprocess.Popen(
        track("--out", str(tmp_path), *python(code)), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    wait_for_record(tmp_path)
    process.kill()
    process.wait(10)
    try:
        kept = record(tmp_path)
        assert (kept.status, kept.exit_code) == ("running", None)
        assert kept.duration_seconds > 0
        os.kill(child, 0)  # it still runs
        (path,) = tmp_path.glob("*.json")
        words = [sys.executable, "-P", "-m", "bench", "show", str(path)]
        shown = subprocess.run(words, check=True, capture_output=True, text=True)
        assert "until the tracker was killed" in shown.stdout
    finally:
        os.kill(child, signal.SIGKILL)


def test_ctrl_c_on_a_terminal_reaches_the_program_once(tmp_path: Path) -> None:
    """The terminal tells the whole foreground group: the tracker must not tell it again."""
    code = (
        "import signal, time, sys\ncount = []\n"
        "signal.signal(signal.SIGINT, lambda *_: count.append(1))\n"
        "print('ready', flush=True)\n"
        "until = time.time() + 2\nwhile time.time() < until: time.sleep(0.1)\n"
        "print('told', len(count), flush=True)"
    )
    said = on_a_terminal(tmp_path, code, b"\x03")
    assert b"told 1" in said


def test_progress_is_one_line_written_over(tmp_path: Path) -> None:
    said = on_a_terminal(tmp_path, "print('ready', flush=True)\nimport time; time.sleep(3)")
    before = said.split(b"python")[0]
    lines = [line for line in before.split(b"\n") if b"so far" in line]
    assert len(lines) == 1 and lines[0].count(b"so far") >= 2
    assert lines[0].count(b"\r\x1b[K") >= 2


def on_a_terminal(folder: Path, code: str, keys: bytes = b"") -> bytes:
    """What a terminal shows of a tracked program, with `keys` typed once it is ready."""
    pid, terminal = pty.fork()
    if pid == 0:
        words = track("--out", str(folder), *python(code))
        os.execv(words[0], words)
    said = b""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if terminal in select.select([terminal], [], [], 0.2)[0]:
            try:
                said += os.read(terminal, 65536)
            except OSError:
                break
        if keys and b"ready" in said:
            os.write(terminal, keys)
            keys = b""
    os.waitpid(pid, 0)
    os.close(terminal)
    return said


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--", "no-such-program"], "no-such-program can't be started: No such file"),
        (["--pue", "0.9", "--", "true"], "a PUE of 0.9 can't be"),
        (["--pue", "-1", "--", "true"], "a PUE of -1 can't be"),
        (["--pue", "nan", "--", "true"], "a PUE of nan can't be"),
        (["--region", "FRANZ", "--", "true"], "no region 'FRANZ'"),
        (["--device", "cuda:61", "--", "true"], "there is no cuda:61"),
        (["--edition", "epa-1066", "--", "true"], "unknown edition 'epa-1066'"),
        (["--cpu-tdp", "0", "--", "true"], "TDP of 0 W can't be"),
        ([], "which program?"),
    ],
)
def test_bad_input_is_one_sentence_and_starts_nothing(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    ended = run(tmp_path, *words)
    assert ended.returncode == 2
    assert sentence in ended.stderr and ended.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.json"))


def test_a_folder_that_cannot_be_written_is_told_before_the_program_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run(tmp_path / "file" / "deeper", *python("print('started')"))
    assert ended.returncode == 2
    assert ended.stdout == "" and "can't be saved" in ended.stderr


def test_json_is_the_last_line_and_names_grid_and_basis(tmp_path: Path) -> None:
    ended = run(
        tmp_path, "--json", "--region", "FR", "--pue", "1.5", *python(BUSY.format(seconds=0.2))
    )
    said = json.loads(ended.stdout)
    assert said["region"] == "FR" and said["pue"] == 1.5
    first = said["footprint"]["co2e"][0]
    assert first["basis"] == "life-cycle" and first["edition"]
    from bench.impact import carbon

    grams = said["energy_kwh"]["value"] * 1.5 * carbon.grid_factor("FR").value
    assert first["value"] == pytest.approx(grams, rel=1e-12)
    charges = said["footprint"]["phone_charges"]["value"]
    assert charges == pytest.approx(said["energy_kwh"]["value"] / 0.019, rel=1e-9)


def test_without_a_region_there_is_a_range(tmp_path: Path) -> None:
    ended = run(tmp_path, "--json", *python(BUSY.format(seconds=0.2)))
    grams = [item["value"] for item in json.loads(ended.stdout)["footprint"]["co2e"]]
    bases = {item["basis"] for item in json.loads(ended.stdout)["footprint"]["co2e"]}
    assert len(grams) == 3 and grams == sorted(grams) and grams[2] > 5 * grams[0]
    assert bases == {"life-cycle"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_emissions_csv_gains_a_row_and_says_that_it_is_modelled(tmp_path: Path) -> None:
    path = tmp_path / "emissions.csv"
    words = ["--csv", str(path), "--region", "US-WV", "--pue", "2", "--name", "night"]
    for _ in range(2):
        run(tmp_path, *words, *python(BUSY.format(seconds=0.2)))
    assert path.read_text().count("timestamp,project_name") == 1
    first, second = rows(path)
    kept = ProgramRecord.model_validate_json(
        next(p for p in tmp_path.glob("*.json") if first["run_id"] in p.name).read_text()
    )
    assert kept.energy_kwh is not None
    assert len(first) == 38 and first["run_id"] != second["run_id"]
    assert float(first["energy_consumed"]) == kept.energy_kwh.value * 2
    assert float(first["emissions"]) == pytest.approx(kept.energy_kwh.value * 2 * 0.89306, rel=1e-4)
    assert first["ram_energy"] == "" and first["gpu_energy"] == ""
    assert first["project_name"] == "night (energy modelled, NOT measured)"
    assert (first["country_iso_code"], first["region"]) == ("USA", "west virginia")


def test_many_trackers_write_into_one_csv(tmp_path: Path) -> None:
    path = tmp_path / "emissions.csv"
    words = track("--out", str(tmp_path), "--csv", str(path), "--", "true")
    running = [subprocess.Popen(words, stderr=subprocess.DEVNULL) for _ in range(6)]
    assert [process.wait(120) for process in running] == [0] * 6
    assert len({row["run_id"] for row in rows(path)}) == 6
    assert path.read_text().count("timestamp,project_name") == 1


def test_a_csv_with_other_columns_is_refused_before_the_program_starts(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("day,walrus\n1,2\n")
    ended = run(tmp_path, "--csv", str(path), *python("print('started')"))
    assert ended.returncode == 2 and ended.stdout == ""
    assert "mine.csv has other columns" in ended.stderr and ended.stderr.count("\n") == 1
    assert path.read_text() == "day,walrus\n1,2\n"
