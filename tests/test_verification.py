"""Validation of a folder: duplicates, notes, signatures, files in the wrong place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from boards import (
    joulebench,
    place_submission,
    save,
)
from signing import allow_signer, make_key
from synthetic_results import result_with_energy, synthetic_result

from bench.leaderboard import (
    submissions,
    verification,
)
from bench.leaderboard.board_entry import make_entry
from bench.leaderboard.submissions import submit
from bench.results import storage
from bench.results.record import Failure

FAILURE = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def test_renamed_submission_is_refused(tmp_path):
    folder = tmp_path / "submissions"
    path, _ = submit(save(tmp_path, result_with_energy(0.1)), folder)
    os.rename(path, path.with_name("0123456789abcdef.json"))
    verified = verification.collect_submissions(folder)
    assert verified.accepted == []
    assert "name" in verified.refused[path.with_name("0123456789abcdef.json")][0].message


def refusal_messages(folder):
    verified = verification.verify_folder(folder, make_entry)
    return {
        p.name: " ".join(item.message for item in issues) for p, issues in verified.refused.items()
    }


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"name":"a","sponsor":"b"}', b" " * 20_000])
def test_broken_note_is_refused_and_its_result_accepted(tmp_path, content):
    folder = tmp_path / "submissions"
    path, _ = submit(save(tmp_path, result_with_energy(0.1)), folder, name="Ada")
    path.with_suffix(".note").write_bytes(content)
    verified = verification.verify_folder(folder, make_entry)
    assert len(verified.accepted) == 1
    assert [p.suffix for p in verified.refused] == [".note"]


def test_signer_is_named_once_allowed(tmp_path):
    key = make_key(tmp_path)
    folder = tmp_path / "submissions"
    path, _ = submit(save(tmp_path, result_with_energy(0.1)), folder, name="Ada", key=key)
    assert sorted(p.suffixes[-1] for p in path.parent.iterdir()) == [
        ".json",
        ".note",
        ".sig",
        ".sig",
    ]
    verified = verification.verify_folder(folder, make_entry)
    (remark,) = verified.remarks[path]
    assert remark.code == "unknown-signer" and verified.refused == {}
    allow_signer(folder, key)
    verified = verification.verify_folder(folder, make_entry)
    assert verified.remarks == {} and verified.refused == {}
    assert verified.accepted[0].row.submitted_by.signer == "ada@example.org"


def test_signature_of_another_file_is_refused(tmp_path):
    key = make_key(tmp_path)
    folder = tmp_path / "submissions"
    one, _ = submit(save(tmp_path, result_with_energy(0.1)), folder, key=key)
    two, _ = submit(save(tmp_path, result_with_energy(0.2, model="b")), folder)
    shutil.copy(f"{one}.sig", f"{two}.sig")
    allow_signer(folder, key)
    assert list(refusal_messages(folder)) == [two.name]
    assert "does not match this content" in refusal_messages(folder)[two.name]


def test_note_changed_after_signing_is_refused(tmp_path):
    key = make_key(tmp_path)
    folder = tmp_path / "submissions"
    path, _ = submit(save(tmp_path, result_with_energy(0.1)), folder, name="Ada", key=key)
    note = path.with_suffix(".note")
    note.write_text(note.read_text().replace("Ada", "Eve"))
    verified = verification.verify_folder(folder, make_entry)
    assert list(verified.refused) == [note]
    assert verified.accepted[0].row.submitted_by.name is None


def copy_with_another_name(result):
    """The same run under another model's name: a duplicate with a name of its own."""
    return result.model_copy(update={"model": result.model.model_copy(update={"id": "thief"})})


def git(folder, *words):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.mark.parametrize("first", [0, 1])
def test_duplicate_that_was_committed_first_is_accepted(tmp_path, first):
    folder = tmp_path / "submissions"
    pair = [result_with_energy(0.1), copy_with_another_name(result_with_energy(0.1))]
    git(tmp_path, "init", "-q")
    for number in (first, 1 - first):
        place_submission(folder, pair[number])
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", str(number))
    verified = verification.verify_folder(folder, make_entry)
    assert [Path(e.row.submission).stem for e in verified.accepted] == [
        storage.content_id(pair[first])
    ]
    assert "Duplicate" in " ".join(refusal_messages(folder).values())


