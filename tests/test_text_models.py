"""Kinds of text models through the real library: what they answer, and what is counted of it."""

import functools
import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from sklearn.metrics import accuracy_score
from text_models import load

from bench.backends import ModelNotFound
from bench.runner import quality
from bench.task import Request
from bench.workloads import embedded

READING = ("fill-mask", "question-answering", "sentence-similarity", "token-classification")


@pytest.fixture(scope="module")
def tiny():
    """One session a task, shared by the tests that only ask it."""
    return functools.cache(load)


# Counted work


def test_ten_tokens_for_every_sequence_of_a_batch_also_of_an_encoder_decoder_that_would_stop():
    session, work = load("summarization", batch_size=4)
    # This model wants to stop at once: its end is by far its likeliest token.
    session.network.final_logits_bias[0, session.network.config.eos_token_id] = 1e4
    # And its own settings ask for other lengths and other searches, as BART's do.
    own = {"min_length": 56, "max_length": 142, "num_beams": 4, "no_repeat_ngram_size": 3}
    session.network.generation_config.update(**own, length_penalty=2.0, early_stopping=True)
    served = session.serve(work.blocks[0])
    assert served.work.output_token_count == 10 * len(work.blocks[0]) == 100
    assert len(served.outputs) == 10


def test_a_summary_is_cut_to_what_the_model_takes():
    session, _ = load("summarization")
    long = Request({"text": "word " * 5000})
    assert session.serve([long]).work.input_token_count == 256


@pytest.mark.parametrize("task_id", READING)
def test_a_batch_answers_as_one_by_one_does_and_counts_the_same_tokens(task_id, tiny):
    alone, work = tiny(task_id)
    together, _ = load(task_id, batch_size=4)
    requests = work.blocks[3]
    one, all_of_them = alone.serve(requests), together.serve(requests)
    assert one.work.input_token_count == all_of_them.work.input_token_count
    if task_id == "sentence-similarity":
        pairs = zip(one.outputs, all_of_them.outputs, strict=True)
        assert all(a.score == pytest.approx(b.score, abs=1e-5) for a, b in pairs)
    else:
        assert one.outputs == all_of_them.outputs


# Answers


def test_accuracy_is_that_of_the_library_and_one_planted_error_is_one_row(tmp_path):
    from transformers import pipeline

    rows = [dict(row) for row in embedded.rows("text-classification")[:200]]

    def measured(rows):
        path = tmp_path / "mails.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        session, work = load("text-classification", dataset=str(path))
        served = session.serve(work.requests)
        return quality.evaluate_quality(work, zip(work.requests, served.outputs, strict=True))

    folder = str(embedded.model_path("text-classification", "tiny"))
    library = pipeline("text-classification", folder, truncation=True)
    guesses = [found["label"] for found in library([row["text"] for row in rows])]
    found = measured(rows)
    assert found.value == accuracy_score([row["label"] for row in rows], guesses)
    assert 0.7 < found.value < 1 and found.sample_count == 200
    right = next(n for n, row in enumerate(rows) if row["label"] == guesses[n])
    wrong = {"spam": "ham", "ham": "spam"}[rows[right]["label"]]
    planted = [*rows[:right], {**rows[right], "label": wrong}, *rows[right + 1 :]]
    assert measured(planted).value == pytest.approx(found.value - 1 / 200, abs=1e-12)


def test_every_word_has_the_label_of_its_first_token(tiny):
    from transformers import pipeline

    session, work = tiny("token-classification")
    served = session.serve(work.requests[:40])
    found = quality.evaluate_quality(work, zip(work.requests[:40], served.outputs, strict=True))
    assert found.metric == "F1" and found.value > 0.8
    folder = str(embedded.model_path("token-classification", "tiny"))
    library = pipeline("token-classification", folder)
    words = work.requests[0].inputs["words"]
    first = {part["start"]: part["entity"] for part in library(" ".join(words))}
    starts = [sum(len(word) + 1 for word in words[:n]) for n in range(len(words))]
    assert served.outputs[0].labels == tuple(first[start] for start in starts)


