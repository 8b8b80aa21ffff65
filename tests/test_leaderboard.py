"""Leaderboard: what is refused, listed and ranked; chains of ties; the same bytes every time."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import random
import time
from pathlib import Path

import jsonschema
import pytest
from boards import board_document
from synthetic_results import result_with_energy, synthetic_result, with_derived_warnings
from virtual_run import CONFIG, virtual_run

from bench import leaderboard
from bench.impact.facts import published
from bench.leaderboard import (
    board_entry,
    board_files,
    grading,
    ranking,
    submissions,
    validation,
    verification,
)
from bench.leaderboard.board_entry import RankingKey, make_ranking_key
from bench.leaderboard.ranking import count_better_and_worse, is_significantly_less
from bench.leaderboard.submissions import submit
from bench.meters.replay import ReplayTrace
from bench.results import storage
from bench.results.calibration import energy_ratio, instrument_id
from bench.results.escaping import csv_safe
from bench.results.machine_record import card_id
from bench.results.record import Failure, Result
from bench.results.warning_catalogue import make_warning

FAILURE = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def board(results):
    return ranking.rank_entries(board_entry.entries_of(results))


def document(results):
    return board_document(board(results))


def ranks(results):
    (task,) = document(results)["tasks"]
    return {row["model"]["id"]: row["rank"] for group in task["groups"] for row in group["rows"]}


def saved(tmp_path, result, name="result.json"):
    storage.save_result(result, tmp_path / name)
    return tmp_path / name


def edited(tmp_path, result, edit):
    content = result.model_dump(mode="json")
    edit(content)
    path = tmp_path / "edited.json"
    path.write_text(json.dumps(content))
    return path


# Stars


@pytest.mark.parametrize(
    ("energies", "expected"),
    [
        ([], []),
        ([0.7], [5]),
        ([0.7, 0.7], [5, 5]),
        ([0.0, 10.0], [5, 1]),
        (
            [0.0, 1.9, 2.0, 3.9, 4.0, 5.9, 6.0, 7.9, 8.0, 9.9, 10.0],
            [5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 1],
        ),
        ([3.0, 1.0, 2.0], [1, 5, 3]),
        ([1.0, 2.0, 3.0, 1000.0], [5, 5, 5, 1]),
    ],
)
def test_stars_are_five_bands_of_equal_width(energies, expected):
    assert grading.stars(energies) == expected


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_stars_refuse_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="finite"):
        grading.stars([1.0, bad])


def published_groups():
    """The groups of AI Energy Score: a task, and for text generation a model class."""
    groups = {}
    for row in published.rows():
        if row.study.key == "ai-energy-score" and row.stars is not None:
            groups.setdefault((row.task, row.model_class), []).append(row)
    return groups


def test_stars_are_those_that_ai_energy_score_published():
    groups = published_groups()
    assert len({task for task, _ in groups}) == 7 and sum(map(len, groups.values())) > 100
    for rows in groups.values():
        energies = [row.energy_kwh_per_1000 for row in rows]
        assert grading.stars(energies) == [row.stars for row in rows]


def test_where_stars_saturate_the_grade_does_not():
    (rows,) = (
        rows for (task, _), rows in published_groups().items() if task == "question-answering"
    )
    energies = [row.energy_kwh_per_1000 for row in rows]
    assert grading.stars(energies).count(5) >= len(rows) - 3
    assert len(set(grading.grades(energies))) >= 4


@pytest.mark.parametrize(
    ("energies", "expected"),
    [
        ([], []),
        ([0.3], ["A"]),
        ([1.0, 1.999, 2.0, 3.999, 4.0, 8.0], ["A", "A", "B", "B", "C", "D"]),
        ([8e-9, 1e-9], ["D", "A"]),
        ([1.0, 2.0**25, 2.0**26, 2.0**52], ["A", "Z", "AA", "BA"]),
    ],
)
def test_a_grade_is_a_letter_for_every_doubling(energies, expected):
    assert grading.grades(energies) == expected


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_grades_refuse_what_has_no_logarithm(bad):
    with pytest.raises(ValueError, match="positive"):
        grading.grades([1.0, bad])


# Ranks and ties


def test_clear_differences_rank_in_order():
    found = ranks([result_with_energy(e, model=m) for e, m in ((0.3, "c"), (0.1, "a"), (0.2, "b"))])
    assert found == {"a": 1, "b": 2, "c": 3}


def test_a_chain_of_ties_is_one_plus_the_number_of_better_ones():
    chain = [
        result_with_energy(e, 0.01, model=m) for e, m in ((0.100, "a"), (0.102, "b"), (0.104, "c"))
    ]
    a, b, c = chain
    assert energy_ratio(a, b).high > 1 and energy_ratio(b, c).high > 1
    assert energy_ratio(a, c).high < 1
    assert ranks(chain) == {"a": 1, "b": 1, "c": 2}
    (task,) = board(chain).tasks
    assert [entry.row.tied for entry in task.groups[0].entries] == [True, True, True]


def test_after_a_tie_the_rank_counts_those_who_are_better():
    made = [(0.1, 0.02, "a"), (0.101, 0.02, "b"), (0.9, 0.001, "c")]
    assert ranks([result_with_energy(e, s, model=m) for e, s, m in made]) == {
        "a": 1,
        "b": 1,
        "c": 3,
    }


def test_gain_cancels_on_one_card_and_enters_twice_between_two():
    def pair(other):
        return [
            result_with_energy(0.100, 0.001, model="a"),
            result_with_energy(0.107, 0.001, model="b", uuid=other),
        ]

    assert ranks(pair("GPU-0")) == {"a": 1, "b": 2}
    assert ranks(pair("GPU-1")) == {"a": 1, "b": 1}
    assert ranks(
        [
            result_with_energy(0.100, 0.001, model="a", uuid=None),
            result_with_energy(0.107, 0.001, model="b", uuid=None),
        ]
    ) == {"a": 1, "b": 1}
    far = [
        result_with_energy(0.100, 0.001, model="a"),
        result_with_energy(0.13, 0.001, model="b", uuid="GPU-1"),
    ]
    assert ranks(far) == {"a": 1, "b": 2}


def with_host(result, cpu="Synthetic CPU 9000", packages=1, gpus=1):
    """The result with the host's processors in the boundary, and more GPUs."""
    content = result.model_dump()
    (gpu,), (sensor,) = content["machine"]["devices"], content["machine"]["sensors"]
    more = [
        {**gpu, "domain": f"gpu:{i}", "card_id": card_id(str(i)) if gpu["card_id"] else None}
        for i in range(1, gpus)
    ]
    hosts = [
        {
            **gpu,
            "domain": f"cpu-package:{i}",
            "name": cpu,
            "card_id": None,
            "power_limit_watts": None,
        }
        for i in range(packages)
    ]
    devices = (gpu, *more, *hosts)
    domains = tuple(device["domain"] for device in devices)
    content["machine"] |= {"devices": devices, "sensors": ({**sensor, "domains": domains},)}
    content["machine"]["cpu_name"] = cpu
    content["boundary"] = {"domains": domains, "kind": "measured"}
    return with_derived_warnings(Result.model_validate(content))


