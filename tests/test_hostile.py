"""A folder of hostile and broken submissions: each refused with its reason, none on the board."""

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
from synthetic_results import result_with_energy, synthetic_result, with_derived_warnings

from bench.leaderboard import board_entry, board_files, ranking, verification
from bench.leaderboard.board_entry import make_entry
from bench.leaderboard.submissions import SubmissionRefused, submit
from bench.results import storage
from bench.results.record import Failure, Result

HONEST = [
    result_with_energy(0.100, 0.01, model="honest/a"),
    result_with_energy(0.101, 0.01, model="honest/b"),
    result_with_energy(0.300, 0.01, model="honest/c"),
    result_with_energy(0.020, 0.01, model="honest/modelled", kind="modelled"),
]


def victim(**options):
    """The run that an attacker starts from: nobody else has it."""
    options = {"model": "victim", "uuid": "GPU-9"} | options
    return result_with_energy(0.05, 0.05, **options).model_dump(mode="json")


def at(*keys_and_value, **options):
    """The victim with one value changed."""
    content = victim(**options)
    *keys, last, value = keys_and_value
    place = content
    for key in keys:
        place = place[key]
    place[last] = value
    return content


def dumped(content):
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def again(content):
    """The record with a summary, warnings and a rank that fit what was changed."""
    result = Result.model_validate_json(json.dumps(content))
    return with_derived_warnings(result).model_dump(mode="json")


def scaled(factor):
    """A sum that fits its trials, whose energies were made smaller or larger."""
    honest = result_with_energy(0.05 * factor, 0.05, model="victim", uuid="GPU-9", seconds=45.0)
    return honest.model_dump(mode="json")


def busy():
    result = synthetic_result(task="text-gen", parameters=70_000_000_000, dtype="float16", uuid="x")
    content = result.model_dump(mode="json")
    for trial in content["trials"]:
        trial["work"]["output_token_count"] = 10_000_000
    return content


