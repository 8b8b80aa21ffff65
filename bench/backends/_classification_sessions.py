"""Models that label text: a whole text by one of three methods, or every word of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bench.backends import ModelNotFound, ModelSpec
from bench.backends._model_session import (
    BatchOutput,
    TransformersSession,
    load_component,
    token_counts,
)
from bench.backends._model_source import ModelSource
from bench.backends._text_sessions import FixedLengthSession, TextSession, input_counts
from bench.task import Output, Request

# Enough for the longest label of the shipped data sets and an end token.
ANSWER_TOKENS = 8

# Tokens by which a text inside a prompt may exceed the sum of its parts, tokenized alone.
JOIN_TOKENS = 4

# Records keep the name of a template, so a changed template needs a new name.
HYPOTHESIS_ID, HYPOTHESIS = "example-1", "This example is {label}."
PROMPT_ID = "label-1"
PROMPT = (
    "Which one of these labels fits the text below: {labels}?\n"
    "Answer with the label alone.\n\nText: {text}\n\nLabel:"
)


class TextClassificationSession(TextSession):
    """A sequence classifier: one forward pass, one label."""

    auto_class = "AutoModelForSequenceClassification"

    def _load_preprocessor(self, source: ModelSource) -> None:
        super()._load_preprocessor(source)
        self.settings["label_method"] = "classifier"

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        encoded = self._encode([str(request.inputs["text"]) for request in batch])
        outputs = self._best_labels(self._forward(encoded).logits)
        return BatchOutput(outputs, input_counts(encoded))


class ZeroShotSession(TextSession):
    """A model of natural language inference (NLI): the label that the text entails most.

    One forward pass over every pair of a text and a label.
    """

    auto_class = "AutoModelForSequenceClassification"

    def _load_preprocessor(self, source: ModelSource) -> None:
        super()._load_preprocessor(source)
        self.settings |= {
            "label_method": "zero-shot",
            "template": HYPOTHESIS_ID,
            "label_count": len(self._spec.labels),
        }

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        labels = self._spec.labels
        texts = [str(request.inputs["text"]) for request in batch for _ in labels]
        hypotheses = [HYPOTHESIS.format(label=label) for _ in batch for label in labels]
        encoded = self._encode(texts, hypotheses, truncation="only_first", padding=True)
        logits = self._forward(encoded).logits
        entailed = logits[:, entailment_index(self.network.config)].reshape(len(batch), len(labels))
        outputs = [Output(label=labels[index]) for index in entailed.argmax(dim=-1).tolist()]
        return BatchOutput(outputs, input_counts(encoded))


class PromptedSession(FixedLengthSession):
    """An instruction-following model that is prompted for one of the labels.

    The generated text is searched for the labels. Text that names none of them, or several, is a
    refusal: its output has no label and counts as wrong.
    """

    def __init__(self, spec: ModelSpec, source: ModelSource) -> None:
        config = load_component("AutoConfig", spec, source.location)
        kind = "Seq2SeqLM" if config.is_encoder_decoder else "CausalLM"
        self.auto_class = f"AutoModelFor{kind}"
        super().__init__(spec, source)

    def _load_preprocessor(self, source: ModelSource) -> None:
        super()._load_preprocessor(source)
        if not self.network.config.is_encoder_decoder:
            self.tokenizer.padding_side = "left"
            self.reserved_tokens = ANSWER_TOKENS
        self._question_tokens = len(self.tokenizer(self._question(""))["input_ids"]) + JOIN_TOKENS
        self.settings |= {
            "label_method": "prompt",
            "template": PROMPT_ID,
            "chat_template": bool(self.tokenizer.chat_template),
            "label_count": len(self._spec.labels),
            "longest_answer_tokens": ANSWER_TOKENS,
        }

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        prompts = [self.prompt(str(request.inputs["text"])) for request in batch]
        # A chat template already contains its special tokens.
        encoded = self._encode(prompts, add_special_tokens=not self.tokenizer.chat_template)
        new = self._generate(encoded, max_new_tokens=ANSWER_TOKENS)
        texts = self.tokenizer.batch_decode(new, skip_special_tokens=True)
        labels = self._spec.labels
        end = self.network.generation_config.eos_token_id
        counts = token_counts(new, self.tokenizer.pad_token_id, end, new.shape[1])
        return BatchOutput(
            [Output(text=text, label=label_in(text, labels)) for text in texts],
            {**input_counts(encoded), "output_token_count": sum(counts)},
        )

    def prompt(self, text: str) -> str:
        """The question with the text, truncated so that the question fits."""
        free = max(1, self._max_input_tokens() - self._question_tokens)
        ids = self.tokenizer(text, add_special_tokens=False, truncation=True, max_length=free)[
            "input_ids"
        ]
        return self._question(self.tokenizer.decode(ids))

    def _question(self, text: str) -> str:
        question = PROMPT.format(labels=", ".join(self._spec.labels), text=text)
        if not self.tokenizer.chat_template:
            return question
        chat: str = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
        )
        return chat


class TokenClassificationSession(TextSession):
    """A tagger: one forward pass; the label of a word is that of its first token.

    Words beyond the longest input get the label "O" (outside).
    """

    auto_class = "AutoModelForTokenClassification"

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        sentences = [list(request.inputs["words"]) for request in batch]
        encoded = self._encode(sentences, is_split_into_words=True)
        best = self._forward(encoded).logits.argmax(dim=-1).tolist()
        names = self.network.config.id2label
        outputs = []
        for row, words in enumerate(sentences):
            labels = ["O"] * len(words)
            for token, word in reversed([*enumerate(encoded.word_ids(row))]):
                if word is not None:
                    labels[word] = str(names[best[row][token]])
            outputs.append(Output(labels=tuple(labels)))
        return BatchOutput(outputs, input_counts(encoded))


SESSIONS: dict[str, type[TransformersSession]] = {
    "classifier": TextClassificationSession,
    "zero-shot": ZeroShotSession,
    "prompt": PromptedSession,
}


def classification_session(spec: ModelSpec, source: ModelSource) -> TransformersSession:
    """The session for text classification, by the method of the run or by the architecture.

    Raises ModelNotFound where the model or the data set does not support the method.
    """
    config = load_component("AutoConfig", spec, source.location)
    method: str = spec.settings.label_method
    if method == "auto":
        method = _usual_method(config)
    if method == "zero-shot" and entailment_index(config) is None:
        raise ModelNotFound(
            f"{spec.model} has no label for entailment, which zero-shot classification needs"
        )
    if method != "classifier" and len(spec.labels) < 2:
        raise ModelNotFound(
            f"the data set names no labels, which {spec.model} needs to choose from"
        )
    return SESSIONS[method](spec, source)


def _usual_method(config: Any) -> str:
    """Prompts for a text generator, zero-shot for an NLI model, else the classifier's labels."""
    classes = " ".join(config.architectures or ())
    if any(name in classes for name in ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")):
        return "prompt"
    return "classifier" if entailment_index(config) is None else "zero-shot"


def entailment_index(config: Any) -> int | None:
    """The index of the label "entailment" of an NLI model; None for any other model."""
    indices = [key for key, name in config.id2label.items() if str(name).lower() == "entailment"]
    return int(indices[0]) if indices else None


def label_in(answer: str, labels: Sequence[str]) -> str | None:
    """The label that an answer contains as a word; None where it contains none, or several."""
    contained = [
        label
        for label in labels
        if re.search(rf"(?<!\w){re.escape(label)}(?!\w)", answer, re.IGNORECASE)
    ]
    return contained[0] if len(contained) == 1 else None
