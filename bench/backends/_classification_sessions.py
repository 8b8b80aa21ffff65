"""Text models that label: a text as a whole, in three ways of asking, or every word of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bench.backends import ModelNotFound, ModelSpec
from bench.backends._model_session import BatchOutput, TransformersSession, configuration
from bench.backends._model_source import ModelSource
from bench.backends._text_sessions import FixedLengthSession, TextSession, tokens_in
from bench.results.fields import Setting
from bench.task import Output, Request

ANSWER_TOKENS, SEAMS = 8, 4

# The templates have names that a record keeps: a template that changes gets a new one.
HYPOTHESIS_ID, HYPOTHESIS = "example-1", "This example is {label}."
PROMPT_ID = "label-1"
PROMPT = (
    "Which one of these labels fits the text below: {labels}?\n"
    "Answer with the label alone.\n\nText: {text}\n\nLabel:"
)


class TextClassificationSession(TextSession):
    """A sequence classifier: one forward pass, one label."""

    auto_class = "AutoModelForSequenceClassification"

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
        return {**super()._settings(source), "asked_as": "classifier"}

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        encoded = self._encode([str(request.inputs["text"]) for request in batch])
        best = self._forward(encoded).logits.argmax(dim=-1).tolist()
        names = self._net.config.id2label
        return BatchOutput([Output(label=str(names[index])) for index in best], tokens_in(encoded))


class ZeroShotSession(TextSession):
    """An inference (NLI) model: of the labels it takes the one that the text entails the most.

    One forward pass reads every text once for each label.
    """

    auto_class = "AutoModelForSequenceClassification"

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
        return {
            **super()._settings(source),
            "asked_as": "zero-shot",
            "template": HYPOTHESIS_ID,
            "label_count": len(labels_of(self._spec)),
        }

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        labels = labels_of(self._spec)
        texts = [str(request.inputs["text"]) for request in batch for _ in labels]
        claims = [HYPOTHESIS.format(label=label) for _ in batch for label in labels]
        encoded = self._encode(texts, claims, truncation="only_first", padding=True)
        logits = self._forward(encoded).logits
        entailed = logits[:, entailment(self._net.config)].reshape(len(batch), len(labels))
        outputs = [Output(label=labels[index]) for index in entailed.argmax(dim=-1).tolist()]
        return BatchOutput(outputs, tokens_in(encoded))


class PromptedSession(FixedLengthSession):
    """A model that follows instructions: asked for one of the labels in words.

    What it writes is searched for the labels; an answer that names none of them, or several, is a
    refusal: it has no label, and counts as wrong.
    """

    def _prepare(self, source: ModelSource) -> None:
        super()._prepare(source)
        if not self._net.config.is_encoder_decoder:
            self._tokenizer.padding_side = "left"
        # What the question takes, with a few tokens for the seams between it and the text.
        self._frame = len(self._tokenizer(self._question(""))["input_ids"]) + SEAMS

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
        return {
            **super()._settings(source),
            "asked_as": "prompt",
            "template": PROMPT_ID,
            "chat_template": bool(self._tokenizer.chat_template),
            "label_count": len(labels_of(self._spec)),
            "longest_answer_tokens": ANSWER_TOKENS,
        }

    def _reserve(self) -> int:
        return 0 if self._net.config.is_encoder_decoder else ANSWER_TOKENS

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        prompts = [self._prompt(str(request.inputs["text"])) for request in batch]
        # A chat template brings its special tokens along.
        encoded = self._encode(prompts, add_special_tokens=not self._tokenizer.chat_template)
        new = self._generate(encoded, max_new_tokens=ANSWER_TOKENS)
        texts = self._tokenizer.batch_decode(new, skip_special_tokens=True)
        labels = labels_of(self._spec)
        return BatchOutput(
            [Output(text=text, label=named(text, labels)) for text in texts],
            {**tokens_in(encoded), "output_token_count": sum(map(self._written, new.tolist()))},
        )

    def _prompt(self, text: str) -> str:
        """The question with as much of the text as fits."""
        free = max(1, self._longest() - self._frame)
        ids = self._tokenizer(text, add_special_tokens=False, truncation=True, max_length=free)[
            "input_ids"
        ]
        return self._question(self._tokenizer.decode(ids))

    def _question(self, text: str) -> str:
        question = PROMPT.format(labels=", ".join(labels_of(self._spec)), text=text)
        if not self._tokenizer.chat_template:
            return question
        said: str = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
        )
        return said

    def _written(self, row: list[int]) -> int:
        """The tokens of one answer, its end included; what fills up the batch is not counted."""
        end = self._net.generation_config.eos_token_id
        ends = {self._tokenizer.pad_token_id, *(end if isinstance(end, list) else [end])}
        return next((place + 1 for place, token in enumerate(row) if token in ends), len(row))


class PromptedDecoderSession(PromptedSession):
    """A causal language model that is asked in words."""

    auto_class = "AutoModelForCausalLM"


class PromptedSeq2SeqSession(PromptedSession):
    """An encoder-decoder that is asked in words."""

    auto_class = "AutoModelForSeq2SeqLM"


class TokenClassificationSession(TextSession):
    """A tagger: one forward pass, one label a word, read off the first token of the word.

    Words beyond what the model takes get "O", the label for nothing found.
    """

    auto_class = "AutoModelForTokenClassification"

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        sentences = [list(request.inputs["words"]) for request in batch]
        encoded = self._encode(sentences, is_split_into_words=True)
        best = self._forward(encoded).logits.argmax(dim=-1).tolist()
        names = self._net.config.id2label
        outputs = []
        for place, words in enumerate(sentences):
            labels = ["O"] * len(words)
            for at, word in reversed([*enumerate(encoded.word_ids(place))]):
                if word is not None:
                    labels[word] = str(names[best[place][at]])
            outputs.append(Output(labels=tuple(labels)))
        return BatchOutput(outputs, tokens_in(encoded))


def classification(spec: ModelSpec, source: ModelSource) -> TransformersSession:
    """The session for a text to be labelled as a whole: as asked for, or as the model is made."""
    config = configuration(spec, source)
    made = " ".join(config.architectures or ())
    writes = "ForCausalLM" in made or "ForConditionalGeneration" in made
    ask = spec.ask
    if ask == "auto":
        fits = "zero-shot" if entailment(config) is not None else "classifier"
        ask = "prompt" if writes or "LMHeadModel" in made else fits
    if ask == "zero-shot" and entailment(config) is None:
        raise ModelNotFound(f"{spec.model} does not say what a text entails: it can't be asked so")
    if ask != "classifier":
        labels_of(spec)
    prompted = PromptedSeq2SeqSession if config.is_encoder_decoder else PromptedDecoderSession
    kinds = {
        "classifier": TextClassificationSession,
        "zero-shot": ZeroShotSession,
        "prompt": prompted,
    }
    return kinds[ask](spec, source)


def labels_of(spec: ModelSpec) -> tuple[str, ...]:
    """The labels to choose from. Raises ModelNotFound where the data set names none."""
    if len(spec.labels) < 2:
        raise ModelNotFound(f"the data set names no labels that {spec.model} could be asked for")
    return spec.labels


def entailment(config: Any) -> int | None:
    """The place of the label for "entailed" in an inference model; None in any other."""
    found = [k for k, v in config.id2label.items() if str(v).lower() == "entailment"]
    return int(found[0]) if found else None


def named(answer: str, labels: Sequence[str]) -> str | None:
    """The one label that an answer names as a word, or None."""
    found = [
        label
        for label in labels
        if re.search(rf"(?<!\w){re.escape(label)}(?!\w)", answer, re.IGNORECASE)
    ]
    return found[0] if len(found) == 1 else None
