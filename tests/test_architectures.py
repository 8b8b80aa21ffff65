"""Named architectures: their published size, their processors, the names they answer to."""

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
SENSES = sorted(path.parent.name for path in ARCHITECTURES.glob("*/preprocessor_config.json"))
TEXT_TOO = ("blip", "git")


def networks(folder):
    """The networks that a folder describes, on the meta device: the true size, no memory."""
    if (folder / "config.json").exists():
        return [built(folder)]
    index = json.loads((folder / "model_index.json").read_text())
    parts = [part for part in index if part.split("_")[0] in ("unet", "vae", "text")]
    owners = {"diffusers": pipelines, "transformers": models}
    kinds = {part: getattr(owners[index[part][0]], index[part][1]) for part in parts}
    return [diffusers.load_component(kinds[p], folder / p, torch.float32, "meta") for p in parts]


def built(folder, device="meta"):
    config = models.AutoConfig.from_pretrained(folder)
    with torch.device(device):
        return getattr(models, config.architectures[0])(config).eval()


@pytest.mark.parametrize("name", architectures.architecture_names())
def test_an_architecture_has_its_published_size(name):
    count = sum(p.numel() for net in networks(ARCHITECTURES / name) for p in net.parameters())
    assert count == pytest.approx(PUBLISHED[name], rel=0.01)


def test_every_architecture_has_one_published_count_and_no_hub_id_stands_twice():
    rows = architectures.architecture_table()
    assert sorted(row["architecture"] for row in rows) == architectures.architecture_names()
    ids = [name.lower() for row in rows for name in row["hub_ids"].split()]
    assert len(ids) == len(set(ids))
    assert all(row["source"] for row in rows)


@pytest.mark.parametrize("name", SENSES)
def test_an_architecture_that_sees_or_hears_brings_its_processor(name):
    """What the processor makes is what the network takes: one forward pass, at true size."""
    folder = ARCHITECTURES / name
    # DETR looks at the values of its mask, which the meta device does not have: a small image.
    real = name.startswith("detr")
    device = "cpu" if real else "meta"
    network = built(folder, device)
    if "feature_extractor_type" in (folder / "preprocessor_config.json").read_text():
        hear = models.AutoFeatureExtractor.from_pretrained(folder)
        made = hear(np.zeros(16_000, np.float32), sampling_rate=16_000, return_tensors="pt")
    else:
        look = models.AutoImageProcessor.from_pretrained(folder, backend="pil")
        small = {"size": {"shortest_edge": 64, "longest_edge": 64}} if real else {}
        made = look(images=Image.new("RGB", (640, 480)), return_tensors="pt", **small)
    words = {key: value.to(device) for key, value in made.items()}
    if network.config.is_encoder_decoder or network.config.model_type in TEXT_TOO:
        text = "input_ids" if network.config.model_type in TEXT_TOO else "decoder_input_ids"
        words[text] = torch.zeros(1, 2, dtype=torch.long, device=device)
    with torch.inference_mode(), torch.device(device):
        network(**words)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("llama-3-8b", "llama-3-8b"),
        ("meta-llama/Meta-Llama-3-8B", "llama-3-8b"),
        ("openai/whisper-tiny", "whisper-tiny"),
        ("gpt2", "gpt2"),
    ],
)
def test_random_weights_of_a_known_shape_need_no_hub(asked, name):
    task = registry.find_task("text-gen")
    spec = ModelSpec(task.id, task.tag, asked, task.parameters, ModelSettings(weights="random"))
    assert _model_source.locate_model(spec) == ModelSource(
        "architecture", str(ARCHITECTURES / name)
    )
