"""`python -m tools.embedded_training TASK`: reproduce the embedded models, data and cards.

`duplicates` instead of a task prints how many held-out rows have a near-duplicate in training.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from bench.workloads import embedded
from tools.embedded_training import common

TASKS = (
    "text-gen",
    "chat",
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

# Models of one size.
SINGLE_SIZE_TASKS = ("judge", "chat")


def run(task: str, job: common.Job) -> None:
    """Write data, model and card of one task; only its script is imported."""
    script = import_module(f"tools.embedded_training.{task.replace('-', '_')}")
    script.train(job)


def main() -> None:
    parser = argparse.ArgumentParser(prog=common.COMMAND, description=__doc__)
    parser.add_argument("task", choices=("all", "duplicates", *TASKS))
    parser.add_argument("--size", choices=embedded.SIZES, help="only this size")
    parser.add_argument(
        "--raw",
        type=Path,
        default=Path.home() / ".cache" / "joulebench" / "raw",
        help="folder for the raw data; existing files are not downloaded again",
    )
    parser.add_argument("--quick", action="store_true", help="a fortieth of the steps")
    arguments = parser.parse_args()
    if arguments.task == "duplicates":
        import_module("tools.embedded_training.duplicates").report(arguments.raw)
        return
    # The judge is trained before the image model, which it scores.
    for task in TASKS if arguments.task == "all" else (arguments.task,):
        sizes = (arguments.size,) if arguments.size else embedded.SIZES
        for size in sizes[:1] if task in SINGLE_SIZE_TASKS else sizes:
            run(task, common.Job(raw=arguments.raw, size=size, quick=arguments.quick))


if __name__ == "__main__":
    main()