@pytest.mark.parametrize(
    ("mine", "other", "same"),
    [
        ({}, {}, True),
        ({"gpus": 2}, {"gpus": 2}, True),
        ({}, {"cpu": "Another CPU"}, False),
        ({}, {"packages": 2}, False),
        ({}, {"gpus": 2}, False),
        ({}, {"uuid": "GPU-1"}, False),
        ({"uuid": None}, {"uuid": None}, False),
    ],
)
def test_the_cards_of_a_machine_speak_for_its_processors(mine, other, same):
    def made(energy, uuid="GPU-0", **host):
        return with_host(result_with_energy(energy, 0.001, uuid=uuid), **host)

    a, b = made(0.100, **mine), made(0.107, **other)
    assert (energy_ratio(a, b).high < 1) == same
    assert is_significantly_less(make_ranking_key(a), make_ranking_key(b)) == same


def test_processors_alone_are_never_told_apart():
    def made(energy):
        content = with_host(result_with_energy(energy, 0.001)).model_dump()
        content["machine"]["devices"] = [
            {**device, "card_id": card_id("me")} for device in content["machine"]["devices"][1:]
        ]
        content["boundary"]["domains"] = ("cpu-package:0",)
        return Result.model_validate(content)

    a, b = made(0.100), made(0.107)
    assert instrument_id(a) is None
    assert energy_ratio(a, b).high > 1


