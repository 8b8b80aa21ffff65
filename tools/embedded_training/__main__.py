"""`python -m tools.embedded_training TASK`: make the embedded models, data and cards again."""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from bench.workloads import embedded
from tools.embedded_training import common

TASKS = (
    "text-gen",
    "text-classification",
    "judge",
    "image-gen",
    "image-classification",
    "object-detection",
    "image-captioning",
    "asr",
    "video-gen",
    "summarization",
    "question-answering",
    "sentence-similarity",
    "fill-mask",
    "token-classification",
)


def run(task: str, job: common.Job) -> None:
    """Make one thing; each script is imported only when it is needed."""
    script = import_module(f"tools.embedded_training.{task.replace('-', '_')}")
    script.train(job)


def main() -> None:
    parser = argparse.ArgumentParser(prog=common.COMMAND, description=__doc__)
    parser.add_argument("task", choices=("all", *TASKS))
    parser.add_argument("--size", choices=embedded.SIZES, help="only this size")
    parser.add_argument(
        "--raw",
        type=Path,
        default=Path.home() / ".cache" / "joulebench" / "raw",
        help="folder for the raw data; what is there already is not downloaded again",
    )
    parser.add_argument("--quick", action="store_true", help="a fortieth of the steps")
    choice = parser.parse_args()
    # The judge comes before the pictures it has to judge.
    for task in TASKS if choice.task == "all" else (choice.task,):
        sizes = (choice.size,) if choice.size else embedded.SIZES
        for size in sizes[:1] if task == "judge" else sizes:
            run(task, common.Job(raw=choice.raw, size=size, quick=choice.quick))


if __name__ == "__main__":
    main()
