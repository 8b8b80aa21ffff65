"""Validation of a folder: duplicates, submitters by git, files in the wrong place."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from boards import (
    joulebench,
    place_submission,
    save,
)
from synthetic_results import result_with_energy, synthetic_result

from bench.leaderboard import (
    verification,
)
from bench.leaderboard.board_entry import make_entry
from bench.leaderboard.board_files import board_table
from bench.leaderboard.ranking import rank_entries
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


def copy_with_another_name(result):
    """The same run under another model's name: a duplicate with a name of its own."""
    return result.model_copy(update={"model": result.model.model_copy(update={"id": "thief"})})


def git(folder, *words):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    command = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(command, check=True, capture_output=True)


def commit_as(folder, author, *options):
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "add", f"--author={author} <a@example.org>", *options)


def submitters(folder):
    verified = verification.verify_folder(folder, make_entry)
    return {entry.row.model.id: entry.row.submitted_by for entry in verified.accepted}


def test_submitter_is_the_author_of_the_commit_that_added_the_file(tmp_path):
    folder = tmp_path / "submissions"
    git(tmp_path, "init", "-q")
    for number, author in enumerate(("Ada", "Bo\u202eb", "x" * 200)):
        path = place_submission(folder, result_with_energy(0.1 + number, model=f"m{number}"))
        assert submitters(folder)[f"m{number}"] is None
        commit_as(tmp_path, author)
    git(path.parent, "mv", path.name, "0123456789abcdef.json")
    git(tmp_path, "commit", "-q", "-m", "move it")
    git(path.parent, "mv", "0123456789abcdef.json", path.name)
    git(tmp_path, "commit", "-q", "-m", "move it back")
    expected = {"m0": "Ada", "m1": "Bo\ufffdb", "m2": "x" * 100}
    assert submitters(folder) == expected
    board = rank_entries(verification.verify_folder(folder, make_entry).accepted)
    assert {row["model"]: row["submitted_by"] for row in board_table(board)} == expected
    git(tmp_path.parent, "clone", "-q", "--depth", "1", f"file://{tmp_path}", "shallow")
    assert set(submitters(tmp_path.parent / "shallow" / "submissions").values()) == {None}


def test_file_names_in_any_bytes_do_not_change_who_submitted(tmp_path):
    root = tmp_path / os.fsdecode(b"caf\xe9 \x01Eve\n:x")
    root.mkdir()
    git(root, "init", "-q")
    place_submission(root / "s", result_with_energy(0.1))
    (root / "s" / os.fsdecode(b"\x01Eve\xff.json")).write_text("{}")
    (root / "s" / "image-gen" / "\n:a").write_text("{}")
    commit_as(root, "Ada")
    assert list(submitters(root / "s").values()) == ["Ada"]


def test_configuration_of_the_folder_runs_no_program(tmp_path):
    program = tmp_path / "program"
    signature = "-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----"
    program.write_text(
        f"#!/bin/sh\ntouch {tmp_path}/ran\necho '[GNUPG:] SIG_CREATED ' >&2\necho '{signature}'\n"
    )
    program.chmod(0o700)
    root = tmp_path / "unpacked"
    place_submission(root / "submissions", result_with_energy(0.1))
    git(root, "init", "-q")
    for setting in ("gpg.program", "core.fsmonitor", "core.pager", "diff.external"):
        git(root, "config", setting, str(program))
    for setting in ("log.showSignature", "diff.relative", "log.follow"):
        git(root, "config", setting, "true")
    commit_as(root, "Ada", "-S")
    (tmp_path / "ran").unlink()
    git(root, "log")
    (tmp_path / "ran").unlink()  # git runs the program where nothing prevents it
    assert list(submitters(root / "submissions").values()) == ["Ada"]
    assert not (tmp_path / "ran").exists()


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
    odd = [folder / "x.json", path.parent / "evil.html", path.parent / "UPPER.json"]
    odd += [path.with_suffix(".note"), Path(f"{path}.sig"), folder / "allowed_signers"]
    for place in odd:
        place.parent.mkdir(exist_ok=True)
        place.write_text("{}")
    (path.parent / "fedcba9876543210.json").symlink_to(path)
    (path.parent / "deep" / "deeper").mkdir(parents=True)
    (path.parent / "deep" / path.name).write_bytes(path.read_bytes())
    messages = refusal_messages(folder)
    assert set(messages) == {place.name for place in odd} | {"fedcba9876543210.json", "deep"}
    assert "one folder deep" in messages["deep"]
    assert "not a link" in messages["fedcba9876543210.json"]
    assert len(verification.verify_folder(folder, make_entry).accepted) == 1


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
