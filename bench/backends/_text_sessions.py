"""Generation, summarization, question answering, similarity, fill-mask."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.backends import ModelNotFound
from bench.backends._model_session import BatchOutput, TransformersSession, tokenizer
from bench.backends._model_source import ModelSource, owns_tokenizer
from bench.results.fields import Setting
from bench.task import Output, Request

MASK = "[MASK]"
POOLING = "1_Pooling/config.json"  # where sentence-transformers keeps it


class TextSession(TransformersSession):
    """A text model with its tokenizer."""

    def _prepare(self, source: ModelSource) -> None:
        self._tokenizer = tokenizer(self._spec, source)
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
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


class QuestionAnsweringSession(TextSession):
    """Extractive question answering: where in the context the answer starts, and where it ends."""

    auto_class = "AutoModelForQuestionAnswering"

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        questions = [str(request.inputs["question"]) for request in batch]
        contexts = [str(request.inputs["context"]) for request in batch]
        encoded = self._encode(
            questions, contexts, truncation="only_second", return_offsets_mapping=True
        )
        offsets = encoded.pop("offset_mapping").tolist()
        found = self._forward(encoded)
        outputs = []
        for place, context in enumerate(contexts):
            within = [part == 1 for part in encoded.sequence_ids(place)]
            first, last = self._span(found.start_logits[place], found.end_logits[place], within)
            text = context[offsets[place][first][0] : offsets[place][last][1]]
            outputs.append(Output(text=text.strip()))
        return BatchOutput(outputs, tokens_in(encoded))

    def _span(self, starts: Any, ends: Any, within: list[bool]) -> tuple[int, int]:
        """The likeliest first and last token of an answer that lies in the context."""
        import torch

        longest = int(self._spec.parameters["longest_answer_tokens"] or 1)
        outside = ~torch.tensor(within, device=starts.device)
        starts, ends = (x.float().masked_fill(outside, -torch.inf) for x in (starts, ends))
        both = starts[:, None] + ends[None, :]
        possible = torch.ones_like(both, dtype=torch.bool).triu().tril(longest - 1)
        best = int(both.masked_fill(~possible, -torch.inf).argmax())
        return divmod(best, len(within))


class SentenceSimilaritySession(TextSession):
    """Sentence embeddings: one forward pass over both sentences, the cosine of their angle.

    The tokens of a sentence are pooled as the model says, by their mean where it says nothing.
    """

    auto_class = "AutoModel"

    def _prepare(self, source: ModelSource) -> None:
        super()._prepare(source)
        file = source.folder / POOLING
        said = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        ways = [name for name, on in said.items() if name.startswith("pooling_mode") and on is True]
        known = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "first"}
        way = ways[0] if ways else "pooling_mode_mean_tokens"
        if len(ways) > 1 or way not in known:
            raise ModelNotFound(
                f"{self._spec.model} pools by {', '.join(ways)}, not by mean or CLS"
            )
        self._pooling = known[way]

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
        return {**super()._settings(source), "pooling": self._pooling}

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        import torch

        names = ("sentence1", "sentence2")
        sentences = [str(request.inputs[name]) for name in names for request in batch]
        encoded = self._encode(sentences, padding=True)
        hidden = self._forward(encoded).last_hidden_state
        one, two = self._pooled(hidden, encoded["attention_mask"].to(self._device)).chunk(2)
        scores = torch.nn.functional.cosine_similarity(one, two).tolist()
        return BatchOutput([Output(score=score) for score in scores], tokens_in(encoded))

    def _pooled(self, hidden: Any, mask: Any) -> Any:
        """One vector a sentence, in float32."""
        if self._pooling == "first":
            return hidden[:, 0].float()
        weights = mask[:, :, None].float()
        return (hidden.float() * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


class FillMaskSession(TextSession):
    """A masked language model: the likeliest token where the mask stands."""

    auto_class = "AutoModelForMaskedLM"

    def _prepare(self, source: ModelSource) -> None:
        super()._prepare(source)
        if self._tokenizer.mask_token is None:
            raise ModelNotFound(f"{self._spec.model} has no mask token: it can't fill one in")

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        mask = self._tokenizer.mask_token
        texts = [str(request.inputs["text"]).replace(MASK, mask) for request in batch]
        encoded = self._encode(texts)
        logits = self._forward(encoded).logits
        at = (encoded["input_ids"] == self._tokenizer.mask_token_id).to(logits.device)
        # A mask beyond what the model takes was cut off: there is no word for it then.
        best = logits.argmax(dim=-1)
        chosen = [best[row][at[row]].tolist()[:1] for row in range(len(batch))]
        outputs = [Output(text=self._tokenizer.decode(ids)) for ids in chosen]
        return BatchOutput(outputs, tokens_in(encoded))


class FixedLengthSession(TextSession):
    """A model that writes exactly `new_tokens` tokens, whatever it would like to do."""

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        encoded = self._encode([self._asked(str(request.inputs["text"])) for request in batch])
        count = self._new_tokens
        new = self._generate(encoded, min_new_tokens=count, max_new_tokens=count)
        texts = self._tokenizer.batch_decode(new, skip_special_tokens=True)
        return BatchOutput(
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


class TextGenerationSession(FixedLengthSession):
    """A causal language model: it goes on where the text ends."""

    auto_class = "AutoModelForCausalLM"

    def _prepare(self, source: ModelSource) -> None:
        super()._prepare(source)
        self._tokenizer.padding_side = self._tokenizer.truncation_side = "left"

    def _reserve(self) -> int:
        return self._new_tokens


class SummarizationSession(FixedLengthSession):
    """An encoder that reads, and a decoder that writes with positions of its own."""

    auto_class = "AutoModelForSeq2SeqLM"

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
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
