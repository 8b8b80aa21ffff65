"""Submissions: names and notes beside the frozen record, signatures, twins, and verifying again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from boards import board_document
from synthetic_results import result_with_energy, synthetic_result

from bench.impact import facts
from bench.leaderboard import (
    board_entry,
    ranking,
    submissions,
    validation,
    verification,
)
from bench.leaderboard.board_entry import make_entry
from bench.leaderboard.submissions import submit
from bench.results import storage, versions
from bench.results.record import Failure

GOLDEN = Path(__file__).parent / "golden"
FAILURE = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def joulebench(*words):
    command = [sys.executable, "-m", "bench", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def saved(folder, result, name="result.json"):
    storage.save_result(result, folder / name)
    return folder / name


def placed(folder, result):
    """A submission, put where `submit` puts it, whatever it holds."""
    path = folder / result.task.id / f"{storage.content_id(result)}.json"
    storage.write_text(path, storage.canonical_json(result))
    return path


def refused(folder):
    found = verification.verify_folder(folder, make_entry)
    return {p.name: " ".join(item.message for item in why) for p, why in found.refused.items()}


# Older records


@pytest.mark.parametrize("version", range(1, versions.SCHEMA_VERSION + 1))
def test_a_record_of_every_schema_version_is_read_judged_and_ranked(version):
    path = GOLDEN / f"result-v{version}.json"
    verdict = validation.validate_file(path)
    assert verdict.refusals == () and verdict.rank_obstacles == ()
    assert verdict.result.model.id == "golden/one" and verdict.result.schema_version == 2
    assert verdict.result.summary.energy_kwh_per_1000.value == pytest.approx(0.0123)
    (task,) = board_document(ranking.rank_entries(board_entry.entries_of([verdict.result])))[
        "tasks"
    ]
    assert task["groups"][0]["rows"][0]["rank"] == 1


def test_the_golden_record_of_this_version_is_still_written_so():
    text = (GOLDEN / f"result-v{versions.SCHEMA_VERSION}.json").read_text()
    assert storage.canonical_json(storage.parse_result(text)) == text


@pytest.mark.parametrize(
    ("version", "words"), [(3, "a newer one can read it"), (0, "known is 2"), ("null", "None")]
)
def test_another_version_is_refused_with_a_sentence(tmp_path, version, words):
    text = (GOLDEN / "result-v1.json").read_text()
    path = tmp_path / "other.json"
    path.write_text(text.replace('"schema_version":1', f'"schema_version":{version}'))
    (reason,) = validation.validate_file(path).refusals
    assert words in reason


# Arithmetic


def busy(tokens, dtype="float16", parameters=1_000_000_000, **options):
    """Trials of 10 s in which so many tokens came out of a model of a billion parameters."""
    result = synthetic_result(task="text-gen", dtype=dtype, parameters=parameters, **options)
    trials = [
        trial.model_copy(
            update={"work": trial.work.model_copy(update={"output_token_count": tokens})}
        )
        for trial in result.trials
    ]
    return result.model_copy(update={"trials": tuple(trials)})


def arithmetic(tmp_path, result):
    path = tmp_path / "busy.json"
    storage.save_result(result, path)
    return [r for r in validation.validate_file(path).refusals if "operations a second" in r]


def test_no_model_computes_faster_than_its_device(tmp_path):
    peak = facts.table("gpu_peak")["nvidia-h100-sxm5-80gb"].value * 1e12
    most = int(peak * 10 / 2e9)
    assert arithmetic(tmp_path, busy(most - 1)) == []
    assert len(arithmetic(tmp_path, busy(most + 10_000))) == 5
    # Fewer bits compute faster; of a device without a published peak nothing is said.
    assert arithmetic(tmp_path, busy(most + 10_000, dtype="int4")) == []
    assert arithmetic(tmp_path, busy(most + 10_000, device="Unheard-of")) == []
    assert arithmetic(tmp_path, busy(most + 10_000, parameters=None)) == []


def test_a_mixture_of_experts_counts_the_parameters_that_a_token_meets(tmp_path):
    peak = facts.table("gpu_peak")["nvidia-h100-sxm5-80gb"].value * 1e12
    result = busy(int(2 * peak * 10 / 2e9))
    assert arithmetic(tmp_path, result)
    model = result.model.model_copy(update={"active_parameter_count": 100_000_000})
    assert arithmetic(tmp_path, result.model_copy(update={"model": model})) == []


# Name and note


def test_name_and_note_lie_beside_the_record_and_stand_on_the_board(tmp_path):
    folder = tmp_path / "submissions"
    path, findings = submit(
        saved(tmp_path, result_with_energy(0.1)), folder, name="Ada", remark="=1+1 <b>first</b>"
    )
    assert findings == ()
    bare = result_with_energy(0.1)
    assert path.name == f"{storage.content_id(bare)}.json", "the record's name has no note in it"
    assert storage.load_result(path) == bare
    found = verification.verify_folder(folder, make_entry)
    (row,) = board_document(ranking.rank_entries(found.accepted))["tasks"][0]["groups"][0]["rows"]
    assert row["submitted_by"] == {"name": "Ada", "note": "=1+1 <b>first</b>", "signer": None}
    assert found.refused == {} and found.remarks == {}


@pytest.mark.parametrize(
    ("name", "note"), [("x" * 101, None), ("", None), (None, "a\u202eb"), (None, "a\x1b[2Jb")]
)
def test_a_name_or_a_note_that_can_not_be_shown_is_bad_input(tmp_path, name, note):
    result = saved(tmp_path, result_with_energy(0.1))
    words = ["submit", result, "--results", tmp_path / "r"]
    words += ["--name", name] if name is not None else ["--note", note]
    done = joulebench(*words)
    assert done.returncode == 2 and not (tmp_path / "r").exists()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"name":"a","sponsor":"b"}', b" " * 20_000])
def test_a_broken_note_is_left_out_and_its_result_stays(tmp_path, content):
    folder = tmp_path / "submissions"
    path, _ = submit(saved(tmp_path, result_with_energy(0.1)), folder, name="Ada")
    path.with_suffix(".note").write_bytes(content)
    found = verification.verify_folder(folder, make_entry)
    assert len(found.accepted) == 1
    assert [p.suffix for p in found.refused] == [".note"]


# Signatures


@pytest.fixture
def key(tmp_path):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen on this machine")
    path = tmp_path / "key"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def allow(folder, key):
    kind, public = key.with_name("key.pub").read_text().split()[:2]
    (folder / "allowed_signers").write_text(f"ada@example.org {kind} {public}\n")


def test_a_signature_says_who_signed_once_the_signer_is_allowed(tmp_path, key):
    folder = tmp_path / "submissions"
    path, _ = submit(saved(tmp_path, result_with_energy(0.1)), folder, name="Ada", key=key)
    assert sorted(p.suffixes[-1] for p in path.parent.iterdir()) == [
        ".json",
        ".note",
        ".sig",
        ".sig",
    ]
    found = verification.verify_folder(folder, make_entry)
    (remark,) = found.remarks[path]
    assert remark.code == "unknown-signer" and found.refused == {}
    allow(folder, key)
    found = verification.verify_folder(folder, make_entry)
    assert found.remarks == {} and found.refused == {}
    assert found.accepted[0].row.submitted_by.signer == "ada@example.org"


def test_a_signature_of_something_else_is_refused(tmp_path, key):
    folder = tmp_path / "submissions"
    one, _ = submit(saved(tmp_path, result_with_energy(0.1)), folder, key=key)
    two, _ = submit(saved(tmp_path, result_with_energy(0.2, model="b")), folder)
    shutil.copy(f"{one}.sig", f"{two}.sig")
    allow(folder, key)
    assert list(refused(folder)) == [two.name]
    assert "does not match this content" in refused(folder)[two.name]


def test_a_note_that_was_changed_after_it_was_signed_is_left_out(tmp_path, key):
    folder = tmp_path / "submissions"
    path, _ = submit(saved(tmp_path, result_with_energy(0.1)), folder, name="Ada", key=key)
    note = path.with_suffix(".note")
    note.write_text(note.read_text().replace("Ada", "Eve"))
    found = verification.verify_folder(folder, make_entry)
    assert list(found.refused) == [note]
    assert found.accepted[0].row.submitted_by.name is None


def test_a_key_that_does_not_work_leaves_nothing_behind(tmp_path, key):
    result = saved(tmp_path, result_with_energy(0.1))
    for bad in (tmp_path / "none", result):
        done = joulebench("submit", result, "--results", tmp_path / "r", "--sign", bad)
        assert done.returncode == 2 and not (tmp_path / "r").exists()


# Twins


def twin(result):
    """The same run under another model's name: a duplicate with a name of its own."""
    return result.model_copy(update={"model": result.model.model_copy(update={"id": "thief"})})


