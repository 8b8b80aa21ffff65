"""The same task asked of different kinds of models: classifier, zero-shot, prompted generator."""

import json
import shutil

import pytest
import torch
from text_models import load

from bench.backends import ModelNotFound, _classification_sessions
from bench.runner import quality
from bench.workloads import embedded


def inference_model(tmp_path):
    """A folder with a classifier that says what a text entails; its weights are random."""
    folder = tmp_path / "nli"
    shutil.copytree(embedded.model_path("text-classification", "tiny"), folder)
    config = json.loads((folder / "config.json").read_text())
    names = {"0": "contradiction", "1": "neutral", "2": "entailment"}
    config |= {"id2label": names, "label2id": {name: int(n) for n, name in names.items()}}
    config["type_vocab_size"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").unlink()
    from transformers import AutoConfig, AutoModelForSequenceClassification

    torch.manual_seed(3)
    loaded = AutoConfig.from_pretrained(folder)
    AutoModelForSequenceClassification.from_config(loaded).save_pretrained(folder)
    return folder


def test_an_inference_model_is_asked_zero_shot_as_the_library_asks_it(tmp_path):
    from transformers import pipeline

    folder = inference_model(tmp_path)
    session, work = load("text-classification", folder, batch_size=3)
    assert session.model.settings["label_method"] == "zero-shot"
    assert session.model.settings["template"] == "example-1"
    # Short mails: where a text must be cut, the library cuts elsewhere.
    short = sorted(work.requests, key=lambda request: request.length)[:12]
    library = pipeline("zero-shot-classification", str(folder))
    expected = [library(r.inputs["text"], ["ham", "spam"])["labels"][0] for r in short]
    served = session.serve(short)
    assert [output.label for output in served.outputs] == expected
    assert served.work.inference_count == 12


def test_a_generator_is_prompted_and_its_refusals_are_wrong_and_counted(monkeypatch):
    folder = embedded.model_path("text-gen", "tiny")
    session, work = load("text-classification", folder, batch_size=2)
    assert session.model.settings["label_method"] == "prompt"
    assert session.model.settings["template"] == "label-1"
    requests = work.blocks[0]
    said = iter([f" {requests[0].reference}!", " spam or ham?", " I can't tell", *[" well"] * 7])
    monkeypatch.setattr(
        session.tokenizer, "batch_decode", lambda new, **words: [next(said) for _ in new]
    )
    served = session.serve(requests)
    answers = list(zip(requests, served.outputs, strict=True))
    assert served.outputs[0].label == requests[0].reference
    assert [output.label for output in served.outputs[1:]] == [None] * 9
    found = quality.evaluate_quality(work, answers)
    assert (found.value, found.sample_count) == (0.1, 10)
    assert quality.count_refusals(answers) == 9
    assert 10 <= served.work.output_token_count <= 80


def test_a_prompt_holds_the_question_whole_however_long_the_text():
    folder = embedded.model_path("text-gen", "tiny")
    session, _ = load("text-classification", folder)
    prompt = session.prompt("a long text " * 1000)
    assert prompt.startswith("Which one of these labels") and prompt.endswith("Label:")
    assert "ham, spam" in prompt
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
def test_an_answer_names_one_label_as_a_word_or_none(answer, label):
    assert _classification_sessions.label_in(answer, ("ham", "spam")) == label


def test_a_model_is_not_asked_in_a_way_it_does_not_know(tmp_path):
    with pytest.raises(ModelNotFound, match="has no label for entailment"):
        load("text-classification", label_method="zero-shot")
    path = tmp_path / "unlabelled.jsonl"
    path.write_text('{"text": "hello"}\n')
    with pytest.raises(ModelNotFound, match="names no labels"):
        load("text-classification", inference_model(tmp_path), dataset=str(path))


def test_how_it_is_asked_can_be_chosen(tmp_path):
    session, _ = load("text-classification", inference_model(tmp_path), label_method="classifier")
    assert session.model.settings["label_method"] == "classifier"
