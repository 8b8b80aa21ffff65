"""The life cycle, the calculator and the scores: their sums, their ranges, and bad input."""

from __future__ import annotations

import json

import pytest
from synthetic_results import synthetic_result
from test_footprint_commands import joulebench, refused

from bench.impact import (
    facts,
    hardware,
    job_estimate,
    lifecycle,
    lifecycle_plan,
    per_inference,
    published_trainings,
    sci,
)
from bench.impact.sci import sci_score
from bench.results import storage
from bench.results.interval import Interval

PLAN = """
name = "mine"
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
def written(tmp_path):
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


def test_the_stages_of_a_plan_add_up(written):
    chosen = lifecycle_plan.load(written(PLAN))
    found = lifecycle.plan_lifecycle(chosen)
    assert found.stage("dynamic").energy_kwh == Interval.of(8 * 1000 * 0.5)
    assert found.stage("overhead").energy_kwh.value == pytest.approx(1000)
    assert found.stage("idle").energy_kwh == Interval.of(2000.0)
    assert found.stage("deployment").energy_kwh.value == pytest.approx(20 * 1.25)
    made = found.stage("embodied").grams
    assert made.low < made.value < made.high
    known = sum(found.stage(s).grams.value for s in ("dynamic", "overhead", "idle", "embodied"))
    assert found.grams.value == pytest.approx(known)
    assert found.stage("dynamic").grams.value == pytest.approx(4000 * 44.18)


def test_the_scores_of_a_plan(written):
    chosen = lifecycle_plan.load(written(PLAN))
    found = sci.of_plan(chosen, lifecycle.plan_lifecycle(chosen))
    by_unit = {score.unit: score.grams.value for score in found.providers}
    whole = lifecycle.plan_lifecycle(chosen).grams.value
    assert by_unit == pytest.approx(
        {"million training tokens": whole / 5000, "billion parameters": whole / 2}
    )
    assert found.consumer.complete and found.consumer.unit == "inference"
    assert found.consumer.operational_grams.value == pytest.approx(20 * 1.25 * 44.18 / 10_000)


def test_sci_is_e_times_i_plus_m_per_r():
    found = sci_score(2.0, 400.0, 100.0, count=1000)
    assert found.grams.value == pytest.approx((2 * 400 + 100) / 1000)
    alone = sci_score(2.0, Interval(400, 300, 500), None, count=1000, missing="not known")
    assert (alone.grams.low, alone.grams.high, alone.complete) == (0.6, 1.0, False)
    with pytest.raises(ValueError, match="reason"):
        sci_score(2.0, 400.0, None)
    with pytest.raises(ValueError, match="positive"):
        sci_score(2.0, 400.0, 1.0, count=0)


def test_what_is_not_known_is_missing_and_never_zero(written):
    found = lifecycle.plan_lifecycle(
        lifecycle_plan.load(written('name = "x"\n[training]\nenergy_kwh = 5.0\n'))
    )
    assert found.missing == ("overhead", "idle", "embodied")
    for name in found.missing:
        stage = found.stage(name)
        assert stage.grams is None and stage.energy_kwh is None and stage.missing
    assert found.intensity.grams_per_kwh.low < found.intensity.grams_per_kwh.high


@pytest.mark.parametrize(
    ("text", "said"),
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
        ("name = [", "not TOML"),
    ],
)
def test_a_plan_that_is_wrong_gets_one_sentence(written, text, said):
    assert said in refused("lifecycle", str(written(text)))


def test_bloom_from_the_command():
    found = json.loads(joulebench("lifecycle", "bloom-176b", "--json").stdout)
    stages = {stage["stage"]: stage for stage in found["stages"]}
    tonnes = {
        name: stage["gco2e"]["value"] / 1e6 for name, stage in stages.items() if stage["gco2e"]
    }
    assert tonnes["dynamic"] == pytest.approx(24.69, rel=1e-3)
    assert tonnes["idle"] == pytest.approx(14.63, rel=1e-3)
    assert tonnes["embodied"] == pytest.approx(11.21, rel=1e-3)
    assert found["gco2e"]["value"] == pytest.approx(50.53e6, rel=1e-3)
    assert "NOT measured" in found["kind"] and found["caveats"]
    shown = joulebench("lifecycle", "bloom-176b", "--region", "US").stdout
    assert "383.55 g/kWh" in shown and "166" in shown


def test_a_measured_result_and_its_scores(measured):
    found = per_inference.inference_lifecycle(
        storage.load_result(measured), per_inference.LifeCycleInputs(region="FR", pue=1.2)
    )
    summary = storage.load_result(measured).summary
    assert summary is not None
    gross, net = summary.energy_kwh_per_1000, summary.net_energy_kwh_per_1000
    assert found.stage("dynamic").energy_kwh.value == pytest.approx(net.value)
    assert found.stage("idle").energy_kwh.value == pytest.approx(gross.value - net.value)
    assert found.stage("overhead").energy_kwh.value == pytest.approx(0.2 * gross.value)
    assert found.stage("embodied").grams.low < found.stage("embodied").grams.high
    both = sci.of_result(
        storage.load_result(measured), per_inference.LifeCycleInputs(region="FR", pue=1.2)
    )
    assert both.consumer.complete and both.consumer.unit == "image"
    assert both.inference.grams.value == pytest.approx(found.grams.value / 1000)
    assert both.providers == () and both.no_provider


def test_a_score_per_token_is_that_of_an_inference_over_its_tokens():
    found = sci.of_result(
        synthetic_result(task="text-gen"), per_inference.LifeCycleInputs(region="FR")
    )
    assert (found.inference.unit, found.consumer.unit) == ("inference", "token")
    assert found.inference.grams.value == pytest.approx(10 * found.consumer.grams.value)


def test_a_modelled_result_says_so(tmp_path):
    path = tmp_path / "run.json"
    storage.save_result(synthetic_result(kind="modelled"), path)
    done = joulebench("lifecycle", str(path), "--region", "FR")
    words = " ".join(done.stdout.split())
    assert "modelled, NOT measured" in words and "idle, overhead, embodied not known" in words
    found = json.loads(joulebench("lifecycle", str(path), "--json").stdout)
    assert found["kind"].startswith("modelled") and found["sci"]["consumer"]["complete"] is False


def test_training_is_shared_among_its_uses(measured):
    asked = per_inference.LifeCycleInputs(
        region="FR", training="bloomz-560m-pretrain-finetune", uses=1e6
    )
    share = per_inference.inference_lifecycle(storage.load_result(measured), asked).stage(
        "training"
    )
    assert share.energy_kwh.value == pytest.approx(11048 / 1e6 * 1000)
    assert (
        sci.of_result(storage.load_result(measured), asked).providers[0].unit
        == "billion parameters"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bloom",), "bloom-176b"),
        (("nothing.toml",), "can't be read"),
        (("nothing.json",), "can't be read"),
        (("bloom-176b", "--pue", "0.5"), "PUE"),
        (("bloom-176b", "--region", "Atlantis"), "region"),
        (("bloom-176b", "--uses", "5"), "result file"),
    ],
)
def test_lifecycle_refuses_bad_input(words, said):
    assert said in refused("lifecycle", *words)


def test_a_training_without_uses_is_refused(measured):
    assert "--uses" in refused("lifecycle", str(measured), "--training", "bloom-176b")
    assert "PUE" in refused("lifecycle", str(measured), "--pue", "0.2")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("A100 SXM4 80GB", "nvidia-a100-sxm4-40-80gb"),
        ("NVIDIA A100-SXM4-80GB", "nvidia-a100-sxm4-40-80gb"),
        ("NVIDIA H100 80GB HBM3", "nvidia-h100-sxm5-80gb"),
        ("h100 pcie", "nvidia-h100-pcie-80gb"),
        ("Tesla V100-SXM2-16GB", "nvidia-v100-sxm2-16-32gb"),
        ("NVIDIA GeForce RTX 4090", "nvidia-rtx-4090"),
        ("mi300x", "amd-mi300x"),
    ],
)
def test_hardware_answers_to_the_names_that_people_and_drivers_give(name, key):
    assert hardware.find(name).key == key


def test_every_board_answers_to_its_own_label():
    for board in facts.gpus().values():
        assert hardware.find(board.label) == board


def test_a_board_without_a_source_takes_the_range_of_all():
    own, is_own = hardware.embodied_kg(hardware.find("H100 PCIe"))
    other, is_others = hardware.embodied_kg(hardware.find("RTX 4090"))
    assert (is_own, is_others) == (True, False)
    assert other.low <= own.low and other.high >= own.high


def test_the_estimate_of_the_issue():
    job = job_estimate.JobDescription("A100 SXM4 80GB", 384, 2820, "FR", 1.2)
    found = job_estimate.estimate_job(job)
    assert found.ml_co2_kwh == pytest.approx(384 * 2820 * 0.4)
    assert found.ml_co2_grams.value == pytest.approx(384 * 2820 * 0.4 * 44.18)
    assert found.energy_kwh.low < found.ml_co2_kwh < found.energy_kwh.high
    assert found.steps[0][1] == Interval.of(found.ml_co2_kwh)
    assert found.steps[-1][1].value == pytest.approx(found.energy_kwh.value)
    assert found.grams.value > found.operational_grams.value
    # BLOOM itself, dynamic and idle of the paper times its PUE, is inside the estimate.
    bloom = lifecycle.plan_lifecycle(published_trainings.published_plan("bloom-176b"))
    whole = bloom.stage("dynamic").energy_kwh.value + bloom.stage("idle").energy_kwh.value
    assert found.energy_kwh.low < whole < found.energy_kwh.high


def test_the_estimate_says_that_it_is_one():
    words = ("--hardware", "A100 SXM4 80GB", "--count", "384", "--hours", "2820", "--pue", "1.2")
    shown = " ".join(joulebench("estimate", *words, "--region", "FR").stdout.split())
    for text in ("an estimate, NOT measured", "433 MWh", "500 (283 to 828) MWh", "why the two"):
        assert text in shown
    found = json.loads(joulebench("estimate", *words, "--json").stdout)
    assert found["kind"] == "estimate" and found["caveats"]
    assert found["grid"]["gco2e_per_kwh"]["low"] < found["grid"]["gco2e_per_kwh"]["high"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--hardware", "A1000", "--hours", "1"), "A100"),
        (("--hardware", "A100", "--hours", "1"), "is ambiguous"),
        (("--hardware", "T4", "--hours", "-5"), "hours must be above zero"),
        (("--hardware", "T4", "--hours", "nan"), "hours must be above zero"),
        (("--hardware", "T4", "--hours", "1", "--count", "0"), "count must be above zero"),
        (("--hardware", "T4", "--hours", "1", "--region", "Atlantis"), "region"),
        (("--hardware", "T4", "--hours", "1", "--pue", "0.5"), "PUE"),
    ],
)
def test_estimate_refuses_bad_input(words, said):
    assert said in refused("estimate", *words)