def test_a_gpu_without_a_card_id_could_be_any():
    def made(energy):
        content = with_host(result_with_energy(energy, 0.001), gpus=2).model_dump()
        content["machine"]["devices"][1]["card_id"] = None
        return Result.model_validate(content)

    assert energy_ratio(made(0.100), made(0.107)).high > 1


def test_a_processor_outside_the_boundary_does_not_matter():
    a, b = (result_with_energy(e, 0.001, model=str(e)) for e in (0.100, 0.107))
    moved = b.machine.model_copy(update={"cpu_name": "Another CPU"})
    assert energy_ratio(a, b.model_copy(update={"machine": moved})).high < 1


def test_gain_twice_is_the_root_of_two_of_gain_once():
    a, b = (result_with_energy(0.1, 1e-9, model=m, uuid=m) for m in "ab")
    wide = energy_ratio(a, b).high
    assert wide == pytest.approx(2.718281828 ** (1.959964 * 0.05 * (2 / 3) ** 0.5), rel=1e-6)


def test_ranking_and_comparing_agree_on_every_pair():
    dice = random.Random(7)
    many = [
        result_with_energy(
            dice.uniform(0.1, 0.13),
            dice.choice((0.001, 0.02)),
            uuid=dice.choice(("GPU-0", "GPU-1", None)),
            calibration=dice.choice((0.0, 0.01, 0.05)),
            model=f"m{i}",
        )
        for i in range(40)
    ]
    marks = [make_ranking_key(result) for result in many]
    table = [[is_significantly_less(x, y) for y in marks] for x in marks]
    compared = [[energy_ratio(a, b).high < 1 for b in many] for a in many]
    assert table == compared and {True, False} == {x for line in table for x in line}
    better, worse = count_better_and_worse(marks)
    assert worse == [sum(line) for line in table]
    assert better == [sum(column) for column in zip(*table, strict=True)]


def test_a_large_group_is_counted_as_if_each_pair_were_looked_at():
    dice = random.Random(3)
    cards = [None, *((frozenset({f"GPU-{i}"}), None) for i in range(5))]
    marks = [
        RankingKey(
            dice.gauss(0, 0.2),
            dice.choice((0.0, 1e-6, dice.uniform(0.001, 0.05), 2.0)),
            dice.choice((0.0, 0.05, 0.3)),
            dice.choice(cards),
        )
        for _ in range(700)
    ]
    better, worse = count_better_and_worse(marks)
    assert worse == [sum(is_significantly_less(mine, other) for other in marks) for mine in marks]
    assert better == [sum(is_significantly_less(other, mine) for other in marks) for mine in marks]


def test_a_hundred_thousand_equals_are_ranked_in_seconds():
    dice = random.Random(4)
    marks = [
        RankingKey(dice.gauss(0, 0.5), dice.uniform(0.001, 0.05), 0.05, None)
        for _ in range(100_000)
    ]
    started = time.process_time()
    better, worse = count_better_and_worse(marks)
    assert time.process_time() - started < 30
    least = min(range(len(marks)), key=lambda i: marks[i].log_energy)
    assert better[least] == 0 and worse[least] > 90_000


