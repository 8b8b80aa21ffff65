"""The board as a data set folder for a hub."""

import subprocess
import sys

import pytest
from boards import submission_of
from datasets import load_dataset
from synthetic_results import result_with_energy, result_with_host

from bench.leaderboard import publishing
from bench.results import storage


def joulebench(*words):
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_folder_loads_as_a_data_set_with_every_record(tmp_path):
    results = [result_with_host(0.05), result_with_energy(0.1, kind="modelled", model="b")]
    publishing.write_dataset_folder([*map(submission_of, results)], tmp_path / "hub")
    cache = str(tmp_path / "cache")
    rows = load_dataset(str(tmp_path / "hub"), "leaderboard", split="train", cache_dir=cache)
    energies = {row["model"]: row["energy_kwh_per_1000"] for row in rows}
    assert energies == {r.model.id: r.summary.energy_kwh_per_1000.value for r in results}
    ranks = {row["model"]: (row["rank"], row["kind"]) for row in rows}
    assert ranks == {"embedded/small": (1, "measured"), "b": (None, "modelled")}
    records = load_dataset(str(tmp_path / "hub"), "results", split="train", cache_dir=cache)
    assert [storage.parse_result(row["record"]) for row in records] == results


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_publish_writes_a_folder_and_uploads_nothing(tmp_path, options):
    arguments = ["publish", *options, "--results", tmp_path, "--out", tmp_path / "hub"]
    empty = joulebench(*arguments)
    assert empty.returncode == 2 and "no submission" in empty.stderr
    path = tmp_path / "run.json"
    storage.save_result(result_with_energy(0.1), path)
    assert joulebench("submit", path, "--results", tmp_path).returncode == 0
    done = joulebench(*arguments)
    assert done.returncode == 0 and "nothing was uploaded" in done.stderr
    assert (tmp_path / "hub" / "data" / "leaderboard.parquet").is_file()
