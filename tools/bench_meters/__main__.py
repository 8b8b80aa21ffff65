"""Measure all tools on the same simulated windows, and write the table into docs/measurement.md.

Run from the root of the repository, through `make bench-meters`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from . import figure, page, plan
from .meters import IMPORTS, OF_THE_PEERS, OURS
from .plan import Counts, Job

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECORDS = ROOT / "build" / "bench_meters" / "records.jsonl"
IMPORT_ROUNDS = 3

Record = dict[str, Any]


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-meters", description=__doc__)
    parser.add_argument("--profiles", help="by default " + ",".join(plan.PROFILES))
    parser.add_argument("--lengths", help="seconds: " + ",".join(f"{x:g}" for x in plan.LENGTHS))
    parser.add_argument("--windows", type=int, help="at most so many a cell, of every tool")
    parser.add_argument("--tools", default=",".join(plan.everything()))
    parser.add_argument("--quick", action="store_true", help="a look: few, short windows, no page")
    parser.add_argument("--side-by-side", type=int, default=24, help="processes of ours at a time")
    parser.add_argument("--peers", type=Path, help="an environment that has the peers already")
    parser.add_argument("--records", type=Path, default=RECORDS, help="where each window is kept")
    parser.add_argument("--page-only", action="store_true", help="write the page from the records")
    return parser.parse_args(words)


def say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def peers_python(folder: Path) -> Path:
    """An environment with the pinned peers, made in `folder`."""
    say("installing the peers into a throw-away environment: a few minutes")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(HERE / "peers.txt")], check=True, stderr=subprocess.DEVNULL)
    return python


def build_driver(folder: Path) -> Path:
    folder.mkdir()
    library = str(folder / "libnvidia-ml.so.1")
    command = ["cc", "-O2", "-shared", "-fPIC", "-o", library, str(HERE / "driver.c"), "-lm"]
    subprocess.run(command, check=True)
    smi = folder / "nvidia-smi"  # CodeCarbon believes in a card only where this can be run
    smi.write_text("#!/bin/sh\n")
    smi.chmod(0o755)
    return folder


class Laboratory:
    """Starts workers, each with a simulated card and a working folder of its own."""

    def __init__(self, folder: Path, peers: Path) -> None:
        self._folder = folder
        self._peers = peers
        self._driver = build_driver(folder / "driver")
        self._count = 0
        self._lock = threading.Lock()

    def python(self, tool: str) -> str:
        return str(self._peers) if tool in OF_THE_PEERS else sys.executable

    def start(self, job: Job) -> subprocess.Popen[str]:
        """A worker that has opened its tool and waits."""
        with self._lock:
            self._count += 1
            work = self._folder / f"work-{self._count}"
        work.mkdir()
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(self._driver),
            "PATH": f"{self._driver}{os.pathsep}{os.environ['PATH']}",
            "JOULEBENCH_SIMULATED_GPUS": str(work / "card"),
            "OMP_NUM_THREADS": "1",
        }
        environment.pop("CUDA_VISIBLE_DEVICES", None)
        process = subprocess.Popen(
            [self.python(job.tool), str(HERE / "worker.py"), json.dumps(job.text())],
            cwd=work,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "ready":
                break
        return process

    def finish(self, job: Job, process: subprocess.Popen[str]) -> list[Record]:
        """Let it measure, and read what it says."""
        output, _ = process.communicate("go\n")
        rows = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        if process.returncode != 0:
            say(f"a worker ended with {process.returncode}: {job}")
        return rows

    def run(self, job: Job) -> list[Record]:
        return self.finish(job, self.start(job))

    def import_seconds(self, tool: str) -> float:
        """Median time of the import above that of an empty Python, at rest."""

        def once(code: str) -> float:
            began = time.perf_counter()
            command = [self.python(tool), "-c", code]
            environment = {**os.environ, "LD_LIBRARY_PATH": str(self._driver)}
            subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
            return time.perf_counter() - began

        once(IMPORTS[tool])
        pairs = [once(IMPORTS[tool]) - once("pass") for _ in range(IMPORT_ROUNDS)]
        return statistics.median(pairs)


def measure(lab: Laboratory, jobs: list[Job], side_by_side: int) -> list[Record]:
    """The peers all at once, for they sleep; ours so many at a time."""
    ours = sorted((j for j in jobs if j.tool == OURS), key=lambda j: -j.seconds)
    others = [job for job in jobs if job.tool != OURS]
    with ThreadPoolExecutor(2) as pool:  # imports are heavy: two at a time, before anything counts
        waiting = list(pool.map(lab.start, others))
    say(f"{len(others)} processes of the others are ready; {len(ours)} of ours to go")
    with ThreadPoolExecutor(len(others) + side_by_side) as pool:
        running = [pool.submit(lab.finish, *pair) for pair in zip(others, waiting, strict=True)]
        with ThreadPoolExecutor(side_by_side) as own:
            rows = [row for part in own.map(lab.run, ours) for row in part]
        say("ours are done")
        return rows + [row for part in running for row in part.result()]


def versions(python: Path) -> dict[str, str]:
    code = (
        "import importlib.metadata as m, json; print(json.dumps({n: m.version(n) for n in "
        "('zeus', 'codecarbon', 'optimum-benchmark', 'nvidia-ml-py', 'torch')}))"
    )
    answer = subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True)
    return dict(json.loads(answer.stdout))


def scope(asked: argparse.Namespace) -> tuple[list[str], list[float], Counts]:
    """Profiles, lengths and how many windows, as asked for."""
    profiles, lengths = list(plan.PROFILES), list(plan.LENGTHS)
    counts = Counts()
    if asked.quick:
        profiles, lengths, counts = ["h100", "turing"], [0.1, 1.0], Counts(ours=6, others=3)
    if asked.profiles:
        profiles = asked.profiles.split(",")
    if asked.lengths:
        lengths = [float(word) for word in asked.lengths.split(",")]
    if asked.windows is not None:
        counts = Counts(ours=asked.windows, others=asked.windows)
    return profiles, lengths, counts


def observe(asked: argparse.Namespace, folder: Path) -> list[Record]:
    """Everything, as records; the first says how it was made."""
    python = asked.peers / "bin" / "python" if asked.peers else peers_python(folder / "peers")
    lab = Laboratory(folder, python.absolute())
    tools = asked.tools.split(",")
    profiles, lengths, counts = scope(asked)
    say("importing")
    imports = {tool: lab.import_seconds(tool) for tool in tools}
    began = time.perf_counter()
    jobs = plan.windows(profiles, lengths, counts, tools)
    rows = measure(lab, [job for job in jobs if not job.loud], asked.side_by_side)
    keep(asked.records, rows)  # the rest takes minutes and may fail
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    say("costs and faults")
    with ThreadPoolExecutor(4) as pool:
        rows += [{**row, "kind": "cost"} for p in pool.map(lab.run, plan.costs(tools)) for row in p]
        rows += [row for part in pool.map(lab.run, plan.faults(tools)) for row in part]
    say("those that keep a core busy")
    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        rows += [r for part in pool.map(lab.run, [j for j in jobs if j.loud]) for r in part]
    how = {
        "kind": "how",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": versions(python),
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
        "load": load,
        "side_by_side": asked.side_by_side,
        "minutes": (time.perf_counter() - began) / 60,
        "imports": imports,
    }
    return [how, *rows]


def keep(path: Path, records: list[Record]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def main() -> None:
    asked = arguments()
    if not asked.page_only:
        folder = Path(tempfile.mkdtemp(prefix="bench-meters-"))
        try:
            records = observe(asked, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        keep(asked.records, records)
    records = [json.loads(line) for line in asked.records.read_text().splitlines()]
    tables = page.tables(records)
    if asked.quick:
        print(tables)
        return
    path = ROOT / "docs" / "measurement.md"
    path.write_text(page.put(path.read_text(), tables))
    figure.save(ROOT / "docs" / "measurement-bracket.png")
    say(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