@pytest.mark.parametrize(
    "other",
    [
        {"device": "NVIDIA A100-SXM4-80GB"},
        {"limit": 500.0},
        {"dataset": "standard"},
        {"task": "text-gen"},
    ],
)
def test_only_equals_share_a_group(other):
    pair = [result_with_energy(0.1, model="a"), result_with_energy(0.2, model="b", **other)]
    groups = [group for task in board(pair).tasks for group in task.groups]
    assert [[entry.row.rank for entry in group.entries] for group in groups] == [[1], [1]]


def test_the_slot_of_a_card_does_not_matter():
    assert ranks(
        [result_with_energy(0.1, model="a"), result_with_energy(0.2, model="b", slot=3)]
    ) == {
        "a": 1,
        "b": 2,
    }


# Listed without rank


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"kind": "modelled"}, "modelled"),
        ({"weights": "random"}, "random"),
        ({"profile": "quick"}, "quick"),
        ({"failure": FAILURE}, "CUDA ran out of memory"),
        (
            {"reading_warnings": (make_warning("foreign-process", count=1, domain="gpu:0"),)},
            "process",
        ),
    ],
)
def test_what_cannot_be_compared_is_listed_and_says_why(tmp_path, options, word):
    result = (
        synthetic_result(**options) if "energies" in options else result_with_energy(0.1, **options)
    )
    (task,) = document([result, result_with_energy(0.2, model="ranked")])["tasks"]
    (row,) = task["listed"]
    assert row["rank"] is None and word in " ".join(row["why_not_ranked"])
    assert [r["rank"] for group in task["groups"] for r in group["rows"]] == [1]
    verdict = validation.validate_file(saved(tmp_path, result))
    assert verdict.refusals == () and word in " ".join(verdict.rank_obstacles)


def test_the_listed_are_ordered_by_energy_and_failures_come_last():
    made = [result_with_energy(e, model=m, kind="modelled") for e, m in ((0.2, "b"), (0.1, "a"))]
    failed = synthetic_result(model="f", energies=[], failure=FAILURE)
    (task,) = document([failed, *made])["tasks"]
    assert [row["model"]["id"] for row in task["listed"]] == ["a", "b", "f"]


# Refused


def _set(*keys_and_value):
    *keys, last, value = keys_and_value

    def edit(content):
        for key in keys:
            content = content[key]
        content[last] = value

    return edit


def _better(content):
    energy = content["summary"]["energy_kwh_per_1000"]
    energy["value"] = energy["value"] * (1 - 1e-6)


def _second_gpu(content):
    first = content["machine"]["devices"][0]
    content["machine"]["devices"].append({**first, "domain": "gpu:1", "card_id": card_id("GPU-1")})


