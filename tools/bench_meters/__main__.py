"""Measure all tools on the same simulated windows, and write the table into docs/measurement.md.

Run from the root of the repository, through `make bench-meters`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import figure, page, plan
from .meters import JOULEBENCH
from .plan import Counts, Job
from .window_errors import Record
from .worker_processes import ROOT, WorkerProcesses, log, peers_python, versions

RECORDS = ROOT / "build" / "bench_meters" / "records.jsonl"


def parse_arguments(command_line: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command."""
    parser = argparse.ArgumentParser(prog="make bench-meters", description=__doc__)
    parser.add_argument("--profiles", help="by default " + ",".join(plan.PROFILES))
    parser.add_argument("--lengths", help="seconds: " + ",".join(f"{x:g}" for x in plan.LENGTHS))
    parser.add_argument(
        "--windows", type=int, help="windows of every tool, profile and length, at most"
    )
    parser.add_argument("--tools", help="by default " + ",".join(plan.tool_names()))
    parser.add_argument("--quick", action="store_true", help="few and short windows, no page")
    parser.add_argument(
        "--side-by-side", type=int, default=24, help="processes of our meter at a time"
    )
    parser.add_argument("--peers", type=Path, help="an environment with the peers")
    parser.add_argument(
        "--records", type=Path, default=RECORDS, help="file for the results of all windows"
    )
    parser.add_argument("--page-only", action="store_true", help="write the page from the records")
    return parser.parse_args(command_line)


def measure(workers: WorkerProcesses, jobs: list[Job], side_by_side: int) -> list[Record]:
    """Run the peers all at once, since they sleep, and our meter `side_by_side` at a time."""
    joulebench = sorted((j for j in jobs if j.tool == JOULEBENCH), key=lambda j: -j.seconds)
    others = [job for job in jobs if job.tool != JOULEBENCH]
    with ThreadPoolExecutor(2) as pool:  # imports are slow: two at a time, before any window
        waiting = list(pool.map(workers.start, others))
    log(f"{len(others)} processes of the peers are ready; {len(joulebench)} of our meter follow")
    with ThreadPoolExecutor(len(others) + side_by_side) as pool:
        running = [pool.submit(workers.finish, *pair) for pair in zip(others, waiting, strict=True)]
        with ThreadPoolExecutor(side_by_side) as executor:
            rows = [row for part in executor.map(workers.run, joulebench) for row in part]
        log("our meter is done")
        return rows + [row for part in running for row in part.result()]


def scope(arguments: argparse.Namespace) -> tuple[list[str], list[float], Counts]:
    """Profiles, lengths and numbers of windows by the options."""
    profiles, lengths = list(plan.PROFILES), list(plan.LENGTHS)
    counts = Counts()
    if arguments.quick:
        profiles, lengths, counts = ["h100", "turing"], [0.1, 1.0], Counts(joulebench=6, others=3)
    if arguments.profiles:
        profiles = arguments.profiles.split(",")
    if arguments.lengths:
        lengths = [float(word) for word in arguments.lengths.split(",")]
    if arguments.windows is not None:
        counts = Counts(joulebench=arguments.windows, others=arguments.windows)
    return profiles, lengths, counts


def measure_all(arguments: argparse.Namespace, folder: Path) -> list[Record]:
    """All records; the first states date, versions and machine."""
    python = (
        arguments.peers / "bin" / "python" if arguments.peers else peers_python(folder / "peers")
    )
    workers = WorkerProcesses(folder, python.absolute())
    tools = arguments.tools.split(",") if arguments.tools else list(plan.tool_names())
    profiles, lengths, counts = scope(arguments)
    log("importing")
    imports = {tool: workers.import_seconds(tool) for tool in tools}
    began = time.perf_counter()
    jobs = plan.windows(profiles, lengths, counts, tools)
    rows = measure(workers, [job for job in jobs if not job.uses_a_core], arguments.side_by_side)
    save(arguments.records, rows)  # the rest takes minutes and may fail
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    log("costs and faults")
    with ThreadPoolExecutor(4) as pool:
        rows += [
            {**row, "kind": "cost"} for p in pool.map(workers.run, plan.costs(tools)) for row in p
        ]
        rows += [row for part in pool.map(workers.run, plan.faults(tools)) for row in part]
    log("the tools that use a whole core")
    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        rows += [
            r for part in pool.map(workers.run, [j for j in jobs if j.uses_a_core]) for r in part
        ]
    how = {
        "kind": "how",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": versions(python),
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
        "load": load,
        "side_by_side": arguments.side_by_side,
        "minutes": (time.perf_counter() - began) / 60,
        "imports": imports,
    }
    return [how, *rows]


def save(path: Path, records: list[Record]) -> None:
    """Write the records, one line of JSON each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def main() -> None:
    """Measure, and write the page unless only a part was measured."""
    arguments = parse_arguments()
    if shutil.which("cc") is None or not sys.platform.startswith("linux"):
        sys.exit("make bench-meters needs Linux and a C compiler for the simulated driver")
    if not arguments.page_only:
        folder = Path(tempfile.mkdtemp(prefix="bench-meters-"))
        try:
            records = measure_all(arguments, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        save(arguments.records, records)
    records = [json.loads(line) for line in arguments.records.read_text().splitlines()]
    tables = page.tables(records)
    if (
        arguments.quick
        or arguments.profiles
        or arguments.lengths
        or arguments.windows
        or arguments.tools
    ):
        print(tables)  # a part does not replace the page's table
        return
    path = ROOT / "docs" / "measurement.md"
    path.write_text(page.replace_generated(path.read_text(), tables))
    figure.save(ROOT / "docs" / "measurement-bracket.png")
    log(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