def git(folder, *words):
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.mark.parametrize("first", [0, 1])
def test_of_twins_the_one_that_git_saw_first_stays(tmp_path, first):
    folder = tmp_path / "submissions"
    pair = [result_with_energy(0.1), twin(result_with_energy(0.1))]
    git(tmp_path, "init", "-q")
    for number in (first, 1 - first):
        placed(folder, pair[number])
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", str(number))
    found = verification.verify_folder(folder, make_entry)
    assert [e.id for e in found.accepted] == [storage.content_id(pair[first])]
    assert "Duplicate" in " ".join(refused(folder).values())


def test_without_git_the_elder_of_twins_stays(tmp_path):
    folder = tmp_path / "submissions"
    later = twin(result_with_energy(0.1)).model_copy(update={"created_at": "2026-05-01T00:00:00Z"})
    for result in (later, result_with_energy(0.1)):
        placed(folder, result)
    found = verification.verify_folder(folder, make_entry)
    assert [e.sort_key[1] for e in found.accepted] == ["embedded/small"]


# The commands


def test_submit_tells_every_finding_with_its_remedy(tmp_path):
    quick = saved(tmp_path, result_with_energy(0.1, profile="quick"))
    done = joulebench("submit", quick, "--results", tmp_path, "--json")
    assert done.returncode == 0
    said = json.loads(done.stdout)
    assert Path(said["submission"]).is_file() and said["refused"] == []
    assert {"no-rank"} <= {item["severity"] for item in said["findings"]}
    assert all(item["remedy"] for item in said["findings"])
    again = joulebench("submit", quick, "--results", tmp_path, "--json")
    assert again.returncode == 4 and json.loads(again.stdout)["submission"] is None
    (finding,) = json.loads(again.stdout)["findings"]
    assert (finding["severity"], finding["code"]) == ("refused", "duplicate") and finding["remedy"]


