"""`joulebench tasks`: list the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.cli._io import print_json
from bench.cli._options import Json

PANEL = "Measure"


def command(as_json: Json = False) -> None:
    """List the tasks.

    Also the held-out quality of their embedded models, and that of a baseline.
    """
    from bench.system import registry

    titles = {name: registry.first_docstring_line("task", name) for name in registry.names("task")}
    if as_json:
        print_json(
            [
                {
                    "id": name,
                    "tag": registry.task_tag(name),
                    "title": title,
                    "embedded": embedded_qualities(name),
                }
                for name, title in titles.items()
            ]
        )
        return
    for name, title in titles.items():
        print(f"{name:<22} {title}")
        for size, quality in embedded_qualities(name).items():
            print(f"{'':<22}   embedded/{size}: {quality_text(quality)}")


def embedded_qualities(task_id: str) -> dict[str, Mapping[str, Any]]:
    """The content of `quality.json` by size; empty for a task without embedded models."""
    from bench.workloads import embedded

    if task_id not in embedded.TASK_IDS:
        return {}
    return {size: embedded.quality(task_id, size) for size in embedded.SIZES}


def quality_text(quality: Mapping[str, Any]) -> str:
    """One line about the quality of an embedded model, such as "trained; accuracy 0.75 ..."."""
    if not quality["trained"]:
        return "not trained, random weights: its outputs have no meaning"
    better = "higher" if quality["higher_is_better"] else "lower"
    text = (
        f"trained; {quality['metric']} {quality['value']:.3g} on {quality['sample_count']:,} "
        f"held-out rows, {quality['baseline_name']} {quality['baseline_value']:.3g} "
        f"({better} is better)"
    )
    judge = quality["judge_trained_on"]
    return f"{text}; the judge was trained on {judge}" if judge else text
