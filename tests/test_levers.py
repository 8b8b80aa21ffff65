"""Levers on real models: what is set is recorded and does what it says, or is refused."""

import pytest
import torch
import transformers as models
from test_backends import spec

from bench.analysis import ablation as levers_room
from bench.backends import ModelNotFound, _torch_runtime, diffusers, transformers
from bench.results import storage
from bench.runner import interleaving
from bench.runner.config import RunConfig, apply_override
from bench.system import registry
from bench.workloads import dataset_loader
from bench.workloads.architectures import ARCHITECTURES


def test_whole_number_weights_answer_almost_alike_and_are_recorded():
    asked, work = spec("text-classification")
    whole, _ = spec("text-classification", quantization="int8")
    plain, eighth = transformers.load(asked), transformers.load(whole)
    assert eighth.model.settings["quantization"] == "int8"
    assert plain.model.settings["quantization"] is None
    assert eighth.model.parameter_count == plain.model.parameter_count
    layers = [m for m in eighth.network.modules() if isinstance(m, torch.nn.Linear)]
    assert all(type(layer.weight.data).__name__ == "Int8Tensor" for layer in layers)
    requests = [r for block in work.blocks[:2] for r in block]
    pairs = zip(plain.serve(requests).outputs, eighth.serve(requests).outputs, strict=True)
    assert sum(a.label == b.label for a, b in pairs) >= 19


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_attention_is_as_asked_and_changes_no_answer(attention):
    asked, work = spec("text-gen", attention=attention)
    session = transformers.load(asked)
    assert session.model.settings["attention"] == attention
    texts = [o.text for o in session.serve(work.blocks[0][:4]).outputs]
    default = transformers.load(spec("text-gen")[0])
    assert texts == [o.text for o in default.serve(work.blocks[0][:4]).outputs]


def test_attention_of_a_pipeline_is_set_on_its_denoiser():
    asked, work = spec("image-gen", attention="eager")
    session = diffusers.load(asked)
    kinds = {type(p).__name__ for p in session.pipeline.unet.attn_processors.values()}
    assert kinds == {"AttnProcessor"} and session.model.settings["attention"] == "eager"
    assert session.serve(work.blocks[0][:1]).work.image_count == 1


def test_steps_and_size_are_other_work_and_are_counted():
    task = registry.find_task("image-gen")
    plain = dataset_loader.load_dataset_workload(task, "embedded")
    chosen = dataset_loader.load_dataset_workload(
        task, "embedded", {"steps": 3, "width": 16, "height": 24}
    )
    assert chosen.fingerprint != plain.fingerprint
    assert chosen.parameters["guidance_scale"] == plain.parameters["guidance_scale"]
    session = diffusers.load(spec("image-gen", parameters=chosen.parameters)[0])
    work = session.serve(chosen.blocks[0][:2]).work
    assert (work.step_count, work.pixel_count) == (6, 2 * 16 * 24)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantization": "int4"}, "int4 needs a GPU"),
        ({"attention": "flash_attention_2"}, "needs an NVIDIA GPU"),
        ({"quantization": "int4", "devices": ("cuda:0",)}, "--dtype bf16"),
        ({"quantization": "int8", "devices": ("cuda:0", "cuda:1")}, "several GPUs"),
    ],
)
def test_a_lever_that_this_machine_lacks_is_one_sentence(changes, words):
    with pytest.raises(ModelNotFound, match=words):
        transformers.prepare(spec("text-gen", dtype="fp16", **changes)[0])


def test_no_compiler_and_no_torchao_are_said(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ModelNotFound, match="needs a C\\+\\+ compiler"):
        _torch_runtime.check_optimizations(spec("text-gen", compile=True)[0])
    monkeypatch.setattr(_torch_runtime, "_installed", lambda package: False)
    with pytest.raises(ModelNotFound, match="pip install"):
        _torch_runtime.check_optimizations(spec("text-gen", quantization="int8")[0])