REFUSED = {
    "another digit in the summary": (_better, "energy_kwh_per_1000"),
    "an edited trial": (
        _set("trials", 4, "readings", 0, "energy_joules", 2999.0),
        "Irreproducible",
    ),
    "no summary figure": (_set("summary", "energy_kwh_per_1000", None), "Irreproducible"),
    "a warning left out": (_set("warnings", []), "warnings"),
    "a rank of its own making": (_set("rankable", False), "rank"),
    "an unknown field": (_set("sponsor", "me"), "Unreadable"),
    "a future schema": (_set("schema_version", 99), "Unreadable"),
    "NaN": (_set("trials", 3, "duration_seconds", float("nan")), "Unreadable"),
    "negative time": (_set("trials", 3, "duration_seconds", -1.0), "Unreadable"),
    "a path in the task": (_set("task", "id", "../../etc"), "task id"),
    "an unknown unit": (_set("task", "unit", "smile"), "recomputed"),
    "value outside its interval": (
        _set("summary", "energy_kwh_per_1000", "high", 0.0),
        "Unreadable",
    ),
    "quality outside its interval": (_set("quality", "value", 0.99), "quality"),
    "quality beyond 1": (_set("quality", "high", 7.0), "quality"),
    "more parameters than atoms": (_set("model", "parameter_count", 10**400), "integer"),
    "a scale error beyond sense": (
        _set("calibration", "relative_half_width", 1e300),
        "calibration uncertainty",
    ),
    "a limit beyond sense": (
        _set("machine", "devices", 0, "power_limit_watts", 1e300),
        "power limit",
    ),
    "energy that overflows": (
        lambda content: [
            reading.update(energy_joules=1e308)
            for trial in content["trials"]
            for reading in trial["readings"]
        ],
        "Impossible",
    ),
    "energy that all but vanishes": (
        _set("trials", 5, "readings", 0, "energy_joules", 1e-300),
        "Impossible",
    ),
    "a trial that took no time": (_set("trials", 5, "duration_seconds", 0.0), "took 0 s"),
    "a boundary called modelled": (_set("boundary", "kind", "modelled"), "Impossible"),
    "a modelled reading called measured": (
        _set("trials", 3, "readings", 0, "method", "modelled"),
        "modelled",
    ),
    "a domain left out of the boundary": (
        _set("machine", "sensors", 0, "domains", ["gpu:0", "cpu-package:0"]),
        "boundary is not",
    ),
    "a GPU left out of the boundary": (_second_gpu, "boundary is not"),
    "a smaller scale error": (
        _set("calibration", "relative_half_width", 0.001),
        "calibration uncertainty is not",
    ),
    "no scale error": (_set("calibration", None), "calibration uncertainty is not"),
    "fewer trials than the profile asks for": (_set("protocol", "min_trials", 2), "fewer trials"),
    "a wider target": (_set("protocol", "target_relative_half_width", 0.2), "wider target"),
    "the target of another profile": (_set("profile", "strict"), "wider target than a strict"),
    "a lower confidence level": (_set("protocol", "confidence_level", 0.5), "lower confidence"),
    "shorter windows": (_set("protocol", "window_seconds", 1.0), "shorter windows"),
    "windows too short for the sensor": (
        _set("machine", "sensors", 0, "step_seconds", 0.2),
        "shorter windows",
    ),
    "a shorter block": (_set("protocol", "max_inferences", 1), "fewer inferences"),
    "another unit than the task's": (_set("task", "unit", "inference"), "counts images"),
    "an end before enough trials": (_set("protocol", "min_trials", 7), "ended after 6 trials"),
    "an end at trials it has not": (_set("stop_reason", "trials"), "6 trials are not the 30"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path, case):
    edit, word = REFUSED[case]
    honest = result_with_energy(0.01, 0.05)
    assert honest.warnings, "the case needs a warning to leave out"
    assert validation.validate_file(saved(tmp_path, honest)).refusals == ()
    path = edited(tmp_path, honest, edit)
    verdict = validation.validate_file(path)
    assert word in " ".join(verdict.refusals)
    with pytest.raises(submissions.SubmissionRefused, match=word):
        submit(path, tmp_path / "submissions")
    assert not (tmp_path / "submissions").exists()


@pytest.mark.parametrize("profile", [{}, {"strict": True}, {"quick": True}])
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.3])
def test_what_a_run_writes_is_never_refused(tmp_path, profile, noise):
    steady = ReplayTrace([0.0], [250.0])
    for budget in (20.0, 150.0):
        config = CONFIG.with_changes(**profile, budget_seconds=budget)
        result = virtual_run(steady, config=config, noise=noise)
        assert result.status == "done"
        assert validation.validate_file(saved(tmp_path, result)).refusals == ()


