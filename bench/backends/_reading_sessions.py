"""Text models that read: answers within a text, likeness of two sentences, a word left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.backends import ModelNotFound
from bench.backends._sessions import Answered
from bench.backends._text_sessions import TextSession, tokens_in
from bench.backends.source import Source
from bench.results.fields import Setting
from bench.task import Output, Request

MASK = "[MASK]"
POOLING = "1_Pooling/config.json"  # where sentence-transformers keeps it


class Answering(TextSession):
    """Extractive question answering: where in the context the answer starts, and where it ends."""

    auto_class = "AutoModelForQuestionAnswering"

    def _answer(self, batch: Sequence[Request]) -> Answered:
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
        return Answered(outputs, tokens_in(encoded))

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


class Similarity(TextSession):
    """Sentence embeddings: one forward pass over both sentences, the cosine of their angle.

    The tokens of a sentence are pooled as the model says, by their mean where it says nothing.
    """

    auto_class = "AutoModel"

    def _prepare(self, source: Source) -> None:
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

    def _settings(self, source: Source) -> Mapping[str, Setting]:
        return {**super()._settings(source), "pooling": self._pooling}

    def _answer(self, batch: Sequence[Request]) -> Answered:
        import torch

        names = ("sentence1", "sentence2")
        sentences = [str(request.inputs[name]) for name in names for request in batch]
        encoded = self._encode(sentences, padding=True)
        hidden = self._forward(encoded).last_hidden_state
        one, two = self._pooled(hidden, encoded["attention_mask"].to(self._device)).chunk(2)
        scores = torch.nn.functional.cosine_similarity(one, two).tolist()
        return Answered([Output(score=score) for score in scores], tokens_in(encoded))

    def _pooled(self, hidden: Any, mask: Any) -> Any:
        """One vector a sentence, in float32."""
        if self._pooling == "first":
            return hidden[:, 0].float()
        weights = mask[:, :, None].float()
        return (hidden.float() * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


class Filling(TextSession):
    """A masked language model: the likeliest token where the mask stands."""

    auto_class = "AutoModelForMaskedLM"

    def _prepare(self, source: Source) -> None:
        super()._prepare(source)
        if self._tokenizer.mask_token is None:
            raise ModelNotFound(f"{self._spec.model} has no mask token: it can't fill one in")

    def _answer(self, batch: Sequence[Request]) -> Answered:
        mask = self._tokenizer.mask_token
        texts = [str(request.inputs["text"]).replace(MASK, mask) for request in batch]
        encoded = self._encode(texts)
        logits = self._forward(encoded).logits
        at = (encoded["input_ids"] == self._tokenizer.mask_token_id).to(logits.device)
        # A mask beyond what the model takes was cut off: there is no word for it then.
        best = logits.argmax(dim=-1)
        chosen = [best[row][at[row]].tolist()[:1] for row in range(len(batch))]
        outputs = [Output(text=self._tokenizer.decode(ids)) for ids in chosen]
        return Answered(outputs, tokens_in(encoded))
