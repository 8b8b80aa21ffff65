"""Optimizations of the torch backends: a setting has its effect, or is refused."""

import pytest
import torch
import transformers as models
from test_backends import make_spec

from bench.backends import ModelNotFound, _torch_runtime, diffusers, transformers
from bench.system import registry
from bench.workloads import dataset_loader
from bench.workloads.architectures import ARCHITECTURES


def test_quantized_weights_give_nearly_the_same_answers():
    base, work = make_spec("text-classification")
    changed, _ = make_spec("text-classification", quantization="int8")
    plain, quantized = transformers.load(base), transformers.load(changed)
    assert quantized.model.parameter_count == plain.model.parameter_count
    layers = [m for m in quantized.network.modules() if isinstance(m, torch.nn.Linear)]
    assert all(type(layer.weight.data).__name__ == "Int8Tensor" for layer in layers)
    requests = [r for block in work.blocks[:2] for r in block]
    pairs = zip(plain.serve(requests).outputs, quantized.serve(requests).outputs, strict=True)
    assert sum(a.label == b.label for a, b in pairs) >= 19


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_attention_is_recorded_and_changes_no_answer(attention):
    model, work = make_spec("text-gen", attention=attention)
    session = transformers.load(model)
    assert session.model.settings["attention"] == attention
    texts = [o.text for o in session.serve(work.blocks[0][:4]).outputs]
    default = transformers.load(make_spec("text-gen")[0])
    assert texts == [o.text for o in default.serve(work.blocks[0][:4]).outputs]


def test_attention_of_a_pipeline_is_set_on_its_denoiser():
    model, work = make_spec("image-gen", attention="eager")
    session = diffusers.load(model)
    kinds = {type(p).__name__ for p in session.pipeline.unet.attn_processors.values()}
    assert kinds == {"AttnProcessor"} and session.model.settings["attention"] == "eager"
    assert session.serve(work.blocks[0][:1]).work.image_count == 1


def test_steps_and_size_change_the_fingerprint_and_are_counted():
    task = registry.find_task("image-gen")
    plain = dataset_loader.load_dataset_workload(task, "embedded")
    changed = dataset_loader.load_dataset_workload(
        task, "embedded", {"steps": 3, "width": 16, "height": 24}
    )
    assert changed.fingerprint != plain.fingerprint
    assert changed.parameters["guidance_scale"] == plain.parameters["guidance_scale"]
    session = diffusers.load(make_spec("image-gen", parameters=changed.parameters)[0])
    work = session.serve(changed.blocks[0][:2]).work
    assert (work.step_count, work.pixel_count) == (6, 2 * 16 * 24)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantization": "int4"}, "int4 needs a GPU"),
        ({"attention": "flash_attention_2"}, "needs an NVIDIA GPU"),
        ({"quantization": "int4", "devices": ("cuda:0",)}, "--dtype bf16"),
        ({"quantization": "int8", "devices": ("cuda:0", "cuda:1")}, "several GPUs"),
    ],
)
def test_a_setting_that_this_machine_lacks_is_refused_in_one_sentence(changes, message):
    with pytest.raises(ModelNotFound, match=message):
        transformers.prepare(make_spec("text-gen", dtype="fp16", **changes)[0])


def test_a_missing_compiler_and_a_missing_torchao_are_named(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ModelNotFound, match="needs a C\\+\\+ compiler"):
        _torch_runtime.check_optimizations(make_spec("text-gen", compile=True)[0])
    monkeypatch.setattr(_torch_runtime, "find_spec", lambda package: None)
    with pytest.raises(ModelNotFound, match="pip install"):
        _torch_runtime.check_optimizations(make_spec("text-gen", quantization="int8")[0])


@pytest.mark.parametrize("name", ["gpt2", "llama-3-8b", "bart-large"])
def test_a_model_is_split_between_blocks_about_in_half(name):
    config = models.AutoConfig.from_pretrained(ARCHITECTURES / name)
    with torch.device("meta"):
        network = getattr(models, config.architectures[0])(config)
    total = sum(p.numel() * 4 for p in network.parameters())
    device_map = _torch_runtime.device_map(network, {0: int(0.8 * total), 1: int(0.8 * total)})
    assert set(device_map.values()) == {0, 1}
    devices = {
        name: number
        for name, _ in network.named_parameters()
        for part, number in device_map.items()
        if name == part or name.startswith(f"{part}.")
    }
    sizes = {name: p.numel() * 4 for name, p in network.named_parameters()}
    assert set(devices) == set(sizes)
    for number in (0, 1):
        assert sum(size for name, size in sizes.items() if devices[name] == number) < 0.8 * total
    # No part lies inside a block that must stay on one device.
    blocks = [
        n for n, m in network.named_modules() if type(m).__name__ in network._no_split_modules
    ]
    assert blocks and not any(
        part.startswith(f"{block}.") for part in device_map for block in blocks
    )


def test_a_model_larger_than_all_gpus_is_refused():
    config = models.AutoConfig.from_pretrained(ARCHITECTURES / "gpt2")
    with torch.device("meta"):
        network = models.GPT2LMHeadModel(config)
    with pytest.raises(ValueError, match="does not fit"):
        _torch_runtime.device_map(network, {0: 10**7, 1: 10**7})