# What is wrong with it -> (its bytes, a word of the reason)
BROKEN = {
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
    "NaN": (dumped(at("trials", 4, "duration_seconds", float("nan"))), "not JSON"),
    "infinity": (dumped(at("trials", 4, "duration_seconds", float("inf"))), "not JSON"),
    "a number too large": (
        dumped(victim()).replace(b'"index":0', b'"index":1e999', 1),
        "Unreadable",
    ),
    "a future schema": (dumped(at("schema_version", 3)), "a newer one can read it"),
    "a schema of no number": (dumped(at("schema_version", "1")), "schema version"),
    "an unknown field": (dumped(at("sponsor", "me")), "Unreadable"),
    "a field that steers Python": (dumped(at("__class__", "os.system")), "Unreadable"),
    "a missing field": (
        dumped({k: v for k, v in victim().items() if k != "machine"}),
        "machine: Field required",
    ),
    "text for a number": (
        dumped(at("trials", 4, "readings", 0, "energy_joules", "12")),
        "Unreadable",
    ),
    "negative time": (dumped(at("trials", 4, "duration_seconds", -1.0)), "Unreadable"),
    "a negative count": (
        dumped(at("trials", 4, "work", "inference_count", -5)),
        "Unreadable",
    ),
    "a name of a megabyte": (dumped(at("model", "id", "x" * 1_000_000)), "Unreadable"),
    "a run id that is a path": (dumped(at("run_id", "../../../x")), "Unreadable"),
    "a date that is none": (dumped(at("created_at", "yesterday")), "Unreadable"),
    "../ in the task": (dumped(at("task", "id", "../../etc/cron.d/x")), "not a task id"),
    "script in the task": (dumped(at("task", "id", "<script>")), "not a task id"),
    "a task of 300 letters": (dumped(at("task", "id", "a" * 300)), "not a task id"),
    "an edited summary": (
        dumped(at("summary", "energy_kwh_per_1000", None)),
        "Irreproducible",
    ),
    "an edited trial": (
        dumped(at("trials", 5, "readings", 0, "energy_joules", 17_000.0)),
        "Irreproducible",
    ),
    "a trial left out": (
        dumped(victim() | {"trials": victim()["trials"][:-1]}),
        "Irreproducible",
    ),
    "an edited duration": (dumped(at("trials", 5, "duration_seconds", 44.0)), "Irreproducible"),
    "warnings left out": (dumped(at("warnings", [])), "warnings are not those"),
    "a rank it has not": (
        dumped(at("rankable", True, profile="quick")),
        "`rankable` does not follow",
    ),
    "wrong units": (dumped(at("task", "unit", "megajoule")), "recomputed"),
    "the unit of another task": (dumped(at("task", "unit", "inference")), "Irreproducible"),
    "kWh written as joules": (dumped(scaled(1 / 3.6e6)), "a mean of"),
    "millijoules written as joules": (dumped(scaled(1000)), "a mean of 380000 W"),
    "a negative energy": (
        dumped(synthetic_result(energies=[-3000.0] * 5, uuid="n").model_dump(mode="json")),
        "a measured energy of -3000 J",
    ),
    "no energy at all": (
        dumped(synthetic_result(energies=[0.0] * 5, uuid="z").model_dump(mode="json")),
        "a measured energy of 0 J",
    ),
    "more power than the limit": (
        dumped(synthetic_result(energies=[7800.0] * 5, uuid="p").model_dump(mode="json")),
        "above 1.1 times 700 W",
    ),
    "more arithmetic than the device can": (dumped(busy()), "operations a second"),
    "a whole number of 400 digits": (
        dumped(victim()).replace(b'"parameter_count":3000000', b'"parameter_count":1' + b"0" * 400),
        "Impossible",
    ),
    "energies that overflow": (
        dumped(at("trials", 5, "readings", 0, "energy_joules", 1e308)),
        "Impossible",
    ),
    "time that takes no time": (dumped(at("trials", 5, "duration_seconds", 0.0)), "took 0 s"),
    "quality above one": (dumped(at("quality", "high", 7.0)), "quality outside"),
    "modelled energy called measured": (
        dumped(at("trials", 4, "readings", 0, "method", "modelled")),
        "modelled",
    ),
    "a GPU left out of the figure": (
        dumped(at("machine", "sensors", 0, "domains", ["gpu:0", "dram:0"])),
        "boundary is not",
    ),
    "a smaller scale error": (
        dumped(at("calibration", "relative_half_width", 1e-6)),
        "calibration uncertainty",
    ),
    "a target of its own": (
        dumped(at("protocol", "target_relative_half_width", 0.5)),
        "wider target",
    ),
    "a run of one trial": (dumped(at("protocol", "min_trials", 1)), "fewer trials"),
    "the run of another": (
        dumped(HONEST[2].model_copy(update={"run_id": "0" * 12}).model_dump(mode="json")),
        "same trials",
    ),
    "the id of another": (
        dumped(victim() | {"run_id": HONEST[2].run_id, "created_at": "2026-09-09T09:09:09Z"}),
        "same run id",
    ),
}


def put(folder, content):
    """A file where a submission lies, with the name of its content, whatever that is."""
    found = re.search(rb'"task":\{[^{}]*"id":"(text-gen)"', content)
    task = found[1].decode() if found else "image-gen"
    path = folder / task / f"{hashlib.sha256(content).hexdigest()[:16]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def honest(folder):
    for result in HONEST:
        storage.save_result(result, folder / "honest.json")
        submit(folder / "honest.json", folder / "submissions")
    (folder / "honest.json").unlink()
    return folder / "submissions"