def test_what_a_quick_run_may_do_and_an_unknown_task_count_is_not_refused(tmp_path):
    quick = result_with_energy(0.1, profile="quick")
    short = {"window_seconds": 0.5, "max_inferences": 4}
    quick = with_derived_warnings(
        quick.model_copy(update={"protocol": quick.protocol.model_copy(update=short)})
    )
    strict = result_with_energy(0.1, 0.001, profile="strict")
    for update in ({"id": "unheard-of"}, {"version": 99}):
        other = result_with_energy(0.1, task="text-classification")
        task = other.task.model_copy(update=update)
        for result in (quick, strict, other.model_copy(update={"task": task})):
            assert validation.validate_file(saved(tmp_path, result)).refusals == ()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"energies": [0.0] * 5}, "0 J"),
        ({"energies": [-3000.0] * 5}, "-3000 J"),
        ({"energies": [9000.0] * 5}, "900 W, above 1.1 times 700 W"),
    ],
)
def test_the_impossible_is_refused(tmp_path, options, word):
    verdict = validation.validate_file(saved(tmp_path, synthetic_result(**options)))
    assert word in " ".join(verdict.refusals)


@pytest.mark.parametrize(("joules", "refused"), [(0.0, False), (-1.0, True), (1e9, True)])
def test_an_unused_gpu_may_rest(tmp_path, joules, refused):
    content = result_with_energy(0.1).model_dump()
    (device,) = content["machine"]["devices"]
    content["machine"]["devices"] += (
        {**device, "domain": "gpu:1", "card_id": card_id("b"), "used": False},
    )
    for trial in content["trials"]:
        resting = {**trial["readings"][0], "domain": "gpu:1", "energy_joules": joules}
        trial["readings"] += (resting,)
    verdict = validation.validate_file(
        saved(tmp_path, with_derived_warnings(Result.model_validate(content)))
    )
    assert bool(verdict.refusals) == refused
    assert all("gpu:1: a mean of" in reason for reason in verdict.refusals)


def test_a_warning_whose_weight_was_changed_is_refused(tmp_path):
    light = make_warning("foreign-process", count=1, domain="gpu:0").model_copy(
        update={"blocks_ranking": False}
    )
    verdict = validation.validate_file(
        saved(tmp_path, result_with_energy(0.1, reading_warnings=(light,)))
    )
    assert "another `blocks_ranking`" in " ".join(verdict.refusals)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"1e999", b" " * 10_000_001]
)
def test_what_is_no_result_is_refused(tmp_path, content):
    path = tmp_path / "strange.json"
    path.write_bytes(content)
    verdict = validation.validate_file(path)
    assert verdict.result is None and "Unreadable" in verdict.refusals[0]


def test_a_missing_file_is_refused(tmp_path):
    assert "Unreadable" in validation.validate_file(tmp_path / "nothing.json").refusals[0]


# Submissions


def test_a_submission_is_named_by_its_content_and_passes_again(tmp_path):
    result = result_with_energy(0.1)
    path, _ = submit(saved(tmp_path, result), tmp_path / "submissions")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    assert path == tmp_path / "submissions" / "image-gen" / f"{digest}.json"
    assert storage.load_result(path) == result
    found = verification.collect_results(tmp_path / "submissions")
    assert found.results == [result] and found.refused == {}


def test_duplicates_are_refused(tmp_path):
    result = result_with_energy(0.1)
    folder = tmp_path / "submissions"
    submit(saved(tmp_path, result), folder)
    renamed = result.model_copy(update={"run_id": "0" * 12})
    other_trials = result_with_energy(0.2).model_copy(update={"run_id": result.run_id})
    for twin, word in ((result, "run id"), (renamed, "same trials"), (other_trials, "run id")):
        with pytest.raises(submissions.SubmissionRefused, match=word):
            submit(saved(tmp_path, twin), folder)
    assert len(list(folder.glob("*/*"))) == 1


def test_a_broken_neighbour_does_not_stop_a_submission(tmp_path):
    folder = tmp_path / "submissions"
    (folder / "image-gen").mkdir(parents=True)
    (folder / "image-gen" / "broken.json").write_text("{")
    path, _ = submit(saved(tmp_path, result_with_energy(0.1)), folder)
    found = verification.collect_results(folder)
    assert len(found.results) == 1 and [p.name for p in found.refused] == ["broken.json"]
    assert path.exists()


