"""The board as a folder that a hub takes for a data set: the rows, the raw records, and a card."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from bench.leaderboard import board_entry, ranking
from bench.leaderboard.board_files import csv_lines
from bench.results import storage
from bench.results.record import Result

WHOLE = {"rank", "stars", "parameter_count", "batch_size", "steps"}
FIGURES = {
    "energy_kwh_per_1000",
    "net_energy_kwh_per_1000",
    "energy_joules_per_unit",
    "duration_seconds_per_inference",
    "quality",
    "phone_charges_per_1000",
}
CARD = """
# JouleBench leaderboard

What one inference costs in energy: kWh per 1,000 inferences, each with its 95 % interval, its
boundary, and whether it was measured or modelled. {count} results of {tasks} tasks, the newest of
{latest}.

- `leaderboard`: one row a result. `rank` is empty for what does not rank, and `why_not_ranked` says
  why. Modelled energy never ranks, and is never to be compared with measured energy.
- `results`: the whole record of each run as JSON, raw trials first: every figure of the first table
  can be computed again from it.

The interval holds what repeats from trial to trial; the scale error of the sensor is apart, in the
records (`calibration`).
"""


def write_dataset_folder(results: Sequence[Result], out: Path) -> list[Path]:
    """Write README.md and data/*.parquet, as `datasets.load_dataset(out, name)` reads them.

    Gives the files written. Raises ValueError where there is no result, OSError where the folder
    can't be written.
    """
    from datasets import Dataset
    from huggingface_hub import DatasetCard, DatasetCardData

    if not results:
        raise ValueError("there is no submission to publish")
    tables = {
        "leaderboard": Dataset.from_list(_rows(results)),
        "results": Dataset.from_list([_record(result) for result in results]),
    }
    data = DatasetCardData(
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
    count = len({result.task.id for result in results})
    text = CARD.format(count=len(results), tasks=count, latest=latest)
    card = DatasetCard(f"---\n{data.to_yaml()}\n---\n{text}")
    storage.write_text(out / "README.md", str(card))
    (out / "data").mkdir(parents=True, exist_ok=True)
    written = [out / "README.md"]
    for name, one in tables.items():
        one.to_parquet(str(out / "data" / f"{name}.parquet"))
        written.append(out / "data" / f"{name}.parquet")
    return written


def _rows(results: Sequence[Result]) -> list[dict[str, object]]:
    """The rows of the board's csv, numbers as numbers, what is missing as None."""
    lines = csv_lines(ranking.rank_entries(board_entry.entries_of(results)))
    return [
        {name: _typed(name, cell) for name, cell in row.items()}
        for row in csv.DictReader(io.StringIO("".join(lines)))
    ]


def _typed(name: str, cell: str) -> object:
    if cell == "":
        return None
    if name in WHOLE:
        return int(cell)
    if name.removesuffix("_low").removesuffix("_high") in FIGURES:
        return float(cell)
    return cell == "True" if name == "tied" else cell


def _record(result: Result) -> dict[str, str | None]:
    return {
        "run_id": result.run_id,
        "task": result.task.id,
        "model": result.model.id,
        "created_at": result.created_at,
        "kind": result.boundary.kind,
        "record": json.dumps(result.model_dump(mode="json"), allow_nan=False, ensure_ascii=False),
    }