def test_older_duplicate_is_accepted_without_git(tmp_path):
    folder = tmp_path / "submissions"
    later = copy_with_another_name(result_with_energy(0.1)).model_copy(
        update={"created_at": "2026-05-01T00:00:00Z"}
    )
    for result in (later, result_with_energy(0.1)):
        place_submission(folder, result)
    verified = verification.verify_folder(folder, make_entry)
    assert [e.sort_key[1] for e in verified.accepted] == ["embedded/small"]


def test_verify_command_validates_all_submissions(tmp_path):
    folder = tmp_path / "submissions"
    submit(save(tmp_path, result_with_energy(0.1)), folder)
    submit(save(tmp_path, synthetic_result(energies=[], failure=FAILURE)), folder)
    good = joulebench("verify", folder, "--json")
    assert good.returncode == 0
    assert json.loads(good.stdout) | {"passed": 2, "ranked": 1, "refused": {}} == json.loads(
        good.stdout
    )
    path = next(folder.glob("*/*.json"))
    path.write_text(path.read_text().replace("embedded/small", "embedded/other"))
    bad = joulebench("verify", folder, "--json")
    assert bad.returncode == 4
    ((name, (issue,)),) = json.loads(bad.stdout)["refused"].items()
    assert name == str(path) and issue["code"] == "misplaced" and issue["remedy"]
    assert joulebench("verify", tmp_path / "none").returncode == 2


def test_several_processes_give_the_same_result(tmp_path, monkeypatch):
    folder = tmp_path / "submissions"
    for number in range(12):
        place_submission(folder, result_with_energy(0.1 + number / 100, model=f"m{number}"))
    (folder / "image-gen" / "0123456789abcdef.json").write_text("{")
    alone = verification.verify_folder(folder, make_entry)
    monkeypatch.setattr(verification, "BATCH_SIZE", 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    together = verification.verify_folder(folder, make_entry)
    assert together == alone and len(alone.accepted) == 12 and len(alone.refused) == 1


def test_files_that_are_no_submissions_are_refused(tmp_path):
    folder = tmp_path / "submissions"
    path, _ = submit(save(tmp_path, result_with_energy(0.1)), folder)
    (folder / "README.md").write_text("how to submit")
    assert refusal_messages(folder) == {}
    odd = [folder / "x.json", path.parent / "evil.html", path.parent / "deep" / "x.json"]
    odd += [path.parent / "0123456789abcdef.note", Path(f"{path.with_suffix('.note')}.sig")]
    for place in odd:
        place.parent.mkdir(exist_ok=True)
        place.write_text("{}")
    (path.parent / "fedcba9876543210.json").symlink_to(path)
    messages = refusal_messages(folder)
    assert {place.name for place in odd} <= set(messages)
    assert "not a link" in messages["fedcba9876543210.json"]
    assert len(verification.verify_folder(folder, make_entry).accepted) == 1
    assert not submissions.is_record_path(Path("a/b/UPPER.json"))


def test_duplicates_of_one_date_are_all_refused_without_git(tmp_path):
    original = result_with_energy(0.1)
    copies = [copy_with_another_name(original), original.model_copy(update={"run_id": "0" * 12})]
    other = result_with_energy(0.2, model="other")
    for result in (original, *copies, other):
        place_submission(tmp_path / "submissions", result)
    verified = verification.verify_folder(tmp_path / "submissions", make_entry)
    assert [entry.row.model.id for entry in verified.accepted] == ["other"]
    messages = refusal_messages(tmp_path / "submissions").values()
    assert len(messages) == 3 and all("all are refused" in message for message in messages)


def test_duplicates_of_one_commit_are_decided_by_date(tmp_path):
    older = result_with_energy(0.1)
    newer = copy_with_another_name(older).model_copy(update={"created_at": "2026-05-01T00:00:00Z"})
    git(tmp_path, "init", "-q")
    for result in (newer, older):
        place_submission(tmp_path / "submissions", result)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "both")
    verified = verification.verify_folder(tmp_path / "submissions", make_entry)
    assert [entry.row.created_at for entry in verified.accepted] == [older.created_at]
