"""Adding a submission: its name, note, signature key and duplicates; the `submit` command."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from boards import (
    board_document,
    joulebench,
    save,
)
from synthetic_results import result_with_energy, synthetic_result

from bench.leaderboard import (
    ranking,
    submissions,
    verification,
)
from bench.leaderboard.board_entry import make_entry
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


def test_name_and_note_are_stored_apart_and_shown_on_the_board(tmp_path):
    folder = tmp_path / "submissions"
    path, issues = submit(
        save(tmp_path, result_with_energy(0.1)), folder, name="Ada", remark="=1+1 <b>first</b>"
    )
    assert issues == ()
    bare = result_with_energy(0.1)
    assert path.name == f"{storage.content_id(bare)}.json", "the record's name has no note in it"
    assert storage.load_result(path) == bare
    verified = verification.verify_folder(folder, make_entry)
    (row,) = board_document(ranking.rank_entries(verified.accepted))["tasks"][0]["groups"][0][
        "rows"
    ]
    assert row["submitted_by"] == {"name": "Ada", "note": "=1+1 <b>first</b>", "signer": None}
    assert verified.refused == {} and verified.remarks == {}


@pytest.mark.parametrize(
    ("name", "note"), [("x" * 101, None), ("", None), (None, "a\u202eb"), (None, "a\x1b[2Jb")]
)
def test_name_or_note_that_cannot_be_shown_is_bad_input(tmp_path, name, note):
    result = save(tmp_path, result_with_energy(0.1))
    words = ["submit", result, "--results", tmp_path / "r"]
    words += ["--name", name] if name is not None else ["--note", note]
    done = joulebench(*words)
    assert done.returncode == 2 and not (tmp_path / "r").exists()


def test_key_that_does_not_work_leaves_no_file(tmp_path):
    result = save(tmp_path, result_with_energy(0.1))
    for bad in (tmp_path / "none", result):
        done = joulebench("submit", result, "--results", tmp_path / "r", "--sign", bad)
        assert done.returncode == 2 and not (tmp_path / "r").exists()


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
