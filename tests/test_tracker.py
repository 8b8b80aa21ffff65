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
from bench.tracker.program_record import ProgramRecord, load, record_with_impact, total_energy

pytestmark = [
    pytest.mark.timing,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux"),
]

GOLDEN = Path(__file__).parent / "golden"
BUSY = "import time\nwhile time.process_time() < {seconds}: pass"
CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


def track_command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "bench", "track", *words]


def run(folder: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = track_command("--out", str(folder), *words)
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=120, **options
    )


def python(code: str, *words: str) -> list[str]:
    return ["--", sys.executable, "-c", code, *words]


def record(folder: Path) -> ProgramRecord:
    (path,) = folder.glob("*.json")
    return ProgramRecord.model_validate_json(path.read_text())


def start(folder: Path, code: str) -> subprocess.Popen[bytes]:
    """A tracked program that has printed its first line."""
    process = subprocess.Popen(
        track_command("--out", str(folder), *python(code)), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def wait_for_record(folder: Path) -> ProgramRecord:
    until = time.monotonic() + 30
    while not list(folder.glob("*.json")):
        assert time.monotonic() < until, "no record while the program runs"
        time.sleep(0.05)
    return record(folder)


def test_streams_and_exit_code_are_the_programs(tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read().upper()); print('error', file=sys.stderr); exit(7)"
    ended = run(tmp_path, *python(code), input="text")
    assert ended.returncode == 7
    assert ended.stdout == "TEXT\n"
    assert ended.stderr.startswith("error\n") and "exit code 7" in ended.stderr
    saved = record(tmp_path)
    assert (saved.status, saved.exit_code) == ("done", 7)


def test_words_after_the_program_are_its_arguments(tmp_path: Path) -> None:
    code = "import sys; print(sys.argv[1:])"
    ended = run(tmp_path, *python(code, "--json", "--region", "--", "-h"))
    assert ended.stdout == "['--json', '--region', '--', '-h']\n"


def test_cpu_time_of_all_descendants_is_counted(tmp_path: Path) -> None:
    """The modelled energy holds the CPU time of a grandchild and of an orphaned process."""
    busy = BUSY.format(seconds=0.6)
    orphan = f"import os, time\nif os.fork() == 0:\n os.setsid()\n {busy.splitlines()[1]}"
    code = (
        "import subprocess, sys, time\n"
        "for child in sys.argv[1:]: subprocess.run([sys.executable, '-c', child])\n"
        f"{busy}\ntime.sleep(2)"
    )
    run(tmp_path, *python(code, busy, orphan))
    saved = record(tmp_path)
    (reading,) = [r for r in saved.readings if r.method == "modelled"]
    assert reading.energy_joules is not None
    (sensor,) = [s for s in saved.machine.sensors if s.meter == "modelled"]
    watts = float((sensor.calibration_source or "").split(" x ")[1].split(" W")[0])
    assert (
        1.8 <= reading.energy_joules / watts <= 1.8 + 0.6
    )  # three times 0.6 s, and starting Python


def test_cpu_time_of_the_tracker_is_not_counted(tmp_path: Path) -> None:
    """The tracker's imports take half a second of CPU time; none of it is the program's."""
    run(tmp_path, "--", "sleep", "1.5")
    saved = record(tmp_path)
    joules = [r.energy_joules for r in saved.readings if r.method == "modelled"]
    assert joules[0] is not None and joules[0] < 0.1
    assert saved.tracker_cpu_seconds is not None and saved.tracker_cpu_seconds > 0.05


def test_crashed_program_has_a_record(tmp_path: Path) -> None:
    ended = run(
        tmp_path, *python(f"{BUSY.format(seconds=0.3)}\nimport os; os.kill(os.getpid(), 9)")
    )
    assert ended.returncode == 128 + 9
    assert "ended by SIGKILL" in ended.stderr and "Traceback" not in ended.stderr
    saved = record(tmp_path)
    assert (saved.status, saved.exit_code) == ("done", 137)
    assert saved.energy_kwh is not None and saved.energy_kwh.value > 0


def test_error_in_the_tracker_does_not_end_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.tracker import program_recorder, spawn, supervise

    def fail(*_: object) -> ProgramRecord:
        raise ValueError("an error of the recorder")

    monkeypatch.setattr(program_recorder.ProgramRecorder, "finish", fail)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        outcome = supervise.supervise(
            spawn.TrackConfig([sys.executable, "-c", "raise SystemExit(4)"], "x", tmp_path),
            lambda record: None,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    assert outcome.exit_code == 4 and outcome.record is None
    assert "an error of the recorder" in (outcome.failure or "")


def test_energy_below_zero_within_its_uncertainty_is_valid() -> None:
    reading = Reading(
        domain="gpu:0",
        meter="nvml",
        method="counter",
        energy_joules=-1.0,
        standard_uncertainty_joules=3.0,
        duration_seconds=1.0,
    )
    energy = total_energy([reading], Boundary(domains=("gpu:0",), kind="measured"), None)
    assert energy is not None and energy.low <= energy.value < 0 < energy.high


def test_record_with_energy_below_zero_has_no_negative_emissions() -> None:
    saved = load(GOLDEN / "program-v1.json")
    assert saved is not None and saved.energy_kwh is not None
    energy = saved.energy_kwh.model_copy(update={"value": -1e-7, "low": -2e-7, "high": 1e-7})
    content = record_with_impact(saved.model_copy(update={"energy_kwh": energy}), "epa-current")
    impacts = [*content["footprint"]["co2e"], content["footprint"]["phone_charges"]]
    assert all(impact["low"] == impact["value"] == 0 < impact["high"] for impact in impacts)


def test_measured_record_of_schema_version_1_is_read() -> None:
    """JouleBench 0.1.0 wrote it: a program on two GPUs of the simulated driver."""
    record = load(GOLDEN / "program-v1.json")
    assert record is not None and record.schema_version == 2 and record.name == "train.py"
    assert record.energy_kwh is not None and record.energy_kwh.value == 0.00027084945578744233
    assert record.calibration is not None and record.calibration.relative_half_width == 0.05
    assert record.warnings == ()


def test_modelled_record_of_schema_version_1_is_read() -> None:
    """JouleBench 0.1.0 wrote it: a program on a CPU without a sensor."""
    record = load(GOLDEN / "program-v1-modelled.json")
    assert record is not None and record.boundary.kind == "modelled"
    assert record.energy_kwh is not None and record.energy_kwh.value == 3.172144125e-07
    (warning,) = record.warnings
    assert warning.code == "energy-modelled" and warning.blocks_ranking
    assert warning.remedy.startswith("Run on a machine with an NVIDIA GPU")


def test_damaged_record_is_refused_with_its_field(tmp_path: Path) -> None:
    content = json.loads((GOLDEN / "program-v1.json").read_text())
    path = tmp_path / "record.json"
    path.write_text(json.dumps({**content, "duration_seconds": -1}))
    with pytest.raises(ValueError, match="no valid record of a program: duration_seconds"):
        load(path)
    path.write_text(json.dumps({**content, "kind": "run"}))
    assert load(path) is None


def test_heavy_packages_are_not_imported_before_the_program_starts() -> None:
    code = (
        "import os, sys\nfrom bench.cli import main\nfrom bench.tracker import spawn\n"
        "def start(*_):\n"
        "    loaded = {'pydantic', 'rich', 'jinja2', 'numpy'} & set(sys.modules)\n"
        "    print('loaded:', *sorted(loaded), flush=True)\n    os._exit(0)\n"
        "spawn.ChildProcess.__init__ = start\n"
        "sys.argv = ['joulebench', 'track', '--region', 'FR', '--', 'true']\nmain()"
    )
    command = [sys.executable, "-P", "-c", code]
    assert subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout == b"loaded:\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_is_forwarded(tmp_path: Path, number: int) -> None:
    code = (
        "import signal, time, sys\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(5))\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    process = start(tmp_path, code)
    process.send_signal(number)
    assert process.wait(20) == 5
    assert record(tmp_path).exit_code == 5


def test_killed_tracker_leaves_the_last_record_and_the_running_program(tmp_path: Path) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    process = subprocess.Popen(
        track_command("--out", str(tmp_path), *python(code)), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    wait_for_record(tmp_path)
    process.kill()
    process.wait(10)
    try:
        saved = record(tmp_path)
        assert (saved.status, saved.exit_code) == ("running", None)
        assert saved.duration_seconds > 0
        os.kill(child, 0)  # it still runs
        (path,) = tmp_path.glob("*.json")
        words = [sys.executable, "-P", "-m", "bench", "show", str(path)]
        shown = subprocess.run(words, check=True, capture_output=True, text=True)
        assert "until the tracker was killed" in shown.stdout
    finally:
        os.kill(child, signal.SIGKILL)


def test_ctrl_c_on_a_terminal_reaches_the_program_once(tmp_path: Path) -> None:
    """The terminal signals the whole foreground group: the tracker must not forward it again."""
    code = (
        "import signal, time, sys\ncount = []\n"
        "signal.signal(signal.SIGINT, lambda *_: count.append(1))\n"
        "print('ready', flush=True)\n"
        "until = time.time() + 2\nwhile time.time() < until: time.sleep(0.1)\n"
        "print('received', len(count), flush=True)"
    )
    output = run_on_terminal(tmp_path, code, b"\x03")
    assert b"received 1" in output


def test_progress_overwrites_one_line(tmp_path: Path) -> None:
    output = run_on_terminal(tmp_path, "print('ready', flush=True)\nimport time; time.sleep(5)")
    before = output.split(b"python")[0]
    lines = [line for line in before.split(b"\n") if b"so far" in line]
    assert len(lines) == 1 and lines[0].count(b"so far") >= 2
    assert lines[0].count(b"\r\x1b[K") >= 2


def run_on_terminal(folder: Path, code: str, keys: bytes = b"") -> bytes:
    """Output of a tracked program on a terminal; `keys` are typed once it has printed "ready"."""
    pid, terminal = pty.fork()
    if pid == 0:
        words = track_command("--out", str(folder), *python(code))
        os.execv(words[0], words)
    output = b""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if terminal in select.select([terminal], [], [], 0.2)[0]:
            try:
                output += os.read(terminal, 65536)
            except OSError:
                break
        if keys and b"ready" in output:
            os.write(terminal, keys)
            keys = b""
    os.waitpid(pid, 0)
    os.close(terminal)
    return output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--", "no-such-program"], "no-such-program cannot be started: No such file"),
        (["--pue", "0.9", "--", "true"], "a PUE of 0.9 is impossible"),
        (["--pue", "-1", "--", "true"], "a PUE of -1 is impossible"),
        (["--pue", "nan", "--", "true"], "a PUE of nan is impossible"),
        (["--region", "FRANZ", "--", "true"], "no region 'FRANZ'"),
        (["--device", "cuda:61", "--", "true"], "there is no cuda:61"),
        (["--edition", "epa-1066", "--", "true"], "unknown edition 'epa-1066'"),
        (["--cpu-tdp", "0", "--", "true"], "TDP of 0 W is impossible"),
        ([], "which program?"),
    ],
)
def test_bad_input_is_refused_before_the_program_starts(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    ended = run(tmp_path, *words)
    assert ended.returncode == 2
    assert sentence in ended.stderr and ended.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.json"))


def test_unwritable_folder_is_refused_before_the_program_starts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run(tmp_path / "file" / "deeper", *python("print('started')"))
    assert ended.returncode == 2
    assert ended.stdout == "" and "cannot be saved" in ended.stderr


def test_json_is_the_last_line_and_names_edition_and_basis(tmp_path: Path) -> None:
    ended = run(
        tmp_path, "--json", "--region", "FR", "--pue", "1.5", *python(BUSY.format(seconds=0.2))
    )
    document = json.loads(ended.stdout)
    assert document["region"] == "FR" and document["pue"] == 1.5
    first = document["footprint"]["co2e"][0]
    assert first["basis"] == "life-cycle" and first["edition"]
    from bench.impact import carbon

    grams = document["energy_kwh"]["value"] * 1.5 * carbon.grid_factor("FR").value
    assert first["value"] == pytest.approx(grams, rel=1e-12)
    charges = document["footprint"]["phone_charges"]["value"]
    assert charges == pytest.approx(document["energy_kwh"]["value"] / 0.019, rel=1e-9)


def test_without_region_emissions_are_those_of_three_grids(tmp_path: Path) -> None:
    ended = run(tmp_path, "--json", *python(BUSY.format(seconds=0.2)))
    grams = [item["value"] for item in json.loads(ended.stdout)["footprint"]["co2e"]]
    bases = {item["basis"] for item in json.loads(ended.stdout)["footprint"]["co2e"]}
    assert len(grams) == 3 and grams == sorted(grams) and grams[2] > 5 * grams[0]
    assert bases == {"life-cycle"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_csv_row_holds_the_energy_with_pue_and_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "emissions.csv"
    words = ["--csv", str(path), "--region", "US-WV", "--pue", "2", "--name", "training"]
    for _ in range(2):
        run(tmp_path, *words, *python(BUSY.format(seconds=0.2)))
    assert path.read_text().count("timestamp,project_name") == 1
    first, second = rows(path)
    saved = ProgramRecord.model_validate_json(
        next(p for p in tmp_path.glob("*.json") if first["run_id"] in p.name).read_text()
    )
    assert saved.energy_kwh is not None
    assert len(first) == 38 and first["run_id"] != second["run_id"]
    assert float(first["energy_consumed"]) == saved.energy_kwh.value * 2
    assert float(first["emissions"]) == pytest.approx(
        saved.energy_kwh.value * 2 * 0.89306, rel=1e-4
    )
    assert first["ram_energy"] == "" and first["gpu_energy"] == ""
    assert (
        first["project_name"]
        == "training (energy modelled, NOT measured, idle power and memory not counted)"
    )
    assert (first["country_iso_code"], first["region"]) == ("USA", "west virginia")


def test_concurrent_trackers_append_to_one_csv(tmp_path: Path) -> None:
    path = tmp_path / "emissions.csv"
    words = track_command("--out", str(tmp_path), "--csv", str(path), "--", "true")
    running = [subprocess.Popen(words, stderr=subprocess.DEVNULL) for _ in range(6)]
    assert [process.wait(120) for process in running] == [0] * 6
    assert len({row["run_id"] for row in rows(path)}) == 6
    assert path.read_text().count("timestamp,project_name") == 1


def test_csv_with_other_columns_is_refused_before_the_program_starts(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("day,count\n1,2\n")
    ended = run(tmp_path, "--csv", str(path), *python("print('started')"))
    assert ended.returncode == 2 and ended.stdout == ""
    assert "other.csv has other columns" in ended.stderr and ended.stderr.count("\n") == 1
    assert path.read_text() == "day,count\n1,2\n"
