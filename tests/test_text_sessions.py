"""Sessions of text models: their outputs, compared with the library, and their counted work."""

import functools
import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from session_loader import load
from sklearn.metrics import accuracy_score

from bench.backends import ModelNotFound
from bench.runner import quality
from bench.task import Request
from bench.workloads import embedded

READING = ("fill-mask", "question-answering", "sentence-similarity", "token-classification")


@pytest.fixture(scope="module")
def tiny():
    """One session a task, shared by the tests that do not change it."""
    return functools.cache(load)


# Counted work


def test_ten_tokens_are_generated_by_an_encoder_decoder_past_its_end_token():
    session, work = load("summarization", batch_size=4)
    # The end token is by far the most likely one.
    end = torch.tensor([session.network.config.eos_token_id])
    session.network.lm_head.register_forward_hook(
        lambda module, inputs, logits: logits.index_fill(-1, end, 1e4)
    )
    # Its generation settings have other lengths and a beam search, as BART's do.
    own = {"min_length": 56, "max_length": 142, "num_beams": 4, "no_repeat_ngram_size": 3}
    session.network.generation_config.update(**own, length_penalty=2.0, early_stopping=True)
    served = session.serve(work.blocks[0])
    assert served.work.output_token_count == 10 * len(work.blocks[0]) == 100
    assert len(served.outputs) == 10


def test_text_is_truncated_to_the_longest_input():
    session, _ = load("summarization")
    long = Request({"text": "word " * 5000})
    longest = session.tokenizer.model_max_length
    assert session.serve([long]).work.input_token_count == longest == 256


@pytest.mark.parametrize("task_id", READING)
def test_batch_gives_the_outputs_and_tokens_of_single_requests(task_id, tiny):
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


def test_accuracy_is_that_of_the_library_and_falls_by_one_row_for_one_wrong_label(tmp_path):
    from transformers import pipeline

    rows = [dict(row) for row in embedded.rows("text-classification")[:200]]

    def measured(rows):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        session, work = load("text-classification", dataset=str(path))
        served = session.serve(work.requests)
        return quality.evaluate_quality(work, zip(work.requests, served.outputs, strict=True))

    folder = str(embedded.model_path("text-classification", "tiny"))
    library = pipeline("text-classification", folder, truncation=True)
    guesses = [score["label"] for score in library([row["text"] for row in rows])]
    score = measured(rows)
    assert score.value == accuracy_score([row["label"] for row in rows], guesses)
    assert 0.4 < score.value < 1 and score.sample_count == 200
    right = next(n for n, row in enumerate(rows) if row["label"] == guesses[n])
    wrong = next(row["label"] for row in rows if row["label"] != guesses[right])
    planted = [*rows[:right], {**rows[right], "label": wrong}, *rows[right + 1 :]]
    assert measured(planted).value == pytest.approx(score.value - 1 / 200, abs=1e-12)


def test_word_has_the_label_of_its_first_token(tiny):
    from transformers import pipeline

    session, work = tiny("token-classification")
    served = session.serve(work.requests[:40])
    score = quality.evaluate_quality(work, zip(work.requests[:40], served.outputs, strict=True))
    assert score.metric == "F1" and score.value > 0.6
    folder = str(embedded.model_path("token-classification", "tiny"))
    library = pipeline("token-classification", folder, ignore_labels=[])
    words = work.requests[0].inputs["words"]
    first = {part["start"]: part["entity"] for part in library(" ".join(words))}
    starts = [sum(len(word) + 1 for word in words[:n]) for n in range(len(words))]
    assert served.outputs[0].labels == tuple(first[start] for start in starts)


def test_words_beyond_the_longest_input_are_labelled_outside(tiny):
    session, _ = tiny("token-classification")
    (output,) = session.serve([Request({"words": ("whale",) * 200})]).outputs
    assert len(output.labels) == 200 and output.labels[-1] == "O" != output.labels[0]


def test_filled_word_is_that_of_the_library(tiny):
    from transformers import pipeline

    session, work = tiny("fill-mask")
    served = session.serve(work.requests[:20])
    library = pipeline("fill-mask", model=session.network, tokenizer=session.tokenizer)
    texts = [request.inputs["text"] for request in work.requests[:20]]
    assert [output.text for output in served.outputs] == [
        library(text)[0]["token_str"] for text in texts
    ]


def test_truncated_mask_has_an_empty_answer(tiny):
    session, _ = tiny("fill-mask")
    (output,) = session.serve([Request({"text": "word " * 500 + "[MASK]"})]).outputs
    assert output.text == ""


def test_answer_is_a_span_of_the_context_and_not_of_the_question(tiny, monkeypatch):
    session, _ = tiny("question-answering")
    question, context = "Who swam?", "The old whale swam away, he said."
    words = session.tokenizer(question, context)
    # The best token is in the question, and the best end in the context is before its start.
    starts, ends = torch.zeros(2, 1, len(words["input_ids"]))
    starts[0, [1, 6, 7]] = torch.tensor([9.0, 3, 8])
    ends[0, [1, 5, 6, 8]] = torch.tensor([9.0, 8, 3, 7])
    logits = SimpleNamespace(start_logits=starts, end_logits=ends)
    monkeypatch.setattr(session, "_forward", lambda encoded: logits)
    (output,) = session.serve([Request({"question": question, "context": context})]).outputs
    first, last = (words.token_to_chars(place) for place in (7, 8))
    assert output.text == context[first.start : last.end] != ""


def test_answer_is_no_longer_than_the_task_allows(tiny):
    session, work = tiny("question-answering")
    for request, output in zip(work.blocks[1], session.serve(work.blocks[1]).outputs, strict=True):
        assert output.text and output.text in request.inputs["context"]
        assert len(session.tokenizer(output.text, add_special_tokens=False)["input_ids"]) <= 30


def test_sentence_is_most_similar_to_itself(tiny):
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
def test_embedding_is_pooled_as_the_model_files_say(modes, pooling, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(embedded.model_path("sentence-similarity", "tiny"), folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    if pooling is None:
        with pytest.raises(ModelNotFound, match="pools by pooling_mode_max_tokens"):
            load("sentence-similarity", folder, weights="random")
    else:
        session, _ = load("sentence-similarity", folder, weights="random")
        assert session.model.settings["pooling"] == pooling


def test_embedded_configuration_without_weights_is_recorded_as_random(tmp_path, monkeypatch):
    whole = embedded.FOLDER
    monkeypatch.setattr(embedded, "FOLDER", tmp_path)
    for path in ("data/fill-mask.jsonl", "models/fill-mask/tiny/config.json"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(whole / path, tmp_path / path)
    fallback = "models/text-classification/small"
    shutil.copytree(whole / fallback, tmp_path / fallback)
    session, _ = load("fill-mask")
    assert session.model.weights == "random"
    assert session.model.settings["tokenizer"] == "embedded"


@pytest.mark.parametrize(
    "task_id", ["fill-mask", "question-answering", "sentence-similarity", "summarization"]
)
def test_embedded_model_has_its_stated_quality_and_beats_its_baseline(task_id, tiny):
    session, work = tiny(task_id)
    served = session.serve(work.requests)
    score = quality.evaluate_quality(work, zip(work.requests, served.outputs, strict=True))
    stated = json.loads((embedded.model_path(task_id, "tiny") / "quality.json").read_text())
    assert score.value == pytest.approx(stated["value"], abs=0.005)
    assert score.low > stated["baseline_value"]
