"""Ablation of settings: variants, interleaved windows, paired ratios."""

from pathlib import Path

import pytest
import typer
from synthetic_results import result_with_energy

from bench.analysis import ablation
from bench.backends import ModelSpec
from bench.cli import levers
from bench.results import storage
from bench.results.record import Estimate
from bench.runner import interleaving
from bench.runner.config import RunConfig, apply_override


@pytest.fixture
def config(tmp_path):
    """A quick run of a tiny model; a budget of 5 s is for the windows of all variants."""
    return RunConfig(
        task="text-classification",
        model="embedded/tiny",
        out=tmp_path,
        quick=True,
        budget_seconds=5,
    )


@pytest.mark.slow
def test_variants_are_measured_on_the_same_requests_and_saved(config):
    overrides = ["batch=8", "dtype=bf16,attention=eager", "quantization=int4"]
    base, batch, half, refused = ablation.run_ablation(config, overrides)
    assert base.variant == "base" and base.energy.value == 1.0
    assert refused.result is None and "needs a GPU" in refused.why_not
    for item in (batch, half):
        result = storage.load_result(item.path)
        assert result == item.result and result.status == "done"
        assert result.model.settings["interleaved"] is True
        assert result.task.fingerprint == base.result.task.fingerprint
        assert [t.block_ids for t in result.measured()] == [
            t.block_ids for t in base.result.measured()
        ]
        assert item.energy.low < item.energy.value < item.energy.high
        assert item.quality.low <= item.quality.value <= item.quality.high
    assert batch.result.model.settings["batch_size"] == 8
    assert half.result.model.dtype == "bfloat16"
    assert half.result.model.settings["attention"] == "eager"


def test_the_order_of_windows_is_reversed_in_every_round(config, monkeypatch):
    order = []
    measure = interleaving._measure
    monkeypatch.setattr(
        interleaving, "_measure", lambda v, *rest: (order.append(v.name), measure(v, *rest))
    )
    config = config.with_changes(task="text-gen", backend="simulated", budget_seconds=1)
    results = ablation.run_ablation(config, ["batch=2", "batch=4"])
    assert order[:6] == ["base", "batch=2", "batch=4", "batch=4", "batch=2", "base"]
    assert len(order) == 15 and all(len(item.result.measured()) == 5 for item in results)


@pytest.mark.parametrize(
    ("tag", "device", "expected"),
    [
        # Text generation on a GPU is in float16 already: float16 would be compared with itself.
        ("text-generation", "cuda:0", ["dtype=bf16"]),
        ("fill-mask", "cuda:0", ["dtype=fp16", "dtype=bf16"]),
        ("text-generation", "cpu", ["dtype=bf16"]),
    ],
)
def test_default_variants_differ_from_the_base(config, tag, device, expected):
    base = ModelSpec("any", tag, "any", {}, config, devices=(device,))
    variants = ablation.default_variants(config, base)
    assert [name for name in variants if name.startswith("dtype=")] == expected
    assert "batch=8" in variants and "steps=10" not in variants
    assert "batch=8" not in ablation.default_variants(config.with_changes(batch_size=8), base)


@pytest.mark.parametrize("override", ["speed=11", "out=x", "", "batch=2,speed=11"])
def test_unknown_override_is_refused(config, override):
    with pytest.raises(ValueError, match=r"there is no setting .*; choose from dtype, batch"):
        apply_override(config, override)


@pytest.mark.parametrize("override", ["dtype=fp3", "batch=0", "steps=x", "size=10x10"])
def test_impossible_override_is_refused(config, override):
    with pytest.raises(ValueError, match=f"the setting '{override}' is not possible"):
        apply_override(config, override)


def test_drift_cancels_in_the_paired_ratio():
    drift = [1.0, 1.5, 2.0, 2.5, 3.0]
    values = [0.8 * d * f for d, f in zip(drift, (1.01, 0.99, 1.0, 1.01, 0.99), strict=True)]
    ratio = ablation.paired_ratio(values, drift)
    assert ratio.value == pytest.approx(0.8, rel=0.01)
    assert 0.76 < ratio.low < 0.8 < ratio.high < 0.84
    assert ablation.paired_ratio([1.0], [1.0]) is None


@pytest.mark.parametrize(("count", "said"), [(20, True), (100, False)])
def test_levers_say_when_requests_are_too_few_to_judge_quality(monkeypatch, capsys, count, said):
    quality = Estimate(value=0.0, low=-0.2, high=0.2, confidence_level=0.95, sample_count=count)
    result, path = result_with_energy(0.1), Path("results/a.json")
    effects = [
        ablation.AblationResult("base", result, path),
        ablation.AblationResult("dtype=bf16", result, path, quality=quality),
    ]
    monkeypatch.setattr(ablation, "run_ablation", lambda *_: effects)
    names = ("model", "weights", "dataset", "device", "dtype", "quick", "out", "lever")
    with pytest.raises(typer.Exit):
        levers.command(
            task="image-gen", rounds=5, budget=300.0, as_json=False, **dict.fromkeys(names)
        )
    assert ("Too few requests to judge quality" in capsys.readouterr().out) == said
