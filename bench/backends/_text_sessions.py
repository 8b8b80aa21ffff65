"""Text models: generation and classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.backends import ModelNotFound
from bench.backends._sessions import Answered, ModelSession, why
from bench.backends.source import Source, tokenizer_folder
from bench.records import Setting
from bench.task import Output, Request


class TextSession(ModelSession):
    """A text model with its tokenizer."""

    def _prepare(self, source: Source) -> None:
        from transformers import AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(
                tokenizer_folder(self._spec, source),
                trust_remote_code=self._spec.trust_remote_code,
            )
        except (OSError, ValueError) as error:
            raise ModelNotFound(why(self._spec, error)) from error

    def _settings(self, source: Source) -> Mapping[str, Setting]:
        return {"tokenizer": "embedded" if source.kind == "architecture" else "its own"}

    def _encode(self, texts: Sequence[str], **words: Any) -> Any:
        """The tokens of one batch on the device, cut to what the model takes."""
        encoded = self._tokenizer(
            list(texts),
            return_tensors="pt",
            padding=len(texts) > 1,
            truncation=True,
            max_length=self._longest(),
            **words,
        )
        return encoded.to(self._device)

    def _longest(self) -> int:
        """The longest input in tokens that the model and its tokenizer take."""
        positions = getattr(self._net.config, "max_position_embeddings", None) or 10**6
        return max(1, min(int(positions), int(self._tokenizer.model_max_length)) - self._reserve())

    def _reserve(self) -> int:
        """How many positions must stay free for the answer."""
        return 0


class Generation(TextSession):
    """A causal language model that writes exactly `new_tokens` tokens."""

    auto_class = "AutoModelForCausalLM"

    def _prepare(self, source: Source) -> None:
        super()._prepare(source)
        self._tokenizer.padding_side = self._tokenizer.truncation_side = "left"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def _reserve(self) -> int:
        return int(self._spec.parameters["new_tokens"] or 0)

    def _answer(self, batch: Sequence[Request]) -> Answered:
        count = self._reserve()
        encoded = self._encode([str(request.inputs["text"]) for request in batch])
        ids = self._net.generate(
            **encoded,
            min_new_tokens=count,
            max_new_tokens=count,
            do_sample=False,
            num_beams=1,
            pad_token_id=self._tokenizer.pad_token_id,
        )
        new = ids[:, encoded["input_ids"].shape[1] :]
        texts = self._tokenizer.batch_decode(new, skip_special_tokens=True)
        return Answered(
            [Output(text=text) for text in texts],
            {**tokens_in(encoded), "output_token_count": new.numel()},
        )


class Classification(TextSession):
    """A sequence classifier: one forward pass, one label."""

    auto_class = "AutoModelForSequenceClassification"

    def _answer(self, batch: Sequence[Request]) -> Answered:
        encoded = self._encode([str(request.inputs["text"]) for request in batch])
        best = self._net(**encoded).logits.argmax(dim=-1).tolist()
        names = self._net.config.id2label
        return Answered([Output(label=str(names[index])) for index in best], tokens_in(encoded))


def tokens_in(encoded: Any) -> dict[str, float]:
    """The tokens that went in, padding not counted."""
    return {"input_token_count": int(encoded["attention_mask"].sum())}
