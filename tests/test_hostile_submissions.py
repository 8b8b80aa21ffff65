"""Hostile and broken submissions: each is refused with its reason, none changes the board.

Over 300 lines because every case of the table is a record of its own.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from boards import rank_results
from synthetic_results import result_with_energy, synthetic_result, with_derived_warnings

from bench.leaderboard import board_files, ranking, verification
from bench.leaderboard.board_entry import make_entry
from bench.leaderboard.submissions import SubmissionRefused, submit
from bench.results import storage
from bench.results.record import Failure

HONEST = [
    result_with_energy(0.100, 0.01, model="honest/a"),
    result_with_energy(0.101, 0.01, model="honest/b"),
    result_with_energy(0.300, 0.01, model="honest/c"),
    result_with_energy(0.020, 0.01, model="honest/modelled", kind="modelled"),
]


def victim(**options):
    """The record that an attacker edits; it is not among the honest ones."""
    options = {"model": "victim", "uuid": "GPU-9"} | options
    return result_with_energy(0.05, 0.05, **options).model_dump(mode="json")


def edited_victim(*keys_and_value, **options):
    """The victim's record with one value changed."""
    content = victim(**options)
    *keys, last, value = keys_and_value
    parent = content
    for key in keys:
        parent = parent[key]
    parent[last] = value
    return content


def encoded(content):
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def scaled(factor):
    """A consistent record whose energies are multiplied by a factor."""
    honest = result_with_energy(0.05 * factor, 0.05, model="victim", uuid="GPU-9", seconds=45.0)
    return honest.model_dump(mode="json")


def too_many_tokens():
    result = synthetic_result(task="text-gen", parameters=70_000_000_000, dtype="float16", uuid="x")
    content = result.model_dump(mode="json")
    for trial in content["trials"]:
        trial["work"]["output_token_count"] = 10_000_000
    return content


# Case -> (the bytes of the file, a part of the reason).
CASES = {
    "no JSON": (b"{", "not JSON"),
    "nothing": (b"", "not JSON"),
    "binary": (b"\xff\xfe\x00\x01", "not JSON"),
    "a list": (b"[]", "schema version"),
    "a number": (b"1e999", "schema version"),
    "deep nesting": (b"[" * 200_000 + b"]" * 200_000, "not JSON"),
    "deep nesting in a record": (
        b'{"schema_version":2,"x":' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        "not JSON",
    ),
    "more than ten million bytes": (b'{"schema_version":2,"x":"' + b"y" * 10_000_000, "bytes"),
    "NaN": (encoded(edited_victim("trials", 4, "duration_seconds", float("nan"))), "not JSON"),
    "infinity": (encoded(edited_victim("trials", 4, "duration_seconds", float("inf"))), "not JSON"),
    "a number too large": (
        encoded(victim()).replace(b'"index":0', b'"index":1e999', 1),
        "Unreadable",
    ),
    "a future schema": (
        encoded(edited_victim("schema_version", 3)),
        "a newer JouleBench can read it",
    ),
    "a schema of no number": (encoded(edited_victim("schema_version", "1")), "schema version"),
    "an unknown field": (encoded(edited_victim("sponsor", "me")), "Unreadable"),
    "a field that steers Python": (encoded(edited_victim("__class__", "os.system")), "Unreadable"),
    "a missing field": (
        encoded({k: v for k, v in victim().items() if k != "machine"}),
        "machine: Field required",
    ),
    "text for a number": (
        encoded(edited_victim("trials", 4, "readings", 0, "energy_joules", "12")),
        "Unreadable",
    ),
    "negative time": (encoded(edited_victim("trials", 4, "duration_seconds", -1.0)), "Unreadable"),
    "a negative count": (
        encoded(edited_victim("trials", 4, "work", "inference_count", -5)),
        "Unreadable",
    ),
    "a name of a megabyte": (encoded(edited_victim("model", "id", "x" * 1_000_000)), "Unreadable"),
    "a run id that is a path": (encoded(edited_victim("run_id", "../../../x")), "Unreadable"),
    "a date that is none": (encoded(edited_victim("created_at", "yesterday")), "Unreadable"),
    "../ in the task": (
        encoded(edited_victim("task", "id", "../../etc/cron.d/x")),
        "not a task id",
    ),
    "script in the task": (encoded(edited_victim("task", "id", "<script>")), "not a task id"),
    "a task of 300 letters": (encoded(edited_victim("task", "id", "a" * 300)), "not a task id"),
    "an edited summary": (
        encoded(edited_victim("summary", "energy_kwh_per_1000", None)),
        "Irreproducible",
    ),
    "an edited trial": (
        encoded(edited_victim("trials", 5, "readings", 0, "energy_joules", 17_000.0)),
        "Irreproducible",
    ),
    "a trial left out": (
        encoded(victim() | {"trials": victim()["trials"][:-1]}),
        "Irreproducible",
    ),
    "an edited duration": (
        encoded(edited_victim("trials", 5, "duration_seconds", 44.0)),
        "Irreproducible",
    ),
    "warnings left out": (encoded(edited_victim("warnings", [])), "warnings are not those"),
    "a rank it has not": (
        encoded(edited_victim("rankable", True, profile="quick")),
        "`rankable` does not follow",
    ),
    "an unknown unit": (encoded(edited_victim("task", "unit", "megajoule")), "recomputed"),
    "the unit of another task": (
        encoded(edited_victim("task", "unit", "inference")),
        "Irreproducible",
    ),
    "kWh written as joules": (encoded(scaled(1 / 3.6e6)), "a mean of"),
    "millijoules written as joules": (encoded(scaled(1000)), "a mean of 380000 W"),
    "a negative energy": (
        encoded(synthetic_result(energies=[-3000.0] * 9, uuid="n").model_dump(mode="json")),
        "a measured energy of -3000 J",
    ),
    "no energy at all": (
        encoded(synthetic_result(energies=[0.0] * 9, uuid="z").model_dump(mode="json")),
        "a measured energy of 0 J",
    ),
    "more power than the limit": (
        encoded(synthetic_result(energies=[7800.0] * 9, uuid="p").model_dump(mode="json")),
        "above 1.1 times 700 W",
    ),
    "more arithmetic than the device can": (encoded(too_many_tokens()), "operations a second"),
    "an integer of 400 digits": (
        encoded(victim()).replace(
            b'"parameter_count":3000000', b'"parameter_count":1' + b"0" * 400
        ),
        "Impossible",
    ),
    "energies that overflow": (
        encoded(edited_victim("trials", 5, "readings", 0, "energy_joules", 1e308)),
        "Impossible",
    ),
    "time that takes no time": (
        encoded(edited_victim("trials", 5, "duration_seconds", 0.0)),
        "took 0 s",
    ),
    "quality above one": (encoded(edited_victim("quality", "high", 7.0)), "quality outside"),
    "modelled energy called measured": (
        encoded(edited_victim("trials", 4, "readings", 0, "method", "modelled")),
        "modelled",
    ),
    "a GPU left out of the figure": (
        encoded(edited_victim("machine", "sensors", 0, "domains", ["gpu:0", "dram:0"])),
        "boundary is not",
    ),
    "a smaller scale error": (
        encoded(edited_victim("calibration", "relative_half_width", 1e-6)),
        "calibration uncertainty",
    ),
    "a target of its own": (
        encoded(edited_victim("protocol", "target_relative_half_width", 0.5)),
        "wider target",
    ),
    "a run of one trial": (encoded(edited_victim("protocol", "min_trials", 1)), "fewer trials"),
    "the trials of another": (
        encoded(HONEST[2].model_copy(update={"run_id": "0" * 12}).model_dump(mode="json")),
        "same trials",
    ),
    "the id of another": (
        encoded(victim() | {"run_id": HONEST[2].run_id, "created_at": "2026-09-09T09:09:09Z"}),
        "same run id",
    ),
}


