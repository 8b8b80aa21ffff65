"""Text models that write: what every text model shares, generation and summarization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.backends._sessions import Answered, ModelSession, tokenizer
from bench.backends.source import Source, owns_tokenizer
from bench.results.fields import Setting
from bench.task import Output, Request


class TextSession(ModelSession):
    """A text model with its tokenizer."""

    def _prepare(self, source: Source) -> None:
        self._tokenizer = tokenizer(self._spec, source)
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def _settings(self, source: Source) -> Mapping[str, Setting]:
        return {"tokenizer": "its own" if owns_tokenizer(source) else "embedded"}

    def _encode(self, *parts: Sequence[Any], **words: Any) -> Any:
        """The tokens of one batch, cut to what the model takes.

        Two parts are the two halves of every input, such as questions and contexts.
        """
        usual = {"padding": len(parts[0]) > 1, "truncation": True, "max_length": self._longest()}
        lists = [list(part) for part in parts]
        return self._tokenizer(*lists, return_tensors="pt", **{**usual, **words})

    def _given(self, encoded: Any) -> dict[str, Any]:
        """What the network takes of a batch; one that can't tell two halves apart is not told."""
        told = (getattr(self._net.config, "type_vocab_size", None) or 0) > 1
        known = {k: v for k, v in encoded.items() if k != "token_type_ids" or told}
        return {name: tensor.to(self._device) for name, tensor in known.items()}

    def _forward(self, encoded: Any) -> Any:
        """One forward pass."""
        return self._net(**self._given(encoded))

    def _longest(self) -> int:
        """The longest input in tokens that the model and its tokenizer take."""
        positions = getattr(self._net.config, "max_position_embeddings", None) or 10**6
        return max(1, min(int(positions), int(self._tokenizer.model_max_length)) - self._reserve())

    def _reserve(self) -> int:
        """How many positions must stay free for the answer."""
        return 0


class Writing(TextSession):
    """A model that writes exactly `new_tokens` tokens, whatever it would like to do."""

    def _answer(self, batch: Sequence[Request]) -> Answered:
        encoded = self._encode([self._asked(str(request.inputs["text"])) for request in batch])
        count = self._new_tokens
        new = self._generate(encoded, min_new_tokens=count, max_new_tokens=count)
        texts = self._tokenizer.batch_decode(new, skip_special_tokens=True)
        return Answered(
            [Output(text=text) for text in texts],
            {**tokens_in(encoded), "output_token_count": new.numel()},
        )

    @property
    def _new_tokens(self) -> int:
        return int(self._spec.parameters["new_tokens"] or 0)

    def _asked(self, text: str) -> str:
        """What the model reads for a text."""
        return text

    def _generate(self, encoded: Any, **lengths: int) -> Any:
        """The tokens that are new, greedily, one row a sequence."""
        ids = self._net.generate(
            **self._given(encoded),
            **lengths,
            do_sample=False,
            num_beams=1,
            pad_token_id=self._tokenizer.pad_token_id,
        )
        # A decoder of its own starts from one token; any other model repeats what it read.
        old = 1 if self._net.config.is_encoder_decoder else encoded["input_ids"].shape[1]
        return ids[:, old:]


class Generation(Writing):
    """A causal language model: it goes on where the text ends."""

    auto_class = "AutoModelForCausalLM"

    def _prepare(self, source: Source) -> None:
        super()._prepare(source)
        self._tokenizer.padding_side = self._tokenizer.truncation_side = "left"

    def _reserve(self) -> int:
        return self._new_tokens


class Summarization(Writing):
    """An encoder that reads, and a decoder that writes with positions of its own."""

    auto_class = "AutoModelForSeq2SeqLM"

    def _settings(self, source: Source) -> Mapping[str, Setting]:
        return {**super()._settings(source), "prefix": self._prefix or None}

    @property
    def _prefix(self) -> str:
        """What a model of many tasks (T5) must read first to know that it shall summarize."""
        known = getattr(self._net.config, "task_specific_params", None) or {}
        return str(known.get("summarization", {}).get("prefix") or "")

    def _asked(self, text: str) -> str:
        return self._prefix + text


def tokens_in(encoded: Any) -> dict[str, float]:
    """The tokens that went in, padding not counted."""
    return {"input_token_count": int(encoded["attention_mask"].sum())}