def test_an_edited_or_misplaced_submission_is_left_out_with_its_reason(tmp_path):
    folder = tmp_path / "submissions"
    path, _ = submit(saved(tmp_path, result_with_energy(0.1)), folder)
    os.rename(path, path.with_name("0123456789abcdef.json"))
    found = verification.collect_results(folder)
    assert found.results == []
    assert "name" in found.refused[path.with_name("0123456789abcdef.json")][0]


# Files


def hostile():
    return [
        result_with_energy(0.2, model="=HYPERLINK(1)"),
        result_with_energy(0.1, model="a|b `c` <script>alert(1)</script>\n# head"),
        result_with_energy(0.3, model="[x](http://evil.example)"),
        synthetic_result(model="f", energies=[], failure=FAILURE),
        result_with_energy(0.05, model="m", kind="modelled"),
    ]


def test_the_same_results_give_the_same_bytes_in_any_order(tmp_path):
    results = hostile()
    first = board_files.write_board(board(results), tmp_path / "a")
    random.Random(1).shuffle(results)
    second = board_files.write_board(board(results), tmp_path / "b")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    names = {str(path.relative_to(tmp_path / "a")) for path in first}
    assert names >= {"leaderboard.json", "leaderboard.csv", "leaderboard.md", "site/index.html"}


def test_the_board_fits_its_schema_which_is_shipped(tmp_path):
    shipped = Path(leaderboard.__file__).parent / "leaderboard.schema.json"
    schema = json.loads(shipped.read_text())
    assert schema == board_files.board_schema(), "make generated"
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    board_files.write_board(board(hostile()), tmp_path)
    content = json.loads((tmp_path / "leaderboard.json").read_text())
    validator.validate(content)
    validator.validate(document([]))
    row = content["tasks"][0]["groups"][0]["rows"][0]
    for wrong in ({"sponsor": "me"}, {"rank": "1"}, {"kind": "guessed"}):
        row_before = dict(row)
        row |= wrong
        assert not validator.is_valid(content)
        row.clear()
        row |= row_before


def test_what_others_published_stands_apart(tmp_path):
    content = document([result_with_energy(0.1)])
    keys = {study["key"] for study in content["published"]}
    assert keys == {"ai-energy-score", "power-hungry", "ml-energy-v2"}, "v3 may not ship"
    assert all(study["boundary"] and study["licence"] for study in content["published"])
    names = {row["model"] for study in content["published"] for row in study["rows"]}
    ours = {r["model"]["id"] for g in content["tasks"][0]["groups"] for r in g["rows"]}
    assert len(names) > 100 and not names & ours
    board_files.write_board(board([result_with_energy(0.1)]), tmp_path)
    assert "not ranked with these results" in (tmp_path / "leaderboard.md").read_text()
    assert len((tmp_path / "leaderboard.csv").read_text().splitlines()) == 2


def test_an_empty_board_is_written_too(tmp_path):
    board_files.write_board(board([]), tmp_path)
    assert json.loads((tmp_path / "leaderboard.json").read_text())["tasks"] == []
    assert "No submissions yet" in (tmp_path / "leaderboard.md").read_text()


def test_csv_cells_are_not_run_by_a_spreadsheet(tmp_path):
    board_files.write_board(board(hostile()), tmp_path)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "leaderboard.csv").read_text())))
    assert len(rows) == 5
    assert "'=HYPERLINK(1)" in {row["model"] for row in rows}
    for start in "=+-@\t\r\n":
        assert csv_safe(f"{start}1").startswith("'")
    assert csv_safe(-1.5) == -1.5


def test_markdown_shows_strange_names_as_words(tmp_path):
    board_files.write_board(board(hostile()), tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    assert "<script>" not in text and "[x](http" not in text and "\n# head" not in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.count(" | ") in (13, 14) for line in tables)