def add_file(folder, content):
    """Write a file under the name of its content, as a submission has, whatever the content is."""
    match = re.search(rb'"task":\{[^{}]*"id":"(text-gen)"', content)
    task = match[1].decode() if match else "image-gen"
    path = folder / task / f"{hashlib.sha256(content).hexdigest()[:16]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def submit_honest(folder):
    for result in HONEST:
        storage.save_result(result, folder / "honest.json")
        submit(folder / "honest.json", folder / "submissions")
    (folder / "honest.json").unlink()
    return folder / "submissions"


def commit(folder):
    """Commit the folder to git, where accepted submissions are before others arrive."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "-q"), ("add", "."), (*identity, "commit", "-q", "-m", "honest")):
        subprocess.run(["git", "-C", str(folder.parent), *words], check=True, capture_output=True)


def add_misplaced(submissions):
    """Add files that are misplaced or of the wrong kind; returns a part of the reason by file."""
    good = submissions / "image-gen" / f"{storage.content_id(HONEST[0])}.json"
    secret = submissions.parent / "secret.json"
    shutil.copy(good, secret)
    folder = submissions / "image-gen"
    link, copy = folder / "aaaaaaaaaaaaaaaa.json", folder / "bbbbbbbbbbbbbbbb.json"
    link.symlink_to(secret)
    shutil.copy(good, copy)
    (submissions / "text-gen").mkdir(exist_ok=True)
    other = submissions / "text-gen" / good.name
    shutil.copy(good, other)
    (folder / "cccccccccccccccc.json").mkdir()
    os.mkfifo(folder / "dddddddddddddddd.json")
    (folder / "index.html").write_text("<script>alert(1)</script>")
    (submissions / "eeeeeeeeeeeeeeee.json").write_text("{}")
    (submissions / "linked").symlink_to("/")
    (folder / "ffffffffffffffff.note").write_text("{}")
    return {
        link: "not a link",
        copy: "moved or edited",
        other: "moved or edited",
        folder / "cccccccccccccccc.json": "one folder deep",
        folder / "dddddddddddddddd.json": "not a regular file",
        folder / "index.html": "its name is not",
        submissions / "eeeeeeeeeeeeeeee.json": "in the folder of its task",
        submissions / "linked": "not a link",
        folder / "ffffffffffffffff.note": "its name is not",
    }


def file_contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def write_board_of(folder, submissions):
    verified = verification.verify_folder(submissions, make_entry)
    board_files.write_board(ranking.rank_entries(verified.accepted), folder)
    return verified, file_contents(folder)


def test_every_hostile_submission_is_refused_and_none_changes_the_board(tmp_path):
    submissions = submit_honest(tmp_path)
    commit(submissions)
    _, before = write_board_of(tmp_path / "before", submissions)
    hostile = {add_file(submissions, content): word for content, word in CASES.values()}
    hostile |= add_misplaced(submissions)
    assert len(hostile) >= 40
    verified, after = write_board_of(tmp_path / "after", submissions)
    messages = {p: " ".join(item.message for item in why) for p, why in verified.refused.items()}
    wrong = {
        p.name: messages.get(p) for p, word in hostile.items() if word not in messages.get(p, "")
    }
    assert wrong == {} and set(messages) == set(hostile)
    assert all(item.remedy for why in verified.refused.values() for item in why)
    assert len(verified.accepted) == len(HONEST)
    assert after == before


@pytest.mark.parametrize("case", CASES)
def test_submit_refuses_a_hostile_file(tmp_path, case):
    content, word = CASES[case]
    submissions = submit_honest(tmp_path)
    before = file_contents(submissions)
    (tmp_path / "hostile.json").write_bytes(content)
    with pytest.raises(SubmissionRefused, match=word):
        submit(tmp_path / "hostile.json", submissions)
    assert file_contents(submissions) == before


LEGAL_TEXTS = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://evil.example","click")',
    "+cmd|' /C calc'!A0",
    "-2+3+cmd",
    "@SUM(1+1)",
    "  =1+1",
    "\t=1+1",
    "＝1+1",
    "[x](http://evil.example) ![](http://evil.example/x.png)",
    "| a | b |\n| --- | --- |\n# head",
    "a\u202egnp.exe\u2066\u200b",
    "\x1b[2J\x07\x00",
    "../../../../etc/passwd",
    "__proto__",
    "constructor",
    "\u2028\u2029",
    "e\u0301" * 50,
    "😀" * 20,
)


@pytest.mark.parametrize("text", LEGAL_TEXTS)
def test_legal_hostile_text_is_escaped_in_every_file(tmp_path, text):
    failure = Failure(stage="load", code="other", message=text)
    hostile_result = result_with_energy(0.1, model=text, device=text, dataset=text, dtype=text)
    failed = synthetic_result(model=text, energies=[], failure=failure)
    assert with_derived_warnings(hostile_result) == hostile_result
    for result in (hostile_result, failed):
        storage.save_result(result, tmp_path / "one.json")
        submit(tmp_path / "one.json", tmp_path / "submissions")
    verified, _ = write_board_of(tmp_path / "out", tmp_path / "submissions")
    assert len(verified.accepted) == 2 and verified.refused == {}
    with (tmp_path / "out" / "leaderboard.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for cell in (cell for row in rows for cell in row.values()):
        assert not cell.lstrip().startswith(("=", "+", "@", "＝")) or cell.startswith("'")
        assert cell.isprintable()
    markdown = (tmp_path / "out" / "leaderboard.md").read_text()
    assert not re.search(r"(?<!\\)<script", markdown) and "](http://evil" not in markdown
    assert all(line.isprintable() for line in markdown.splitlines())
    for page in (tmp_path / "out" / "site").glob("*.html"):
        assert text not in page.read_text() or text in ("constructor",)
    content = json.loads((tmp_path / "out" / "leaderboard.json").read_text())
    (task,) = content["tasks"]
    assert task["groups"][0]["rows"][0]["model"]["id"] == text


def test_chain_of_ties_is_equal_in_every_file(tmp_path):
    chain = [
        result_with_energy(e, 0.01, model=m) for e, m in ((0.100, "a"), (0.104, "b"), (0.1085, "c"))
    ]
    board_files.write_board(rank_results(chain), tmp_path)
    content = json.loads((tmp_path / "leaderboard.json").read_text())
    rows = content["tasks"][0]["groups"][0]["rows"]
    assert [(r["model"]["id"], r["rank"], r["last_rank"]) for r in rows] == [
        ("a", 1, 2),
        ("b", 1, 3),
        ("c", 2, 3),
    ]
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        table = [(r["model"], r["rank"], r["last_rank"]) for r in csv.DictReader(file)]
    assert table == [("a", "1", "2"), ("b", "1", "3"), ("c", "2", "3")]
    lines = (tmp_path / "leaderboard.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in lines if line.startswith(("| 1", "| 2"))] == [
        "| 1 to 2",
        "| 1 to 3",
        "| 2 to 3",
    ]
    (line,) = Path(tmp_path / "site" / "data" / "board.js").read_text().splitlines()
    board = json.loads(line.removeprefix("jb.board(").removesuffix(");"))
    rank, last = (board["fields"].index(name) for name in ("rank", "last_rank"))
    (task,) = (task for task in board["tasks"] if task["count"])
    assert [(row[rank], row[last]) for row in task["first"]] == [(1, 2), (1, 3), (2, 3)]