def test_what_a_stranger_wrote_can_not_steer_the_terminal(tmp_path):
    failure = FAILURE.model_copy(update={"message": "\x1b[2J\x1b]0;owned\x07 gone"})
    result = saved(tmp_path, synthetic_result(energies=[], failure=failure))
    done = joulebench("submit", result, "--results", tmp_path)
    assert done.returncode == 0 and "\x1b" not in done.stderr and "gone" in done.stderr


def test_verify_judges_all_again_and_tells_what_is_refused(tmp_path):
    folder = tmp_path / "submissions"
    submit(saved(tmp_path, result_with_energy(0.1)), folder)
    submit(saved(tmp_path, synthetic_result(energies=[], failure=FAILURE)), folder)
    good = joulebench("verify", folder, "--json")
    assert good.returncode == 0
    assert json.loads(good.stdout) | {"passed": 2, "ranked": 1, "refused": {}} == json.loads(
        good.stdout
    )
    path = next(folder.glob("*/*.json"))
    path.write_text(path.read_text().replace("embedded/small", "embedded/other"))
    bad = joulebench("verify", folder, "--json")
    assert bad.returncode == 4
    ((name, (why,)),) = json.loads(bad.stdout)["refused"].items()
    assert name == str(path) and why["code"] == "misplaced" and why["remedy"]
    assert joulebench("verify", tmp_path / "none").returncode == 2


def test_many_are_judged_in_several_processes_with_the_same_answer(tmp_path, monkeypatch):
    folder = tmp_path / "submissions"
    for number in range(12):
        placed(folder, result_with_energy(0.1 + number / 100, model=f"m{number}"))
    (folder / "image-gen" / "0123456789abcdef.json").write_text("{")
    alone = verification.verify_folder(folder, make_entry)
    monkeypatch.setattr(verification, "BATCH_SIZE", 3)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    together = verification.verify_folder(folder, make_entry)
    assert together == alone and len(alone.accepted) == 12 and len(alone.refused) == 1


def test_nothing_but_submissions_belongs_in_the_folder(tmp_path):
    folder = tmp_path / "submissions"
    path, _ = submit(saved(tmp_path, result_with_energy(0.1)), folder)
    (folder / "README.md").write_text("how to submit")
    assert refused(folder) == {}
    odd = [folder / "x.json", path.parent / "evil.html", path.parent / "deep" / "x.json"]
    odd += [path.parent / "0123456789abcdef.note", Path(f"{path.with_suffix('.note')}.sig")]
    for place in odd:
        place.parent.mkdir(exist_ok=True)
        place.write_text("{}")
    (path.parent / "fedcba9876543210.json").symlink_to(path)
    told = refused(folder)
    assert {place.name for place in odd} <= set(told)
    assert "not a link" in told["fedcba9876543210.json"]
    assert len(verification.verify_folder(folder, make_entry).accepted) == 1
    assert not submissions.is_record_path(Path("a/b/UPPER.json"))
