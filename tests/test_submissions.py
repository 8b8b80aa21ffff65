"""Adding a submission: its name and duplicates; the `submit` command."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from boards import (
    joulebench,
    save,
)
from synthetic_results import result_with_energy, synthetic_result

from bench.leaderboard import (
    submissions,
    verification,
)
from bench.leaderboard.submissions import submit
from bench.results import storage
from bench.results.record import Failure

FAILURE = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def test_submission_is_named_by_its_content_hash(tmp_path):
    result = result_with_energy(0.1)
    path, _ = submit(save(tmp_path, result), tmp_path / "submissions")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    assert path == tmp_path / "submissions" / "image-gen" / f"{digest}.json"
    assert storage.load_result(path) == result
    verified = verification.collect_submissions(tmp_path / "submissions")
    assert [s.result for s in verified.accepted] == [result] and verified.refused == {}


def test_duplicate_is_refused(tmp_path):
    result = result_with_energy(0.1)
    folder = tmp_path / "submissions"
    submit(save(tmp_path, result), folder)
    renamed = result.model_copy(update={"run_id": "0" * 12})
    other_trials = result_with_energy(0.2).model_copy(update={"run_id": result.run_id})
    for copy_with_another_name, word in (
        (result, "run id"),
        (renamed, "same trials"),
        (other_trials, "run id"),
    ):
        with pytest.raises(submissions.SubmissionRefused, match=word):
            submit(save(tmp_path, copy_with_another_name), folder)
    assert len(list(folder.glob("*/*"))) == 1


def test_broken_file_in_the_folder_does_not_block_a_submission(tmp_path):
    folder = tmp_path / "submissions"
    (folder / "image-gen").mkdir(parents=True)
    (folder / "image-gen" / "broken.json").write_text("{")
    path, _ = submit(save(tmp_path, result_with_energy(0.1)), folder)
    verified = verification.collect_submissions(folder)
    assert len(verified.accepted) == 1 and [p.name for p in verified.refused] == ["broken.json"]
    assert path.exists()


@pytest.mark.parametrize("option", ["--name", "--note", "--sign"])
def test_removed_option_is_refused_with_what_to_do_instead(tmp_path, option):
    result = save(tmp_path, result_with_energy(0.1))
    done = joulebench("submit", result, "--results", tmp_path / "r", option, "Ada")
    assert done.returncode == 2 and not (tmp_path / "r").exists()
    assert "were removed" in done.stderr and "commit it under your name" in done.stderr


def test_submit_prints_every_issue_with_its_remedy(tmp_path):
    quick = save(tmp_path, result_with_energy(0.1, profile="quick"))
    done = joulebench("submit", quick, "--results", tmp_path, "--json")
    assert done.returncode == 0
    content = json.loads(done.stdout)
    assert Path(content["submission"]).is_file() and content["refused"] == []
    assert {"no-rank"} <= {item["severity"] for item in content["findings"]}
    assert all(item["remedy"] for item in content["findings"])
    again = joulebench("submit", quick, "--results", tmp_path, "--json")
    assert again.returncode == 4 and json.loads(again.stdout)["submission"] is None
    (finding,) = json.loads(again.stdout)["findings"]
    assert (finding["severity"], finding["code"]) == ("refused", "duplicate") and finding["remedy"]


def test_control_characters_of_a_record_do_not_reach_the_terminal(tmp_path):
    failure = FAILURE.model_copy(update={"message": "\x1b[2J\x1b]0;owned\x07 gone"})
    result = save(tmp_path, synthetic_result(energies=[], failure=failure))
    done = joulebench("submit", result, "--results", tmp_path)
    assert done.returncode == 0 and "\x1b" not in done.stderr and "gone" in done.stderr
