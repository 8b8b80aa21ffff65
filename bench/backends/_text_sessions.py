"""Generation, summarization, question answering, similarity, fill-mask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bench.backends import ModelNotFound
from bench.backends._model_session import BatchOutput, TransformersSession, load_component
from bench.backends._model_source import ModelSource, tokenizer_folder, tokenizer_origin
from bench.task import Output, Request

# The mask in a request, whatever the mask token of the model.
MASK = "[MASK]"

# Where sentence-transformers keeps how a model pools its tokens.
POOLING_FILE = "1_Pooling/config.json"
POOLING_MODES = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "first"}


class TextSession(TransformersSession):
    """A text model with its tokenizer."""

    # Positions that stay free for the output.
    reserved_tokens = 0

    def _load_preprocessor(self, source: ModelSource) -> None:
        self.tokenizer = load_component(
            "AutoTokenizer", self._spec, tokenizer_folder(self._spec, source)
        )
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.settings["tokenizer"] = tokenizer_origin(source)

    def _encode(self, *parts: Sequence[Any], **options: Any) -> Any:
        """The tokens of one batch, truncated to what the model takes.

        Two parts are the two halves of every input, such as questions and contexts.
        """
        defaults = {
            "padding": len(parts[0]) > 1,
            "truncation": True,
            "max_length": self._max_input_tokens(),
        }
        lists = [list(part) for part in parts]
        return self.tokenizer(*lists, return_tensors="pt", **{**defaults, **options})

    def _network_inputs(self, encoded: Any) -> dict[str, Any]:
        """The tensors of a batch on the device, without token types if the network has none."""
        has_types = (getattr(self.network.config, "type_vocab_size", None) or 0) > 1
        return {
            name: tensor.to(self._device)
            for name, tensor in encoded.items()
            if name != "token_type_ids" or has_types
        }

    def _forward(self, encoded: Any) -> Any:
        """The output of one forward pass."""
        return self.network(**self._network_inputs(encoded))

    def _max_input_tokens(self) -> int:
        """The longest input that the network and its tokenizer take, in tokens."""
        positions = getattr(self.network.config, "max_position_embeddings", None) or 10**6
        longest = min(int(positions), int(self.tokenizer.model_max_length))
        return max(1, longest - self.reserved_tokens)


class QuestionAnsweringSession(TextSession):
    """Extractive question answering: the span of the context with the highest score."""

    auto_class = "AutoModelForQuestionAnswering"

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        questions = [str(request.inputs["question"]) for request in batch]
        contexts = [str(request.inputs["context"]) for request in batch]
        encoded = self._encode(
            questions, contexts, truncation="only_second", return_offsets_mapping=True
        )
        offsets = encoded.pop("offset_mapping").tolist()
        result = self._forward(encoded)
        outputs = []
        for row, context in enumerate(contexts):
            in_context = [part == 1 for part in encoded.sequence_ids(row)]
            first, last = self._best_span(
                result.start_logits[row], result.end_logits[row], in_context
            )
            text = context[offsets[row][first][0] : offsets[row][last][1]]
            outputs.append(Output(text=text.strip()))
        return BatchOutput(outputs, input_counts(encoded))

    def _best_span(self, starts: Any, ends: Any, in_context: list[bool]) -> tuple[int, int]:
        """First and last token of the most likely answer within the context.

        `starts` and `ends` are the logits of one row, one a token.
        """
        import torch

        longest = int(self._spec.parameters["longest_answer_tokens"] or 1)
        outside = ~torch.tensor(in_context, device=starts.device)
        starts, ends = (x.float().masked_fill(outside, -torch.inf) for x in (starts, ends))
        scores = starts[:, None] + ends[None, :]
        allowed = torch.ones_like(scores, dtype=torch.bool).triu().tril(longest - 1)
        best = int(scores.masked_fill(~allowed, -torch.inf).argmax())
        return divmod(best, len(in_context))


class SentenceSimilaritySession(TextSession):
    """Sentence embeddings: one forward pass over both sentences, and their cosine similarity.

    The tokens of a sentence are pooled as the model's files say, by default by their mean.
    """

    auto_class = "AutoModel"

    def _load_preprocessor(self, source: ModelSource) -> None:
        super()._load_preprocessor(source)
        file = source.folder / POOLING_FILE
        config = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        modes = [
            name for name, on in config.items() if name.startswith("pooling_mode") and on is True
        ]
        mode = modes[0] if modes else "pooling_mode_mean_tokens"
        if len(modes) > 1 or mode not in POOLING_MODES:
            raise ModelNotFound(
                f"{self._spec.model} pools by {', '.join(modes)}, not by mean or CLS"
            )
        self._pooling = self.settings["pooling"] = POOLING_MODES[mode]

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        import torch

        names = ("sentence1", "sentence2")
        sentences = [str(request.inputs[name]) for name in names for request in batch]
        encoded = self._encode(sentences, padding=True)
        hidden = self._forward(encoded).last_hidden_state
        one, two = self._pool(hidden, encoded["attention_mask"].to(self._device)).chunk(2)
        scores = torch.nn.functional.cosine_similarity(one, two).tolist()
        return BatchOutput([Output(score=score) for score in scores], input_counts(encoded))

    def _pool(self, hidden: Any, mask: Any) -> Any:
        """One float32 vector a sentence, from (sentences, tokens, width) and the token mask."""
        if self._pooling == "first":
            return hidden[:, 0].float()
        weights = mask[:, :, None].float()
        return (hidden.float() * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


class FillMaskSession(TextSession):
    """A masked language model: the most likely token at the mask."""

    auto_class = "AutoModelForMaskedLM"

    def _load_preprocessor(self, source: ModelSource) -> None:
        super()._load_preprocessor(source)
        if self.tokenizer.mask_token is None:
            raise ModelNotFound(f"{self._spec.model} has no mask token: it cannot fill one in")

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        mask = self.tokenizer.mask_token
        texts = [str(request.inputs["text"]).replace(MASK, mask) for request in batch]
        encoded = self._encode(texts)
        logits = self._forward(encoded).logits
        is_mask = (encoded["input_ids"] == self.tokenizer.mask_token_id).to(logits.device)
        best = logits.argmax(dim=-1)
        # The mask may have been truncated with the end of a long text: then the answer is empty.
        tokens = [best[row][is_mask[row]].tolist()[:1] for row in range(len(batch))]
        outputs = [Output(text=self.tokenizer.decode(ids)) for ids in tokens]
        return BatchOutput(outputs, input_counts(encoded))


class FixedLengthSession(TextSession):
    """A model that generates exactly `new_tokens` tokens, past its own end token.

    It reads `prefix` before the text of a request.
    """

    prefix = ""

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        texts = [self.prefix + str(request.inputs["text"]) for request in batch]
        encoded = self._encode(texts)
        new = self._generate(
            encoded, min_new_tokens=self._new_tokens, max_new_tokens=self._new_tokens
        )
        generated = self.tokenizer.batch_decode(new, skip_special_tokens=True)
        return BatchOutput(
            [Output(text=text) for text in generated],
            {**input_counts(encoded), "output_token_count": new.numel()},
        )

    @property
    def _new_tokens(self) -> int:
        return int(self._spec.parameters["new_tokens"] or 0)

    def _generate(self, encoded: Any, **lengths: int) -> Any:
        """The new tokens by greedy decoding, one row a sequence."""
        ids = self.network.generate(
            **self._network_inputs(encoded),
            **lengths,
            do_sample=False,
            num_beams=1,
            pad_token_id=self.tokenizer.pad_token_id,
        )
        # A separate decoder starts from one token; a decoder-only model repeats its input.
        is_encoder_decoder = self.network.config.is_encoder_decoder
        return ids[:, 1 if is_encoder_decoder else encoded["input_ids"].shape[1] :]


class TextGenerationSession(FixedLengthSession):
    """A causal language model that continues a text."""

    auto_class = "AutoModelForCausalLM"

    def _load_preprocessor(self, source: ModelSource) -> None:
        super()._load_preprocessor(source)
        self.tokenizer.padding_side = self.tokenizer.truncation_side = "left"
        self.reserved_tokens = self._new_tokens


class SummarizationSession(FixedLengthSession):
    """An encoder-decoder that summarizes; its output needs no positions of the input."""

    auto_class = "AutoModelForSeq2SeqLM"

    def _load_preprocessor(self, source: ModelSource) -> None:
        super()._load_preprocessor(source)
        # The instruction that a model of many tasks (T5) was trained with.
        by_task = getattr(self.network.config, "task_specific_params", None) or {}
        self.prefix = str(by_task.get("summarization", {}).get("prefix") or "")
        self.settings["prefix"] = self.prefix or None


def input_counts(encoded: Any) -> dict[str, float]:
    """The input tokens of a batch, without padding."""
    return {"input_token_count": int(encoded["attention_mask"].sum())}
