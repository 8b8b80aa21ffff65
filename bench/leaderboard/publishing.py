"""The board as a folder for a data set hub: the rows, the complete records, and a card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.leaderboard.board_entry import make_entry
from bench.leaderboard.board_files import board_table
from bench.leaderboard.ranking import rank_entries
from bench.leaderboard.verification import Submission
from bench.results import storage
from bench.results.escaping import csv_safe


def write_dataset_folder(submissions: Sequence[Submission], folder: Path) -> list[Path]:
    """Write README.md and data/*.parquet, as `datasets.load_dataset(folder, name)` reads them.

    Returns the files. Raises ValueError where there is no submission, OSError where the folder
    cannot be written.
    """
    from datasets import Dataset
    from huggingface_hub import DatasetCard, DatasetCardData

    results = [submission.result for submission in submissions]
    if not results:
        raise ValueError("there is no submission to publish")
    tables = {
        "leaderboard": [
            # Text is made safe, as in the csv; empty text is no value.
            {name: None if cell in (None, "") else csv_safe(cell) for name, cell in row.items()}
            for row in board_table(rank_entries(map(make_entry, submissions)))
        ],
        "results": [
            {
                "run_id": result.run_id,
                "task": result.task.id,
                "model": result.model.id,
                "created_at": result.created_at,
                "kind": result.boundary.kind,
                "record": storage.to_json(result),
            }
            for result in results
        ],
    }
    configs = [
        {"config_name": name, "data_files": f"data/{name}.parquet", "default": name != "results"}
        for name in tables
    ]
    metadata = DatasetCardData(
        license="apache-2.0",
        pretty_name="JouleBench leaderboard",
        tags=["energy", "inference", "benchmark", "carbon"],
        configs=configs,
    )
    card = DatasetCard.from_template(
        metadata,
        template_path=str(Path(__file__).parent / "dataset_card.md.jinja"),
        count=len(results),
        tasks=len({result.task.id for result in results}),
        latest=max(result.created_at[:10] for result in results),
    )
    files = [folder / "README.md", *(folder / "data" / f"{name}.parquet" for name in tables)]
    storage.write_text(files[0], str(card))
    files[1].parent.mkdir(exist_ok=True)
    for file, rows in zip(files[1:], tables.values(), strict=True):
        Dataset.from_list(rows).to_parquet(str(file))
    return files
