"""Life cycles of plans, published trainings and results: sums, unknown stages, bad input."""

from __future__ import annotations

import json

import pytest
from command_line import error_of, joulebench
from synthetic_results import synthetic_result

from bench.impact import (
    lifecycle,
    lifecycle_plan,
    per_inference,
    sci,
)
from bench.results import storage
from bench.results.interval import Interval

PLAN = """
name = "example"
region = "FR"
pue = 1.25
[training]
hardware = "H100 SXM"
count = 8
hours = 1000
watts = 500
[idle]
kilowatts = 2
[deployment]
inferences_per_day = 1000
wh_per_inference = 2.0
days = 10
hardware = "H100 SXM"
count = 1
[model]
parameters = 2e9
training_tokens = 5e9
"""


@pytest.fixture
def plan_file(tmp_path):
    """Writes a plan and returns its path."""

    def write(text):
        path = tmp_path / "plan.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.json"
    storage.save_result(synthetic_result(calibration=0.05), path)
    return path


def test_the_stages_of_a_plan_add_up(plan_file):
    plan = lifecycle_plan.load(plan_file(PLAN))
    computed = lifecycle.plan_lifecycle(plan)
    assert computed.stage("dynamic").energy_kwh == Interval.of(8 * 1000 * 0.5)
    assert computed.stage("overhead").energy_kwh.value == pytest.approx(1000)
    assert computed.stage("idle").energy_kwh == Interval.of(2000.0)
    assert computed.stage("deployment").energy_kwh.value == pytest.approx(20 * 1.25)
    embodied = computed.stage("embodied").grams
    assert embodied.low < embodied.value < embodied.high
    known = sum(computed.stage(s).grams.value for s in ("dynamic", "overhead", "idle", "embodied"))
    assert computed.grams.value == pytest.approx(known)
    assert computed.stage("dynamic").grams.value == pytest.approx(4000 * 44.18)


def test_unknown_stages_are_missing_and_not_zero(plan_file):
    computed = lifecycle.plan_lifecycle(
        lifecycle_plan.load(plan_file('name = "x"\n[training]\nenergy_kwh = 5.0\n'))
    )
    assert computed.missing == ("overhead", "idle", "embodied")
    for name in computed.missing:
        stage = computed.stage(name)
        assert stage.grams is None and stage.energy_kwh is None and stage.missing
    assert computed.intensity.grams_per_kwh.low < computed.intensity.grams_per_kwh.high


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PLAN.replace("watts", "wats"), "did you mean watts"),
        (PLAN.replace("name", "nmae"), "did you mean name"),
        (PLAN.replace("[idle]", "[idel]"), "did you mean idle"),
        (PLAN.replace("count = 8", "count = -8"), "training.count"),
        (PLAN.replace("count = 8", 'count = "8"'), "training.count"),
        (PLAN.replace("H100 SXM", "H1000"), "nearest"),
        (PLAN.replace('"FR"', '"Frnace"'), "France"),
        (PLAN.replace("pue = 1.25", "pue = 0.9"), "pue"),
        (PLAN.replace("pue = 1.25", "grid_gco2e_per_kwh = 50"), "not both"),
        (PLAN.replace("hours = 1000", ""), "training needs"),
        ('kind = "measured"' + PLAN, "no key kind"),
        (PLAN.replace("days = 10", 'days = 10\nregion = "US-WV"'), "count different emissions"),
        ("name = [", "not TOML"),
    ],
)
def test_invalid_plan_gives_a_one_sentence_error(plan_file, text, message):
    assert message in error_of("lifecycle", str(plan_file(text)))


def test_lifecycle_of_bloom_has_the_published_emissions():
    computed = json.loads(joulebench("lifecycle", "bloom-176b", "--json").stdout)
    stages = {stage["stage"]: stage for stage in computed["stages"]}
    tonnes = {
        name: stage["gco2e"]["value"] / 1e6 for name, stage in stages.items() if stage["gco2e"]
    }
    assert tonnes["dynamic"] == pytest.approx(24.69, rel=1e-3)
    assert tonnes["idle"] == pytest.approx(14.63, rel=1e-3)
    assert tonnes["embodied"] == pytest.approx(11.21, rel=1e-3)
    assert computed["gco2e"]["value"] == pytest.approx(50.53e6, rel=1e-3)
    assert "NOT measured" in computed["kind"] and computed["caveats"]
    output = joulebench("lifecycle", "bloom-176b", "--region", "US").stdout
    assert "383.55 g/kWh" in output and "166" in output


def test_stages_of_a_measured_result_add_up(measured):
    computed = per_inference.inference_lifecycle(
        storage.load_result(measured), per_inference.LifeCycleInputs(region="FR", pue=1.2)
    )
    summary = storage.load_result(measured).summary
    assert summary is not None
    per_1000, net = summary.energy_kwh_per_1000, summary.net_energy_kwh_per_1000
    assert computed.stage("dynamic").energy_kwh.value == pytest.approx(net.value)
    assert computed.stage("idle").energy_kwh.value == pytest.approx(per_1000.value - net.value)
    assert computed.stage("overhead").energy_kwh.value == pytest.approx(0.2 * per_1000.value)
    assert computed.stage("embodied").grams.low < computed.stage("embodied").grams.high
    scores = sci.result_scores(
        storage.load_result(measured), per_inference.LifeCycleInputs(region="FR", pue=1.2)
    )
    assert scores.consumer.complete and scores.consumer.unit == "image"
    assert scores.inference.grams.value == pytest.approx(computed.grams.value / 1000)
    assert scores.providers == () and scores.no_provider


def test_modelled_result_is_labelled_modelled(tmp_path):
    path = tmp_path / "run.json"
    storage.save_result(synthetic_result(kind="modelled"), path)
    process = joulebench("lifecycle", str(path), "--region", "FR")
    output = " ".join(process.stdout.split())
    assert "modelled, NOT measured" in output and "idle, overhead, embodied not known" in output
    computed = json.loads(joulebench("lifecycle", str(path), "--json").stdout)
    assert (
        computed["kind"].startswith("modelled") and computed["sci"]["consumer"]["complete"] is False
    )


def test_training_is_shared_among_the_uses(measured):
    inputs = per_inference.LifeCycleInputs(
        region="FR", training="bloomz-560m-pretrain-finetune", uses=1e6
    )
    result = storage.load_result(measured)
    share = per_inference.inference_lifecycle(result, inputs).stage("training")
    assert share.energy_kwh.value == pytest.approx(11048 / 1e6 * 1000)
    model = result.model.model_copy(update={"parameter_count": 559_214_592})
    scores = sci.result_scores(result.model_copy(update={"model": model}), inputs)
    assert scores.providers[0].unit == "billion parameters"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bloom",), "bloom-176b"),
        (("nothing.toml",), "cannot be read"),
        (("nothing.json",), "cannot be read"),
        (("bloom-176b", "--pue", "0.5"), "PUE"),
        (("bloom-176b", "--region", "Atlantis"), "region"),
        (("bloom-176b", "--uses", "5"), "result file"),
    ],
)
def test_bad_input_of_lifecycle_is_refused(arguments, message):
    assert message in error_of("lifecycle", *arguments)


def test_training_without_uses_is_refused(measured):
    assert "--uses" in error_of("lifecycle", str(measured), "--training", "bloom-176b")
    assert "PUE" in error_of("lifecycle", str(measured), "--pue", "0.2")