def test_words_beyond_what_the_model_takes_are_labelled_nothing(tiny):
    session, _ = tiny("token-classification")
    (output,) = session.serve([Request({"words": ("house",) * 200})]).outputs
    assert len(output.labels) == 200 and output.labels[-1] == "O" != output.labels[0]


def test_the_filled_word_is_that_of_the_library(tiny):
    from transformers import pipeline

    session, work = tiny("fill-mask")
    served = session.serve(work.requests[:20])
    library = pipeline("fill-mask", model=session.network, tokenizer=session.tokenizer)
    asked = [request.inputs["text"] for request in work.requests[:20]]
    assert [output.text for output in served.outputs] == [
        library(text)[0]["token_str"] for text in asked
    ]


def test_a_mask_that_was_cut_off_is_filled_with_nothing(tiny):
    session, _ = tiny("fill-mask")
    (output,) = session.serve([Request({"text": "word " * 500 + "[MASK]"})]).outputs
    assert output.text == ""


def test_an_answer_is_a_span_of_the_context_and_never_of_the_question(tiny, monkeypatch):
    session, _ = tiny("question-answering")
    question, context = "Who swam?", "The old whale swam away, he said."
    words = session.tokenizer(question, context)
    # The likeliest of all stands in the question, the likeliest end of the rest before its start.
    starts, ends = torch.zeros(2, 1, len(words["input_ids"]))
    starts[0, [1, 6, 7]] = torch.tensor([9.0, 3, 8])
    ends[0, [1, 5, 6, 8]] = torch.tensor([9.0, 8, 3, 7])
    found = SimpleNamespace(start_logits=starts, end_logits=ends)
    monkeypatch.setattr(session, "_forward", lambda encoded: found)
    (output,) = session.serve([Request({"question": question, "context": context})]).outputs
    first, last = (words.token_to_chars(place) for place in (7, 8))
    assert output.text == context[first.start : last.end] != ""


def test_answers_are_no_longer_than_the_task_allows(tiny):
    session, work = tiny("question-answering")
    for request, output in zip(work.blocks[1], session.serve(work.blocks[1]).outputs, strict=True):
        assert output.text and output.text in request.inputs["context"]
        assert len(session.tokenizer(output.text, add_special_tokens=False)["input_ids"]) <= 30


def test_a_sentence_is_most_like_itself(tiny):
    session, work = tiny("sentence-similarity")
    sentence = work.requests[0].inputs["sentence1"]
    same, other = session.serve(
        [Request({"sentence1": sentence, "sentence2": sentence}), work.requests[0]]
    ).outputs
    assert same.score == pytest.approx(1.0, abs=1e-5) and other.score < 0.9999


@pytest.mark.parametrize(
    ("modes", "pooling"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "first"),
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_max_tokens": True}, None),
    ],
)
def test_an_embedding_is_pooled_as_its_model_says(modes, pooling, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(embedded.model_path("sentence-similarity", "tiny"), folder)
    shutil.copy(embedded.model_path("text-classification", "tiny") / "tokenizer.json", folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    if pooling is None:
        with pytest.raises(ModelNotFound, match="pools by pooling_mode_max_tokens"):
            load("sentence-similarity", folder, weights="random")
    else:
        session, _ = load("sentence-similarity", folder, weights="random")
        assert session.model.settings["pooling"] == pooling


@pytest.mark.parametrize(
    "task_id", ["fill-mask", "summarization", "question-answering", "sentence-similarity"]
)
def test_an_embedded_shape_without_weights_says_that_they_are_random(task_id, tiny):
    session, _ = tiny(task_id)
    assert session.model.weights == "random"
    assert session.model.settings["tokenizer"] == "embedded"
