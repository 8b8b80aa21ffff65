"""Validation of one record: what is refused, and what is accepted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from boards import (
    document_of,
    save,
    save_edited,
    set_field,
)
from synthetic_results import result_with_energy, with_derived_warnings
from virtual_run import CONFIG, virtual_run

from bench.leaderboard import (
    submissions,
    validation,
)
from bench.leaderboard.submissions import submit
from bench.meters.replay import ReplayTrace
from bench.results import statistics, storage, versions, warning_rules
from bench.results.analysis_versions import PARAMETERS, analysis_parameters
from bench.results.machine_record import card_id
from bench.results.record import Failure

FAILURE = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def lower_energy(content):
    energy = content["summary"]["energy_kwh_per_1000"]
    energy["value"] = energy["value"] * (1 - 1e-6)


def add_second_gpu(content):
    first = content["machine"]["devices"][0]
    content["machine"]["devices"].append({**first, "domain": "gpu:1", "card_id": card_id("GPU-1")})


REFUSED = {
    "another digit in the summary": (lower_energy, "energy_kwh_per_1000"),
    "an edited trial": (
        set_field("trials", 4, "readings", 0, "energy_joules", 2999.0),
        "Irreproducible",
    ),
    "no summary figure": (set_field("summary", "energy_kwh_per_1000", None), "Irreproducible"),
    "a warning left out": (set_field("warnings", []), "warnings"),
    "a rank of its own making": (set_field("rankable", False), "rank"),
    "an unknown field": (set_field("sponsor", "me"), "Unreadable"),
    "a future schema": (set_field("schema_version", 99), "Unreadable"),
    "NaN": (set_field("trials", 3, "duration_seconds", float("nan")), "Unreadable"),
    "negative time": (set_field("trials", 3, "duration_seconds", -1.0), "Unreadable"),
    "a path in the task": (set_field("task", "id", "../../etc"), "task id"),
    "an unknown unit": (set_field("task", "unit", "smile"), "recomputed"),
    "value outside its interval": (
        set_field("summary", "energy_kwh_per_1000", "high", 0.0),
        "Unreadable",
    ),
    "quality outside its interval": (set_field("quality", "value", 0.99), "quality"),
    "quality beyond 1": (set_field("quality", "high", 7.0), "quality"),
    "more parameters than atoms": (set_field("model", "parameter_count", 10**400), "integer"),
    "a scale error beyond sense": (
        set_field("calibration", "relative_half_width", 1e300),
        "calibration uncertainty",
    ),
    "a limit beyond sense": (
        set_field("machine", "devices", 0, "power_limit_watts", 1e300),
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
        set_field("trials", 5, "readings", 0, "energy_joules", 1e-300),
        "Impossible",
    ),
    "a trial that took no time": (set_field("trials", 5, "duration_seconds", 0.0), "took 0 s"),
    "a boundary called modelled": (set_field("boundary", "kind", "modelled"), "Impossible"),
    "a modelled reading called measured": (
        set_field("trials", 3, "readings", 0, "method", "modelled"),
        "modelled",
    ),
    "a domain left out of the boundary": (
        set_field("machine", "sensors", 0, "domains", ["gpu:0", "cpu-package:0"]),
        "boundary is not",
    ),
    "a GPU left out of the boundary": (add_second_gpu, "boundary is not"),
    "a smaller scale error": (
        set_field("calibration", "relative_half_width", 0.001),
        "calibration uncertainty is not",
    ),
    "no scale error": (set_field("calibration", None), "calibration uncertainty is not"),
    "fewer trials than the profile asks for": (
        set_field("protocol", "min_trials", 2),
        "fewer trials",
    ),
    "a wider target": (set_field("protocol", "target_relative_half_width", 0.2), "wider target"),
    "the target of another profile": (set_field("profile", "strict"), "wider target than a strict"),
    "a lower confidence level": (
        set_field("protocol", "confidence_level", 0.5),
        "lower confidence",
    ),
    "shorter windows": (set_field("protocol", "window_seconds", 1.0), "shorter windows"),
    "windows too short for the sensor": (
        set_field("machine", "sensors", 0, "step_seconds", 0.2),
        "shorter windows",
    ),
    "a shorter block": (set_field("protocol", "max_inferences", 1), "fewer inferences"),
    "another unit than the task's": (set_field("task", "unit", "inference"), "counts images"),
    "an end before enough trials": (
        set_field("protocol", "min_trials", 11),
        "ended after 10 trials",
    ),
    "an end at trials it has not": (set_field("stop_reason", "trials"), "10 trials are not the 50"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_edited_record_is_refused(tmp_path, case):
    edit, word = REFUSED[case]
    honest = result_with_energy(0.01, 0.05)
    assert honest.warnings, "the case needs a warning to leave out"
    assert validation.validate_file(save(tmp_path, honest)).refusals == ()
    path = save_edited(tmp_path, honest, edit)
    report = validation.validate_file(path)
    assert word in " ".join(report.refusals)
    with pytest.raises(submissions.SubmissionRefused, match=word):
        submit(path, tmp_path / "submissions")
    assert not (tmp_path / "submissions").exists()


@pytest.mark.parametrize("profile", [{}, {"strict": True}, {"quick": True}, {"max_inferences": 2}])
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.3])
def test_record_of_a_run_is_accepted(tmp_path, profile, noise):
    steady = ReplayTrace([0.0], [250.0])
    for budget in (20.0, 150.0):
        config = CONFIG.with_changes(**profile, budget_seconds=budget)
        result = virtual_run(steady, config=config, noise=noise)
        assert result.status == "done"
        assert validation.validate_file(save(tmp_path, result)).refusals == ()


def test_quick_run_and_unknown_task_are_accepted(tmp_path):
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
            assert validation.validate_file(save(tmp_path, result)).refusals == ()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"1e999", b" " * 10_000_001]
)
def test_file_that_is_no_result_is_refused(tmp_path, content):
    path = tmp_path / "strange.json"
    path.write_bytes(content)
    report = validation.validate_file(path)
    assert report.result is None and "Unreadable" in report.refusals[0]


def test_missing_file_is_refused(tmp_path):
    assert "Unreadable" in validation.validate_file(tmp_path / "nothing.json").refusals[0]


GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("version", range(1, versions.SCHEMA_VERSION + 1))
def test_record_of_every_schema_version_is_accepted_and_ranked(version):
    path = GOLDEN / f"result-v{version}.json"
    report = validation.validate_file(path)
    assert not {issue.severity for issue in report.issues} & {"refused", "no-rank"}
    assert report.result.model.id == "golden/one" and report.result.schema_version == 2
    assert report.result.summary.energy_kwh_per_1000.value == pytest.approx(0.0123)
    (task,) = document_of([report.result])["tasks"]
    assert task["groups"][0]["rows"][0]["rank"] == 1


def test_golden_record_of_the_current_version_is_written_unchanged():
    text = (GOLDEN / f"result-v{versions.SCHEMA_VERSION}.json").read_text()
    assert storage.canonical_json(storage.parse_result(text)) == text


@pytest.mark.parametrize(
    ("version", "words"),
    [(3, "a newer JouleBench can read it"), (0, "known is 2"), ("null", "None")],
)
def test_unknown_schema_version_is_refused(tmp_path, version, words):
    text = (GOLDEN / "result-v1.json").read_text()
    path = tmp_path / "other.json"
    path.write_text(text.replace('"schema_version":1', f'"schema_version":{version}'))
    (reason,) = validation.validate_file(path).refusals
    assert words in reason


@pytest.mark.parametrize("path", sorted((GOLDEN / "v1").glob("*.json")), ids=lambda path: path.stem)
def test_version_1_record_is_accepted(path):
    report = validation.validate_file(path)
    assert report.refusals == () and report.result.analysis_version == 1


def scale_summary(factor):
    """An edit that multiplies the energy in the summary."""

    def edit(content):
        energy = content["summary"]["energy_kwh_per_1000"]
        energy |= {end: energy[end] * factor for end in ("value", "low", "high")}

    return edit


@pytest.mark.parametrize(("error", "accepted"), [(1e-12, True), (-1e-10, True), (1e-8, False)])
def test_summary_is_compared_with_a_relative_tolerance(tmp_path, error, accepted):
    path = save_edited(tmp_path, result_with_energy(0.1), scale_summary(1 + error))
    assert (validation.validate_file(path).refusals == ()) == accepted


def test_wording_of_warnings_and_calibration_is_not_compared(tmp_path):
    def reword(content):
        content["calibration"]["source"] = "another wording"
        for warning in content["warnings"]:
            warning |= {"message": "Another wording.", "remedy": "Another remedy."}

    result = result_with_energy(0.01, 0.05)
    assert result.warnings and result.calibration.source != "another wording"
    assert validation.validate_file(save_edited(tmp_path, result, reword)).refusals == ()


def test_record_is_validated_by_the_analysis_version_that_it_states(tmp_path, monkeypatch):
    newer = dataclasses.replace(analysis_parameters(2), t_confidence=0.99, max_power_ratio=0.1)
    monkeypatch.setitem(PARAMETERS, 3, newer)
    old = result_with_energy(0.1, 0.001)
    assert validation.validate_file(save(tmp_path, old)).refusals == ()
    relabelled = old.model_copy(update={"analysis_version": 3})
    refusals = " ".join(validation.validate_file(save(tmp_path, relabelled)).refusals)
    assert "energy_kwh_per_1000 is not what the trials give" in refusals
    assert "the warnings are not those of the record (power-implausible-high)" in refusals
    summary = statistics.summarize(old.trials, old.boundary, old.idle, old.task.unit, 3)
    new = relabelled.model_copy(
        update={
            "summary": summary,
            "warnings": warning_rules.derive_warnings(relabelled),
            "rankable": False,
        }
    )
    assert validation.validate_file(save(tmp_path, new)).refusals == ()


def test_unknown_analysis_version_is_refused(tmp_path):
    path = save_edited(tmp_path, result_with_energy(0.1), set_field("analysis_version", 99))
    (message,) = validation.validate_file(path).refusals
    assert "analysis version 99 is not one" in message