def commit(folder):
    """Commit the folder to git, as the submissions that were accepted before are."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "-q"), ("add", "."), (*identity, "commit", "-q", "-m", "honest")):
        subprocess.run(["git", "-C", str(folder.parent), *words], check=True, capture_output=True)


def misplaced(submissions):
    """Files that are not where, or what, they should be -> a word of the reason."""
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
        folder / "dddddddddddddddd.json": "no plain file",
        folder / "index.html": "its name is not",
        submissions / "eeeeeeeeeeeeeeee.json": "in the folder of its task",
        submissions / "linked": "not a link",
        folder / "ffffffffffffffff.note": "no submission that it belongs to",
    }


def everything(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def written(folder, submissions):
    found = verification.verify_folder(submissions, make_entry)
    board_files.write_board(ranking.rank_entries(found.accepted), folder)
    return found, everything(folder)


def test_every_hostile_submission_is_refused_with_its_reason_and_none_changes_the_board(tmp_path):
    submissions = honest(tmp_path)
    _, before = written(tmp_path / "before", submissions)
    commit(submissions)
    hostile = {put(submissions, content): word for content, word in BROKEN.values()}
    hostile |= misplaced(submissions)
    assert len(hostile) >= 40
    found, after = written(tmp_path / "after", submissions)
    told = {p: " ".join(item.message for item in why) for p, why in found.refused.items()}
    wrong = {p.name: told.get(p) for p, word in hostile.items() if word not in told.get(p, "")}
    assert wrong == {} and set(told) == set(hostile)
    assert all(item.remedy for why in found.refused.values() for item in why)
    assert len(found.accepted) == len(HONEST)
    assert after == before


@pytest.mark.parametrize("case", BROKEN)
def test_submit_refuses_it_too(tmp_path, case):
    content, word = BROKEN[case]
    submissions = honest(tmp_path)
    before = everything(submissions)
    (tmp_path / "hostile.json").write_bytes(content)
    with pytest.raises(SubmissionRefused, match=word):
        submit(tmp_path / "hostile.json", submissions)
    assert everything(submissions) == before


LEGAL = (
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


@pytest.mark.parametrize("text", LEGAL)
def test_a_strange_text_that_is_legal_is_shown_as_text_in_every_form(tmp_path, text):
    failure = Failure(stage="load", code="other", message=text)
    strange = result_with_energy(0.1, model=text, device=text, dataset=text, dtype=text)
    failed = synthetic_result(model=text, energies=[], failure=failure)
    assert with_derived_warnings(strange) == strange
    for result in (strange, failed):
        storage.save_result(result, tmp_path / "one.json")
        submit(tmp_path / "one.json", tmp_path / "submissions")
    found, _ = written(tmp_path / "out", tmp_path / "submissions")
    assert len(found.accepted) == 2 and found.refused == {}
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


def test_a_chain_of_ties_is_one_on_every_view(tmp_path):
    chain = [
        result_with_energy(e, 0.01, model=m) for e, m in ((0.100, "a"), (0.102, "b"), (0.104, "c"))
    ]
    board_files.write_board(ranking.rank_entries(board_entry.entries_of(chain)), tmp_path)
    content = json.loads((tmp_path / "leaderboard.json").read_text())
    rows = content["tasks"][0]["groups"][0]["rows"]
    assert [(r["model"]["id"], r["rank"], r["tied"]) for r in rows] == [
        ("a", 1, True),
        ("b", 1, True),
        ("c", 2, True),
    ]
    with (tmp_path / "leaderboard.csv").open(newline="") as file:
        table = [(r["model"], r["rank"], r["tied"]) for r in csv.DictReader(file)]
    assert table == [("a", "1", "True"), ("b", "1", "True"), ("c", "2", "True")]
    lines = (tmp_path / "leaderboard.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in lines if line.startswith(("| 1", "| 2"))] == [
        "| 1=",
        "| 1=",
        "| 2=",
    ]
    (line,) = Path(tmp_path / "site" / "data" / "board.js").read_text().splitlines()
    board = json.loads(line.removeprefix("jb.board(").removesuffix(");"))
    rank, tied = board["fields"].index("rank"), board["fields"].index("tied")
    (task,) = (task for task in board["tasks"] if task["count"])
    assert [(row[rank], row[tied]) for row in task["first"]] == [(1, True), (1, True), (2, True)]
