"""Embedded models and requests: they load offline, have complete model cards, and work."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch

from bench.cli import tasks as tasks_command
from bench.workloads import embedded
from bench.workloads.embedded import image_judge
from tools.embedded_training import __main__ as training
from tools.embedded_training import common, period_rows

MODELS = [(task, size) for task in embedded.TASK_IDS for size in embedded.SIZES]
TRAINED = [
    (task, size)
    for task, size in MODELS
    if any(embedded.model_path(task, size).rglob("*.safetensors"))
]
TRAINED_TASKS = [
    task for task in embedded.TASK_IDS if all((task, size) in TRAINED for size in embedded.SIZES)
]
FIELDS = {
    "text-gen": ("text", "continuation"),
    "text-classification": ("text", "label"),
    "image-gen": ("prompt", "label"),
    "summarization": ("text", "summary"),
    "question-answering": ("question", "context", "answers"),
    "sentence-similarity": ("sentence1", "sentence2", "score"),
    "fill-mask": ("text",),
    "token-classification": ("tokens", "tags"),
    "image-classification": ("image", "tile", "label"),
    "object-detection": ("image", "objects"),
    "image-captioning": ("image", "captions"),
    "asr": ("audio", "text"),
    "video-gen": ("prompt",),
}
CLOTHES = {
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
}
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+")
LIMIT = 20_000_000


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def load(task: str, size: str) -> tuple[Any, Any]:
    """(model or pipeline, tokenizer or processor) of one size, as a backend loads them."""
    from diffusers import StableDiffusionPipeline
    from transformers import (
        AutoFeatureExtractor,
        AutoImageProcessor,
        AutoModel,
        AutoModelForCausalLM,
        AutoModelForCTC,
        AutoModelForImageClassification,
        AutoModelForImageTextToText,
        AutoModelForMaskedLM,
        AutoModelForObjectDetection,
        AutoModelForQuestionAnswering,
        AutoModelForSequenceClassification,
        AutoModelForTokenClassification,
        AutoTokenizer,
    )

    folder = embedded.model_path(task, size)
    if task == "image-gen":
        pipeline: Any = StableDiffusionPipeline.from_pretrained(folder)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline, pipeline.tokenizer
    image_kinds: dict[str, Any] = {
        "image-classification": AutoModelForImageClassification,
        "image-captioning": AutoModelForImageTextToText,
        "object-detection": AutoModelForObjectDetection,
    }
    if task in image_kinds:
        net = image_kinds[task].from_pretrained(folder).eval()
        return net, AutoImageProcessor.from_pretrained(folder, backend="pil")
    if task == "asr":
        net = AutoModelForCTC.from_pretrained(folder).eval()
        return net, AutoFeatureExtractor.from_pretrained(folder)
    kinds = {
        "text-gen": AutoModelForCausalLM,
        "text-classification": AutoModelForSequenceClassification,
        "token-classification": AutoModelForTokenClassification,
        "fill-mask": AutoModelForMaskedLM,
        "question-answering": AutoModelForQuestionAnswering,
        "sentence-similarity": AutoModel,
    }
    kind = kinds[task]
    return kind.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)


def modules(model: Any) -> list[torch.nn.Module]:
    """The modules with weights: three of a pipeline, or the model itself."""
    if isinstance(model, torch.nn.Module):
        return [model]
    return [model.unet, model.text_encoder, model.vae]


def parameter_count(model: Any) -> int:
    return sum(weight.numel() for part in modules(model) for weight in part.parameters())


@pytest.mark.parametrize("task", TRAINED_TASKS)
def test_both_sizes_load_and_small_is_several_times_tiny(task: str) -> None:
    tiny, small = (load(task, size)[0] for size in embedded.SIZES)
    for model in (tiny, small):
        kinds = {weight.dtype for part in modules(model) for weight in part.parameters()}
        assert kinds == {torch.float32}
    assert 2.5 <= parameter_count(small) / parameter_count(tiny) <= 6


@pytest.mark.parametrize(("task", "size"), TRAINED)
def test_model_card_has_licence_data_quality_and_command(task: str, size: str) -> None:
    card = (embedded.model_path(task, size) / "README.md").read_text(encoding="utf-8")
    assert "license: apache-2.0" in card
    assert f"python -m tools.embedded_training {task} --size {size}" in card
    assert "## Data and its licence" in card
    assert re.search(r"\| .*\(\d[\d,]* shipped .*\| \d", card)
    assert "says nothing about the energy of large models" in card


@pytest.mark.parametrize(("task", "size"), [model for model in MODELS if model not in TRAINED])
def test_model_card_of_a_configuration_says_that_it_has_no_weights(task: str, size: str) -> None:
    card = (embedded.model_path(task, size) / "README.md").read_text(encoding="utf-8")
    assert f"python -m tools.embedded_training {task} --size {size}" in card
    assert "without weights" in card and "outputs have no meaning" in card


@pytest.mark.parametrize("size", embedded.SIZES)
@pytest.mark.parametrize("task", embedded.TASK_IDS)
def test_trained_model_beats_its_baseline_on_held_out_rows(task: str, size: str) -> None:
    quality = embedded.quality(task, size)
    assert quality["trained"] == ((task, size) in TRAINED)
    if not quality["trained"]:
        assert quality == {"trained": False}
        return
    fields = {field.name for field in dataclasses.fields(common.Quality)}
    assert set(quality) == {"trained", *fields}
    measured = common.Quality(**{name: quality[name] for name in fields})
    assert measured.beats_baseline and measured.sample_count >= 10
    card = (embedded.model_path(task, size) / "README.md").read_text(encoding="utf-8")
    assert f"Headline: {measured.metric} {measured.value:.4g} on" in card
    assert f"{measured.baseline_value:.4g} (" in card
    assert (measured.held_out_near_duplicate_share or 0.0) <= 0.01


def test_card_of_a_model_that_does_not_beat_its_baseline_is_refused(tmp_path: Path) -> None:
    quality = common.Quality("accuracy", 0.2, "the commonest label", 0.25, 100, 0.0)
    card = common.ModelCard(
        title="Model",
        description="",
        parameters={"all": 1},
        data="",
        data_licence="",
        command="",
        minutes=1.0,
        steps="",
        quality={},
        settings="",
        headline=quality,
    )
    with pytest.raises(ValueError, match="does not beat the commonest label"):
        common.write_card(tmp_path, card)
    assert not list(tmp_path.iterdir())


def test_tasks_command_states_quality_and_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    tasks_command.command()
    lines = capsys.readouterr().out.splitlines()
    for task in embedded.TASK_IDS:
        at = next(place for place, line in enumerate(lines) if line.split()[0] == task)
        for line, size in zip(lines[at + 1 :], embedded.SIZES, strict=False):
            assert f"embedded/{size}: " in line
            quality = embedded.quality(task, size)
            if quality["trained"]:
                assert f"trained; {quality['metric']} {quality['value']:.3g} on" in line
                assert f"{quality['baseline_name']} {quality['baseline_value']:.3g} (" in line
            else:
                assert "not trained" in line
    tasks_command.command(as_json=True)
    listed = json.loads(capsys.readouterr().out)
    text_gen = next(entry for entry in listed if entry["id"] == "text-gen")
    assert text_gen["embedded"]["tiny"] == embedded.quality("text-gen", "tiny")


def test_model_card_of_the_judge_reports_90_percent_accuracy() -> None:
    card = (embedded.judge_path() / "README.md").read_text(encoding="utf-8")
    match = re.search(r"\| Accuracy on real test pictures \(10,000\) \| ([\d.]+)% \|", card)
    assert match and float(match.group(1)) >= 90


def test_model_files_are_small_and_without_pickles() -> None:
    files = [file for file in (embedded.FOLDER / "models").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= LIMIT
    assert {file.suffix for file in files} <= {".safetensors", ".json", ".md", ".txt"}
    configs = [file.read_text(encoding="utf-8") for file in files if file.suffix == ".json"]
    assert not [text for text in configs if '"_name_or_path": "/' in text]


@pytest.mark.parametrize("task", embedded.TASK_IDS)
def test_rows_are_complete_and_unique(task: str) -> None:
    lines = embedded.data_path(task).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    fewest = 40 if {"audio", "image"} & {*rows[0]} else 980
    assert len(rows) >= fewest
    assert task != "image-gen" or len(rows) == 1000
    assert all(tuple(row) == FIELDS[task] and all(row.values()) for row in rows)
    names = [(str(row[FIELDS[task][0]]), str(row.get("tile"))) for row in rows]
    assert len(set(names)) == len(rows)
    assert not [line for line in lines if ADDRESS.search(line)]


def test_labels_are_known_and_balanced() -> None:
    labels = Counter(row["label"] for row in embedded.rows("text-classification"))
    assert labels == dict.fromkeys(period_rows.PERIODS, 275)
    clothes = Counter(row["label"] for row in embedded.rows("image-gen"))
    assert clothes == dict.fromkeys(CLOTHES, 100)


def test_text_gen_prompts_vary_in_length() -> None:
    lengths = [len(row["text"].split()) for row in embedded.rows("text-gen")]
    assert min(lengths) >= 20 and max(lengths) <= 60 and len(set(lengths)) > 30
    assert max(len(row["text"]) for row in embedded.rows("text-classification")) <= 1500


def test_unknown_names_are_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"image-gen, .*text-classification, text-gen"):
        embedded.model_path("text-gen", "huge")
    with pytest.raises(ValueError, match="no embedded requests"):
        embedded.rows("nothing")


def test_text_gen_model_generates_words() -> None:
    model, tokenizer = load("text-gen", "tiny")
    ids = tokenizer(
        [row["text"] for row in embedded.rows("text-gen")[:4]], return_tensors="pt", padding=True
    )
    written = model.generate(**ids)
    texts = tokenizer.batch_decode(written[:, ids["input_ids"].shape[1] :])
    assert all(len(text.split()) >= 5 for text in texts)


@pytest.mark.parametrize("size", embedded.SIZES)
def test_text_classifier_has_the_accuracy_of_its_card(size: str) -> None:
    model, tokenizer = load("text-classification", size)
    rows = embedded.rows("text-classification")
    correct = 0
    with torch.inference_mode():
        for at in range(0, len(rows), 25):
            part = rows[at : at + 25]
            texts = [row["text"] for row in part]
            ids = tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
            guesses = model(**ids).logits.argmax(-1).tolist()
            names = [model.config.id2label[guess] for guess in guesses]
            correct += sum(name == row["label"] for name, row in zip(names, part, strict=True))
    stated = embedded.quality("text-classification", size)
    assert correct / len(rows) == pytest.approx(stated["value"], abs=0.005)


def test_image_judge_recognises_most_generated_images() -> None:
    pipeline, _ = load("image-gen", "small")
    rows = embedded.rows("image-gen")[:20]
    images = pipeline(
        [row["prompt"] for row in rows],
        num_inference_steps=20,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(7),
    ).images
    labels = image_judge.classify_images(images)
    assert all(image.size == (32, 32) for image in images)
    assert sum(label == row["label"] for label, row in zip(labels, rows, strict=True)) >= 12
    assert image_judge.classify_images([]) == []


def test_import_loads_no_large_library() -> None:
    source = Path(embedded.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:import|from) (\w+)", source, re.M)) <= {
        "__future__",
        "collections",
        "json",
        "pathlib",
        "typing",
    }


def test_training_command_has_a_script_for_every_embedded_task() -> None:
    assert {*training.TASKS} == {*embedded.TASK_IDS, "judge", "chat"}
    for task in training.TASKS:
        name = f"tools.embedded_training.{task.replace('-', '_')}"
        assert importlib.util.find_spec(name) is not None
