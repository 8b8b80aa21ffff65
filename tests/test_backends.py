"""Backends with embedded models: work is counted, errors become failures with a code."""

import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GptOssConfig, MixtralConfig, Qwen3MoeConfig

from bench.backends import (
    BackendError,
    ModelNotFound,
    ModelSpec,
    _torch_runtime,
    diffusers,
    transformers,
)
from bench.results.settings import ModelSettings
from bench.system import registry
from bench.workloads import dataset_loader, embedded

TASKS = {"text-gen": transformers, "text-classification": transformers, "image-gen": diffusers}


def make_spec(task_id, model="embedded/tiny", **changes):
    task = registry.find_task(task_id)
    work = dataset_loader.load_dataset_workload(task, "embedded")
    return ModelSpec(
        task_id=task_id,
        tag=task.tag,
        model=model,
        parameters=changes.pop("parameters", work.parameters),
        devices=changes.pop("devices", ("cpu",)),
        settings=ModelSettings(**changes),
    ), work


def test_ten_tokens_are_generated_past_the_end_token():
    spec, work = make_spec("text-gen", batch_size=4)
    session = transformers.load(spec)
    # The end token is by far the most likely one.
    end = session.network.config.eos_token_id
    with torch.no_grad():
        session.network.lm_head.weight[end] *= 50
    served = session.serve(work.blocks[0])
    assert served.work.output_token_count == 10 * len(work.blocks[0])
    assert served.work.inference_count == len(served.outputs) == 10


def test_input_tokens_are_counted_without_padding():
    spec, work = make_spec("text-gen", batch_size=5)
    alone, _ = make_spec("text-gen", batch_size=1)
    counts = {
        s.settings.batch_size: transformers.load(s).serve(work.blocks[1]).work.input_token_count
        for s in (spec, alone)
    }
    assert counts[5] == counts[1]


def test_batch_gives_the_same_outputs_as_single_requests():
    spec, work = make_spec("text-classification", batch_size=3)
    alone, _ = make_spec("text-classification")
    together = transformers.load(spec).serve(work.blocks[2]).outputs
    assert together == transformers.load(alone).serve(work.blocks[2]).outputs
    assert {o.label for o in together} <= {request.reference for request in work.requests}


def test_generated_images_pixels_and_steps_are_counted():
    spec, work = make_spec("image-gen", batch_size=2)
    served = diffusers.load(spec).serve(work.blocks[0][:3])
    assert served.work.image_count == 3
    assert served.work.pixel_count == 3 * 32 * 32
    assert served.work.step_count == 3 * 20
    assert all(output.image.size == (32, 32) for output in served.outputs)


def test_image_of_a_prompt_does_not_depend_on_its_batch():
    spec, work = make_spec("image-gen")
    session = diffusers.load(spec)
    once = session.serve(work.blocks[0][:2]).outputs
    again = session.serve(work.blocks[0][1::-1]).outputs
    assert once[0].image.tobytes() == again[1].image.tobytes()


@pytest.mark.parametrize("task_id", TASKS)
def test_random_weights_are_random_and_recorded_as_such(task_id):
    spec, work = make_spec(task_id, weights="random")
    session = TASKS[task_id].load(spec)
    assert session.model.weights == "random"
    net = session.network if hasattr(session, "network") else session.pipeline.unet
    matrices = [p for p in net.parameters() if p.dim() > 1]
    assert all(p.std() > 0 for p in matrices)
    assert session.serve(work.blocks[0][:1]).work.inference_count == 1


def test_named_architecture_runs_at_full_size():
    spec, work = make_spec("text-classification", "distilbert", weights="random")
    session = transformers.load(spec)
    assert session.model.parameter_count == 66_955_010
    assert session.model.settings["tokenizer"] == "embedded"
    assert session.serve(work.blocks[0][:2]).work.inference_count == 2


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("embedded/huge", "no embedded model"),
        ("sd-1.5", "add --weights random"),
        ("bert-large", "add --weights random"),
        ("/nonexistent/folder", "there is no folder"),
        ("no model\n", "not a valid name of a model"),
    ],
)
def test_missing_model_is_refused_in_one_sentence(model, message, monkeypatch):
    spec, _ = make_spec("image-gen", model)
    with pytest.raises(ModelNotFound, match=message) as caught:
        diffusers.prepare(spec)
    assert "\n" not in str(caught.value).strip()


def test_folder_without_a_model_is_refused(tmp_path):
    spec, _ = make_spec("text-gen", str(tmp_path))
    with pytest.raises(ModelNotFound, match="holds no model"):
        transformers.prepare(spec)


def test_model_of_another_kind_is_refused():
    pipeline = embedded.model_path("image-gen", "tiny")
    spec, _ = make_spec("text-gen", str(pipeline))
    with pytest.raises(ModelNotFound, match="not a model for text-gen"):
        transformers.load(spec)


