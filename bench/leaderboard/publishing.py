"""The board as a folder for a data set hub: the rows, the complete records, and a card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bench.leaderboard.board_entry import entries_of
from bench.leaderboard.board_files import Cell, board_table
from bench.leaderboard.ranking import rank_entries
from bench.results import storage
from bench.results.escaping import csv_safe
from bench.results.record import Result

CARD = """
# JouleBench leaderboard

Energy of one inference: kWh per 1,000 inferences, each with its 95 % interval, its boundary, and
whether it was measured or modelled. {count} results of {tasks} tasks, the newest of {latest}.

- `leaderboard`: one row per result. `rank` is empty where a result is not ranked, and
  `why_not_ranked` states why. Modelled energy is not ranked, and not comparable with measured
  energy.
- `results`: the complete record of each run as JSON, with the raw trials: every figure of the first
  table can be computed again from it.

The interval covers the variation from trial to trial. Calibration uncertainty of the sensor is
stated separately, in the records (`calibration`).
"""


def write_dataset_folder(results: Sequence[Result], folder: Path) -> list[Path]:
    """Write README.md and data/*.parquet, as `datasets.load_dataset(folder, name)` reads them.

    Returns the files. Raises ValueError where there is no result, OSError where the folder cannot
    be written.
    """
    from datasets import Dataset
    from huggingface_hub import DatasetCard, DatasetCardData

    if not results:
        raise ValueError("there is no submission to publish")
    rows = board_table(rank_entries(entries_of(results)))
    tables = {
        "leaderboard": Dataset.from_list(
            [{name: _cell(cell) for name, cell in row.items()} for row in rows]
        ),
        "results": Dataset.from_list([_record(result) for result in results]),
    }
    metadata = DatasetCardData(
        license="apache-2.0",
        pretty_name="JouleBench leaderboard",
        tags=["energy", "inference", "benchmark", "carbon"],
        configs=[
            {
                "config_name": name,
                "data_files": f"data/{name}.parquet",
                "default": name != "results",
            }
            for name in tables
        ],
    )
    latest = max(result.created_at[:10] for result in results)
    tasks = len({result.task.id for result in results})
    text = CARD.format(count=len(results), tasks=tasks, latest=latest)
    card = DatasetCard(f"---\n{metadata.to_yaml()}\n---\n{text}")
    storage.write_text(folder / "README.md", str(card))
    (folder / "data").mkdir(parents=True, exist_ok=True)
    files = [folder / "README.md"]
    for name, table in tables.items():
        table.to_parquet(str(folder / "data" / f"{name}.parquet"))
        files.append(folder / "data" / f"{name}.parquet")
    return files


def _cell(cell: Cell) -> object:
    """Text is made safe, as in the csv; empty text is no value."""
    return None if cell in (None, "") else csv_safe(cell)


def _record(result: Result) -> dict[str, str | None]:
    return {
        "run_id": result.run_id,
        "task": result.task.id,
        "model": result.model.id,
        "created_at": result.created_at,
        "kind": result.boundary.kind,
        "record": json.dumps(result.model_dump(mode="json"), allow_nan=False, ensure_ascii=False),
    }
