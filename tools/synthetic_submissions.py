"""Write thousands of synthetic submissions, to measure how long the board takes.

`python -m tools.synthetic_submissions FOLDER COUNT`. The records are consistent, but none of them
was measured: write them to a folder of their own, never to results/.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from synthetic_results import result_with_energy, synthetic_result

from bench.results.record import Failure, Result
from bench.results.storage import canonical_json, content_id

TASKS = ("image-gen", "text-gen", "text-classification")
DEVICES = (
    ("NVIDIA H100 80GB HBM3", 700.0),
    ("NVIDIA A100-SXM4-80GB", 400.0),
    ("NVIDIA L4", 72.0),
    ("NVIDIA H200", 700.0),
)
DTYPES = ("float32", "float16", "bfloat16", "int8")
ORGANIZATIONS = ("acme", "borealis", "cirrus", "delta", "ember")


def numbered_result(number: int) -> Result:
    """The result of this number; the same number gives the same result every time."""
    generator = random.Random(number)
    name = f"{generator.choice(ORGANIZATIONS)}/model-{number}"
    task = TASKS[number % len(TASKS)]
    created = f"2026-{1 + number % 12:02}-{1 + number % 28:02}T12:00:00Z"
    common = {"task": task, "model": name, "created_at": created}
    if number % 50 == 7:
        failure = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")
        return synthetic_result(energies=[], failure=failure, **common)
    device, limit = generator.choice(DEVICES)
    kwh = 10 ** generator.uniform(-5, -1)
    parameters = round(10 ** generator.uniform(6, 10.5))
    return result_with_energy(
        kwh,
        generator.uniform(0.002, 0.02),
        kind="modelled" if number % 20 == 3 else "measured",
        weights="random" if number % 40 == 5 else "pretrained",
        profile="quick" if number % 40 == 9 else "standard",
        parameters=parameters if task == "image-gen" else min(parameters, 10**7),
        dtype=generator.choice(DTYPES),
        batch=generator.choice((1, 1, 8)),
        seconds=kwh * 3600 * 100 / (0.6 * limit),
        steps=20 if task == "image-gen" else None,
        device=device,
        limit=limit,
        uuid=f"GPU-{generator.randrange(8)}",
        **common,
    )


def write_submissions(folder: Path, numbers: range) -> int:
    """Write the submissions of these numbers under a results folder; returns how many."""
    for number in numbers:
        result = numbered_result(number)
        path = folder / "submissions" / result.task.id / f"{content_id(result)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(canonical_json(result), encoding="utf-8")
    return len(numbers)


def main() -> None:
    """Write the submissions, with one process per processor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    arguments = parser.parse_args()
    step = max(1, arguments.count // 64)
    ranges = [range(n, min(n + step, arguments.count)) for n in range(0, arguments.count, step)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        count = sum(pool.map(partial(write_submissions, arguments.folder), ranges))
    print(count, "submissions in", arguments.folder)


if __name__ == "__main__":
    main()