def test_how_a_model_was_run_stands_beside_its_figures(tmp_path):
    found = board(
        [
            result_with_energy(0.1, dtype="bfloat16", batch=8, steps=20),
            result_with_energy(0.2, dtype=None),
        ]
    )
    board_files.write_board(found, tmp_path)
    (group,) = board_document(found)["tasks"][0]["groups"]
    first, second = group["rows"]
    assert (first["model"]["dtype"], first["backend"]) == ("bfloat16", "diffusers")
    assert (first["batch_size"], first["steps"]) == (8, 20)
    assert (second["model"]["dtype"], second["batch_size"], second["steps"]) == (None, 1, None)
    table = list(csv.DictReader(io.StringIO((tmp_path / "leaderboard.csv").read_text())))
    names = ("dtype", "backend", "batch_size", "steps")
    assert [[row[n] for n in names] for row in table] == [
        ["bfloat16", "diffusers", "8", "20"],
        ["", "diffusers", "1", ""],
    ]
    text = (tmp_path / "leaderboard.md").read_text()
    assert "| bfloat16 · diffusers · batch 8 · 20 steps |" in text
    assert "| diffusers · batch 1 |" in text


@pytest.mark.parametrize("odd", [True, "eight", 8.5, [8], None])
def test_a_setting_that_is_no_whole_number_is_left_out(odd):
    result = result_with_energy(0.1)
    model = result.model.model_copy(update={"settings": {"batch_size": odd}})
    results = [result.model_copy(update={"model": model})]
    (row,) = document(results)["tasks"][0]["groups"][0]["rows"]
    assert row["batch_size"] is None


def test_the_document_says_what_the_figures_rest_on(tmp_path):
    content = document([result_with_energy(0.019, model="a")])
    (row,) = content["tasks"][0]["groups"][0]["rows"]
    assert row["phone_charges_per_1000"]["value"] == pytest.approx(1.0)
    assert row["grams_co2e_per_1000"]["FR"]["value"] == pytest.approx(0.019 * 44.18)
    assert "EPA" in content["phone_charge"]["edition"]
    assert content["grids"]["US-WV"]["basis"] == "direct combustion"
    assert row["stars"] == 5 and row["kind"] == "measured"


def test_charges_and_grams_carry_both_intervals(tmp_path):
    results = [result_with_energy(0.019, 0.001, model="a")]
    (row,) = document(results)["tasks"][0]["groups"][0]["rows"]
    energy, whole = row["energy_kwh_per_1000"], row["energy_with_calibration_kwh_per_1000"]
    for found, factor in (
        (row["phone_charges_per_1000"], 1 / 0.019),
        (row["grams_co2e_per_1000"]["world"], 472.94),
    ):
        assert found["low"] == pytest.approx(energy["low"] * factor)
        assert found["low_with_calibration"] == pytest.approx(whole["low"] * factor)
        assert found["high_with_calibration"] == pytest.approx(whole["high"] * factor)
        assert (
            found["low_with_calibration"]
            < found["low"]
            < found["high"]
            < found["high_with_calibration"]
        )
    board_files.write_board(board(results), tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    assert "| 1.00 (0.95 to 1.05) | 9.0 (8.5 to 9.4) |" in text


def test_markdown_gives_every_figure_its_interval(tmp_path):
    board_files.write_board(board([result_with_energy(0.019, 0.001, model="a")]), tmp_path)
    (line,) = [x for x in (tmp_path / "leaderboard.md").read_text().splitlines() if "| a |" in x]
    cells = line.split(" | ")
    assert all(" to " in cell for cell in cells[6:]), cells


def test_made_results_are_consistent():
    result = result_with_energy(0.1)
    assert with_derived_warnings(result) == result
    assert result.summary.energy_kwh_per_1000.value == pytest.approx(0.1)