@pytest.mark.parametrize("name", ["gpt2", "llama-3-8b", "bart-large"])
def test_a_model_is_cut_between_blocks_about_in_half(name):
    config = models.AutoConfig.from_pretrained(ARCHITECTURES / name)
    with torch.device("meta"):
        network = getattr(models, config.architectures[0])(config)
    total = sum(p.numel() * 4 for p in network.parameters())
    found = _torch_runtime.device_map(network, {0: int(0.8 * total), 1: int(0.8 * total)})
    assert set(found.values()) == {0, 1}
    places = {
        name: number
        for name, _ in network.named_parameters()
        for part, number in found.items()
        if name == part or name.startswith(f"{part}.")
    }
    sizes = {name: p.numel() * 4 for name, p in network.named_parameters()}
    assert set(places) == set(sizes)
    for number in (0, 1):
        assert sum(size for name, size in sizes.items() if places[name] == number) < 0.8 * total
    # No part lies inside a block that must stay whole.
    blocks = [
        n for n, m in network.named_modules() if type(m).__name__ in network._no_split_modules
    ]
    assert blocks and not any(part.startswith(f"{block}.") for part in found for block in blocks)


def test_what_does_not_fit_all_cards_is_said():
    config = models.AutoConfig.from_pretrained(ARCHITECTURES / "gpt2")
    with torch.device("meta"):
        network = models.GPT2LMHeadModel(config)
    with pytest.raises(ValueError, match="does not fit"):
        _torch_runtime.device_map(network, {0: 10**7, 1: 10**7})


def quickly(tmp_path, task, levers, model="embedded/tiny"):
    asked = RunConfig(task=task, out=tmp_path, model=model, profile="quick", budget_seconds=5)
    return levers_room.run_ablation(asked, levers, lambda text: None)


def test_levers_are_measured_in_turn_on_the_same_requests_and_saved(tmp_path):
    wanted = ["batch=8", "dtype=bf16,attention=eager", "quantization=int4"]
    base, batch, half, refused = quickly(tmp_path, "text-classification", wanted)
    assert base.lever == "as asked" and base.energy.value == 1.0
    assert refused.result is None and "needs a GPU" in refused.why_not
    for saving in (batch, half):
        result = storage.load_result(saving.path)
        assert result == saving.result and result.status == "done"
        assert result.task.fingerprint == base.result.task.fingerprint
        assert [t.block_ids for t in result.measured()] == [
            t.block_ids for t in base.result.measured()
        ]
        assert saving.energy.low < saving.energy.value < saving.energy.high
        assert saving.quality.low <= saving.quality.value <= saving.quality.high
    assert batch.result.model.settings["batch_size"] == 8
    assert half.result.model.dtype == "bfloat16"
    assert half.result.model.settings["attention"] == "eager"


def test_the_order_is_turned_round_in_every_round(tmp_path, monkeypatch):
    order = []
    window = interleaving._window
    monkeypatch.setattr(
        interleaving, "_window", lambda t, *rest: (order.append(t.lever), window(t, *rest))
    )
    asked = RunConfig("text-gen", tmp_path, backend="simulated", profile="quick", budget_seconds=1)
    savings = levers_room.run_ablation(asked, ["batch=2", "batch=4"], lambda text: None)
    assert order[:6] == ["as asked", "batch=2", "batch=4", "batch=4", "batch=2", "as asked"]
    assert len(order) == 15 and all(len(s.result.measured()) == 5 for s in savings)


def test_a_lever_that_there_is_not_is_said():
    asked = RunConfig(task="text-gen", out=".")
    for lever in ("speed=11", "dtype=fp3", "batch=0", "steps=x"):
        with pytest.raises(ValueError, match="no lever"):
            apply_override(asked, lever)


def test_the_saving_is_that_of_the_pairs_and_drift_cancels():
    drift = [1.0, 1.5, 2.0, 2.5, 3.0]
    mine = [0.8 * d * f for d, f in zip(drift, (1.01, 0.99, 1.0, 1.01, 0.99), strict=True)]
    ratio = levers_room._paired(mine, drift)
    assert ratio.value == pytest.approx(0.8, rel=0.01)
    assert 0.77 < ratio.low < 0.8 < ratio.high < 0.83
    assert levers_room._paired([1.0], [1.0]) is None
