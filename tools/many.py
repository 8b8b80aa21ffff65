"""Make submissions by the thousand, to see how the board scales: `python -m tools.many FOLDER N`.

They are made, consistent, and none is a measurement: for a folder of its own, never for results/.
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

from made import made_around, made_result

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
MAKERS = ("acme", "borealis", "cirrus", "delta", "ember")


def made(number: int) -> Result:
    """The result of this number: the same one every time."""
    dice = random.Random(number)
    name = f"{dice.choice(MAKERS)}/model-{number}"
    task = TASKS[number % len(TASKS)]
    created = f"2026-{1 + number % 12:02}-{1 + number % 28:02}T12:00:00Z"
    common = {"task": task, "model": name, "created_at": created}
    if number % 50 == 7:
        failure = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")
        return made_result(energies=[], failure=failure, **common)
    device, limit = dice.choice(DEVICES)
    kwh = 10 ** dice.uniform(-5, -1)
    parameters = round(10 ** dice.uniform(6, 10.5))
    energies = {"device": device, "limit": limit, "uuid": f"GPU-{dice.randrange(8)}"}
    seconds = kwh * 3600 * 100 / (0.6 * limit)
    return made_around(
        kwh,
        dice.uniform(0.002, 0.02),
        kind="modelled" if number % 20 == 3 else "measured",
        weights="random" if number % 40 == 5 else "pretrained",
        profile="quick" if number % 40 == 9 else "standard",
        parameters=parameters if task == "image-gen" else min(parameters, 10**7),
        dtype=dice.choice(DTYPES),
        batch=dice.choice((1, 1, 8)),
        seconds=seconds,
        steps=20 if task == "image-gen" else None,
        **energies,
        **common,
    )


def write(folder: Path, numbers: range) -> int:
    """Write the submissions of these numbers; gives how many."""
    for number in numbers:
        result = made(number)
        path = folder / "submissions" / result.task.id / f"{content_id(result)}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(canonical_json(result), encoding="utf-8")
    return len(numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    asked = parser.parse_args()
    step = max(1, asked.count // 64)
    parts = [range(n, min(n + step, asked.count)) for n in range(0, asked.count, step)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        print(sum(pool.map(partial(write, asked.folder), parts)), "submissions in", asked.folder)


if __name__ == "__main__":
    main()
