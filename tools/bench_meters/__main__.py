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
from .cells import Record
from .laboratory import ROOT, Laboratory, peers_python, say, versions
from .meters import OURS
from .plan import Counts, Job

RECORDS = ROOT / "build" / "bench_meters" / "records.jsonl"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-meters", description=__doc__)
    parser.add_argument("--profiles", help="by default " + ",".join(plan.PROFILES))
    parser.add_argument("--lengths", help="seconds: " + ",".join(f"{x:g}" for x in plan.LENGTHS))
    parser.add_argument("--windows", type=int, help="at most so many a cell, of every tool")
    parser.add_argument("--tools", help="by default " + ",".join(plan.everything()))
    parser.add_argument("--quick", action="store_true", help="a look: few, short windows, no page")
    parser.add_argument("--side-by-side", type=int, default=24, help="processes of ours at a time")
    parser.add_argument("--peers", type=Path, help="an environment that has the peers already")
    parser.add_argument("--records", type=Path, default=RECORDS, help="where each window is kept")
    parser.add_argument("--page-only", action="store_true", help="write the page from the records")
    return parser.parse_args(words)


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
    tools = asked.tools.split(",") if asked.tools else list(plan.everything())
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
    if shutil.which("cc") is None or not sys.platform.startswith("linux"):
        sys.exit("make bench-meters needs Linux and a C compiler for the simulated driver")
    if not asked.page_only:
        folder = Path(tempfile.mkdtemp(prefix="bench-meters-"))
        try:
            records = observe(asked, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        keep(asked.records, records)
    records = [json.loads(line) for line in asked.records.read_text().splitlines()]
    tables = page.tables(records)
    if asked.quick or asked.profiles or asked.lengths or asked.windows or asked.tools:
        print(tables)  # a part is for the eye, not for the page
        return
    path = ROOT / "docs" / "measurement.md"
    path.write_text(page.put(path.read_text(), tables))
    figure.save(ROOT / "docs" / "measurement-bracket.png")
    say(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
