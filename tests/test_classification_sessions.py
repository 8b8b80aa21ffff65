"""Text classification by three methods: classifier, zero-shot and prompted generator."""

import json
import shutil

import pytest
import torch
from session_loader import load

from bench.backends import ModelNotFound, _classification_sessions
from bench.runner import quality
from bench.workloads import embedded


def save_nli_model(tmp_path):
    """A folder with an NLI classifier with random weights."""
    folder = tmp_path / "nli"
    shutil.copytree(embedded.model_path("text-classification", "tiny"), folder)
    config = json.loads((folder / "config.json").read_text())
    names = {"0": "contradiction", "1": "neutral", "2": "entailment"}
    config |= {"id2label": names, "label2id": {name: int(n) for n, name in names.items()}}
    config["type_vocab_size"] = 2
    config["initializer_range"] = 0.5  # scores that differ by more than rounding errors
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").unlink()
    from transformers import AutoConfig, AutoModelForSequenceClassification

    torch.manual_seed(3)
    loaded = AutoConfig.from_pretrained(folder)
    AutoModelForSequenceClassification.from_config(loaded).save_pretrained(folder)
    return folder


def test_zero_shot_labels_are_those_of_the_library(tmp_path):
    from transformers import pipeline

    folder = save_nli_model(tmp_path)
    session, work = load("text-classification", folder, batch_size=3)
    assert session.model.settings["label_method"] == "zero-shot"
    assert session.model.settings["template"] == "example-1"
    # Short texts: the library truncates long ones differently.
    short = sorted(work.requests, key=lambda request: request.length)[:12]
    library = pipeline("zero-shot-classification", str(folder))
    labels = sorted({str(request.reference) for request in work.requests})
    expected = [library(r.inputs["text"], labels)["labels"][0] for r in short]
    served = session.serve(short)
    assert [output.label for output in served.outputs] == expected
    assert served.work.inference_count == 12


def test_refusals_of_a_prompted_generator_are_wrong_and_counted(monkeypatch):
    folder = embedded.model_path("text-gen", "tiny")
    session, work = load("text-classification", folder, batch_size=2)
    assert session.model.settings["label_method"] == "prompt"
    assert session.model.settings["template"] == "label-1"
    requests = work.blocks[0]
    answers_of_model = iter(
        [f" {requests[0].reference}!", " 1790-1849 or 1850-1899?", " I cannot tell", *[" well"] * 7]
    )
    monkeypatch.setattr(
        session.tokenizer,
        "batch_decode",
        lambda new, **words: [next(answers_of_model) for _ in new],
    )
    served = session.serve(requests)
    answers = list(zip(requests, served.outputs, strict=True))
    assert served.outputs[0].label == requests[0].reference
    assert [output.label for output in served.outputs[1:]] == [None] * 9
    estimate = quality.evaluate_quality(work, answers)
    assert (estimate.value, estimate.sample_count) == (0.1, 10)
    assert quality.count_refusals(answers) == 9
    assert 10 <= served.work.output_token_count <= 80


def test_prompt_has_the_complete_question_for_a_long_text():
    folder = embedded.model_path("text-gen", "tiny")
    session, _ = load("text-classification", folder)
    prompt = session.prompt("a long text " * 1000)
    assert prompt.startswith("Which one of these labels") and prompt.endswith("Label:")
    assert "1790-1849, 1850-1899, 1900-1949, 1950-2021" in prompt
    assert len(session.tokenizer(prompt)["input_ids"]) <= 256 - 8 + 2


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        (" Spam", "spam"),
        ("This is HAM.", "ham"),
        ("hamster", None),
        ("ham, not spam", None),
        ("", None),
    ],
)
def test_answer_with_exactly_one_label_as_a_word_has_that_label(answer, label):
    assert _classification_sessions.label_in(answer, ("ham", "spam")) == label


def test_unsupported_label_method_is_refused(tmp_path):
    with pytest.raises(ModelNotFound, match="has no label for entailment"):
        load("text-classification", label_method="zero-shot")
    path = tmp_path / "unlabelled.jsonl"
    path.write_text('{"text": "hello"}\n')
    with pytest.raises(ModelNotFound, match="names no labels"):
        load("text-classification", save_nli_model(tmp_path), dataset=str(path))


def test_label_method_is_an_option(tmp_path):
    session, _ = load("text-classification", save_nli_model(tmp_path), label_method="classifier")
    assert session.model.settings["label_method"] == "classifier"