def test_model_without_weights_of_its_head_is_refused(tmp_path):
    """The library would initialise the head at random."""
    folder = tmp_path / "model"
    shutil.copytree(embedded.model_path("text-classification", "tiny"), folder)
    config = json.loads((folder / "config.json").read_text())
    del config["architectures"]
    (folder / "config.json").write_text(json.dumps(config))
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "classifier" not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelNotFound, match=r"weights lack classifier\.bias"):
        transformers.load(make_spec("text-classification", str(folder))[0])


def test_pickled_weights_need_an_option(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(embedded.model_path("text-gen", "tiny"), folder)
    (folder / "model.safetensors").unlink()
    net = transformers.load(make_spec("text-gen")[0]).network
    torch.save(net.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ModelNotFound, match="--allow-pickle"):
        transformers.load(make_spec("text-gen", str(folder))[0])
    session = transformers.load(make_spec("text-gen", str(folder), allow_pickle=True)[0])
    assert session.model.weights == "pretrained"


def test_error_while_serving_is_a_failure_with_a_code(monkeypatch):
    spec, work = make_spec("text-classification")
    session = transformers.load(spec)

    def no_memory(*args, **kwargs):
        raise RuntimeError("DefaultCPUAllocator: cannot allocate memory: you tried 1 EB")

    monkeypatch.setattr(session.network, "forward", no_memory)
    with pytest.raises(BackendError) as caught:
        session.serve(work.blocks[0])
    assert (caught.value.stage, caught.value.code) == ("serve", "out-of-memory")


def test_too_large_model_is_out_of_memory(tmp_path):
    """A real allocation: a vocabulary of 2^40 tokens."""
    folder = tmp_path / "model"
    shutil.copytree(embedded.model_path("text-gen", "tiny"), folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 2**40}))
    with pytest.raises(BackendError) as caught:
        transformers.load(make_spec("text-gen", str(folder), weights="random")[0])
    assert (caught.value.stage, caught.value.code) == ("load", "out-of-memory")


def test_operation_that_a_dtype_lacks_is_unsupported(monkeypatch):
    """A real error of torch: no inverse of half-precision matrices."""
    spec, work = make_spec("text-classification")
    session = transformers.load(spec)
    half = torch.eye(2, dtype=torch.float16)
    monkeypatch.setattr(session.network, "forward", lambda **words: torch.linalg.inv(half))
    with pytest.raises(BackendError) as caught:
        session.serve(work.blocks[0])
    assert (caught.value.stage, caught.value.code) == ("serve", "unsupported")


@pytest.mark.parametrize(
    ("config", "total", "active"),
    [
        # Jiang et al. 2024, Mixtral of Experts: 47 billion parameters, 13 billion of them active.
        (MixtralConfig(), 46.7e9, 12.9e9),
        # Yang et al. 2025, Qwen3: 30.5 billion parameters, 3.3 billion of them active.
        (
            Qwen3MoeConfig(
                hidden_size=2048, num_hidden_layers=48, num_attention_heads=32,
                num_key_value_heads=4, head_dim=128, moe_intermediate_size=768,
                num_experts=128, num_experts_per_tok=8, vocab_size=151_936,
            ),
            30.5e9,
            3.3e9,
        ),
        # OpenAI 2025, gpt-oss model card: 20.9 billion; 3.6 billion with the unembedding alone.
        (GptOssConfig(num_hidden_layers=24, num_local_experts=32), 20.9e9, 3.6e9 + 201_088 * 2880),
    ],
    ids=lambda value: getattr(value, "model_type", ""),
)  # fmt: skip
def test_active_parameter_count_of_a_mixture_of_experts_is_the_published_one(config, total, active):
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(config)
    assert _torch_runtime.parameter_count(network) == pytest.approx(total, rel=0.01)
    assert _torch_runtime.active_parameter_count(network) == pytest.approx(active, rel=0.02)


def test_mixture_of_experts_records_its_active_parameters(tmp_path):
    folder = tmp_path / "mixture"
    shutil.copytree(embedded.model_path("text-gen", "tiny"), folder)
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    MixtralConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, vocab_size=vocabulary, num_local_experts=4, num_experts_per_tok=1,
    ).save_pretrained(folder)  # fmt: skip
    session = transformers.load(make_spec("text-gen", str(folder), weights="random")[0])
    three_experts = 3 * (3 * 16 * 32)
    model = session.model
    assert model.active_parameter_count == model.parameter_count - 2 * three_experts


def test_dense_model_has_no_active_parameter_count():
    assert transformers.load(make_spec("text-gen")[0]).model.active_parameter_count is None


def test_numeric_settings_of_torch_are_recorded():
    torch.backends.cudnn.benchmark = True
    try:
        sessions = (
            transformers.load(make_spec("text-gen")[0]),
            diffusers.load(make_spec("image-gen")[0]),
        )
    finally:
        torch.backends.cudnn.benchmark = False
    for session in sessions:
        assert session.backend.numerics == {
            "tf32": False,
            "cudnn_tf32": True,
            "cudnn_benchmark": True,
            "float32_matmul_precision": "highest",
            "deterministic_algorithms": False,
            "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", "unset"),
        }
