"""Small models and held-out requests that ship with the package, for offline runs.

The models were trained on openly licensed data by `tools.embedded_training`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = [
    "DATA_WITHOUT_TASK",
    "FOLDER",
    "SIZES",
    "TASK_IDS",
    "chat_path",
    "data_path",
    "judge_path",
    "model_path",
    "quality",
    "rows",
]
FOLDER = Path(__file__).resolve().parent
SIZES = ("tiny", "small")
# Requests of the embedded chat model, which no task reads.
DATA_WITHOUT_TASK = ("chat", "reason")
TASK_IDS = tuple(
    sorted({path.stem for path in (FOLDER / "data").glob("*.jsonl")} - {*DATA_WITHOUT_TASK})
)


def model_path(task_id: str, size: str) -> Path:
    """The folder of one embedded model, ready for `from_pretrained`."""
    if task_id not in TASK_IDS or size not in SIZES:
        raise ValueError(
            f"no embedded model {task_id!r} in size {size!r}: "
            f"there are {', '.join(TASK_IDS)}, each in {' and '.join(SIZES)}"
        )
    return FOLDER / "models" / task_id / size


def quality(task_id: str, size: str) -> Mapping[str, Any]:
    """Quality of one embedded model on held-out rows: the content of its `quality.json`.

    `trained` is false for a configuration without weights, and then the only field. The other
    fields are those of `tools.embedded_training.common.Quality`; shares are 0 to 1.
    """
    text = (model_path(task_id, size) / "quality.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def judge_path() -> Path:
    """The folder of the small classifier that labels generated images."""
    return FOLDER / "models" / "image-gen" / "judge"


def chat_path() -> Path:
    """The folder of the chat model, which has one size."""
    return FOLDER / "models" / "chat" / "tiny"


def data_path(name: str) -> Path:
    """The file with the held-out requests of one task, or of a set that no task reads."""
    known = (*TASK_IDS, *DATA_WITHOUT_TASK)
    if name not in known:
        raise ValueError(f"no embedded requests {name!r}: there are {', '.join(known)}")
    return FOLDER / "data" / f"{name}.jsonl"


def rows(name: str) -> list[Mapping[str, Any]]:
    """The held-out requests of one task, in their shipped order."""
    from bench.workloads.media import MediaRow

    path = data_path(name)
    with path.open(encoding="utf-8") as lines:
        return [MediaRow(json.loads(line), path.parent) for line in lines if line.strip()]
