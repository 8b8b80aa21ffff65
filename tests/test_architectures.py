"""Shipped architectures: published size, processors, and hub ids."""

import json

import diffusers as pipelines
import numpy as np
import pytest
import torch
import transformers as models
from PIL import Image

from bench.backends import ModelSpec, _model_source, diffusers
from bench.backends._model_source import ModelSource
from bench.results.settings import ModelSettings
from bench.system import registry
from bench.workloads import architectures
from bench.workloads.architectures import ARCHITECTURES

PUBLISHED = {
    row["architecture"]: int(row["parameter_count"]) for row in architectures.architecture_table()
}
WITH_PROCESSOR = sorted(
    path.parent.name for path in ARCHITECTURES.glob("*/preprocessor_config.json")
)
IMAGE_AND_TEXT = ("blip", "git")


def networks(folder):
    """The networks that a folder describes, at full size on the meta device, without memory."""
    if (folder / "config.json").exists():
        return [build_network(folder)]
    index = json.loads((folder / "model_index.json").read_text())
    parts = [part for part in index if part.split("_")[0] in ("unet", "vae", "text")]
    owners = {"diffusers": pipelines, "transformers": models}
    kinds = {part: getattr(owners[index[part][0]], index[part][1]) for part in parts}
    return [diffusers.load_component(kinds[p], folder / p, torch.float32, "meta") for p in parts]


def build_network(folder, device="meta"):
    config = models.AutoConfig.from_pretrained(folder)
    with torch.device(device):
        return getattr(models, config.architectures[0])(config).eval()


@pytest.mark.parametrize("name", architectures.architecture_names())
def test_architecture_has_its_published_parameter_count(name):
    count = sum(p.numel() for net in networks(ARCHITECTURES / name) for p in net.parameters())
    assert count == pytest.approx(PUBLISHED[name], rel=0.01)


def test_architecture_table_has_one_row_each_and_unique_hub_ids():
    rows = architectures.architecture_table()
    assert sorted(row["architecture"] for row in rows) == architectures.architecture_names()
    ids = [name.lower() for row in rows for name in row["hub_ids"].split()]
    assert len(ids) == len(set(ids))
    assert all(row["source"] for row in rows)


@pytest.mark.parametrize("name", WITH_PROCESSOR)
def test_architecture_for_images_or_sounds_has_a_fitting_processor(name):
    """The output of the processor fits the network: one forward pass at full size."""
    folder = ARCHITECTURES / name
    # DETR reads the values of its mask, which the meta device does not have: a small image.
    on_cpu = name.startswith("detr")
    device = "cpu" if on_cpu else "meta"
    network = build_network(folder, device)
    if "feature_extractor_type" in (folder / "preprocessor_config.json").read_text():
        extractor = models.AutoFeatureExtractor.from_pretrained(folder)
        inputs = extractor(np.zeros(16_000, np.float32), sampling_rate=16_000, return_tensors="pt")
    else:
        processor = models.AutoImageProcessor.from_pretrained(folder, backend="pil")
        small = {"size": {"shortest_edge": 64, "longest_edge": 64}} if on_cpu else {}
        inputs = processor(images=Image.new("RGB", (640, 480)), return_tensors="pt", **small)
    tensors = {key: value.to(device) for key, value in inputs.items()}
    if network.config.is_encoder_decoder or network.config.model_type in IMAGE_AND_TEXT:
        text = "input_ids" if network.config.model_type in IMAGE_AND_TEXT else "decoder_input_ids"
        tensors[text] = torch.zeros(1, 2, dtype=torch.long, device=device)
    with torch.inference_mode(), torch.device(device):
        network(**tensors)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("llama-3-8b", "llama-3-8b"),
        ("meta-llama/Meta-Llama-3-8B", "llama-3-8b"),
        ("openai/whisper-tiny", "whisper-tiny"),
        ("gpt2", "gpt2"),
    ],
)
def test_random_weights_of_a_shipped_architecture_need_no_hub(model, name):
    task = registry.find_task("text-gen")
    spec = ModelSpec(task.id, task.tag, model, task.parameters, ModelSettings(weights="random"))
    assert _model_source.locate_model(spec) == ModelSource(
        "architecture", str(ARCHITECTURES / name)
    )
