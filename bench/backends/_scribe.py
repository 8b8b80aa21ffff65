"""Written answers of models that see or hear: their tokenizer, their length, tokens counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.backends import Spec
from bench.backends._sessions import tokenizer
from bench.backends.source import Source, owns_tokenizer
from bench.results.fields import Setting


class Scribe:
    """Lets a network write about what it was given, greedily.

    It writes as much as the model likes, up to the task's limit. A network with random weights
    never stops by itself, so it writes a number of tokens that the task fixes.
    """

    def __init__(self, spec: Spec, source: Source, net: Any) -> None:
        self._net, self._parameters = net, spec.parameters
        self._random = spec.weights == "random"
        self._own = owns_tokenizer(source)
        self.tokenizer = tokenizer(spec, source)

    def settings(self) -> dict[str, Setting]:
        """What belongs into the record of the model."""
        return {
            "tokenizer": "its own" if self._own else "embedded",
            "fixed_new_tokens": self._parameters["random_new_tokens"] if self._random else None,
        }

    def write(self, inputs: Mapping[str, Any], **words: Any) -> tuple[list[str], int]:
        """The texts of one batch, and how many tokens were written, ends included."""
        steps = _steps()
        ids = self._net.generate(
            **inputs,
            **self._length(),
            **words,
            do_sample=False,
            num_beams=1,
            stopping_criteria=[steps],
        )
        new = ids[:, -steps.count :]
        texts = self.tokenizer.batch_decode(new, skip_special_tokens=True)
        return [text.strip() for text in texts], self._written(new.tolist(), steps.count)

    def _length(self) -> dict[str, int]:
        if self._random:
            fixed = _whole(self._parameters["random_new_tokens"])
            return {"min_new_tokens": fixed, "max_new_tokens": fixed}
        return {"max_new_tokens": _whole(self._parameters["max_new_tokens"])}

    def _written(self, rows: list[list[int]], steps: int) -> int:
        """Tokens of all sequences, each up to its first end; what fills up a batch is not counted.

        Some models take the end off again before they give their answer, so it is added here.
        """
        if self._random:
            return steps * len(rows)
        config = self._net.generation_config
        ends = {config.pad_token_id, *_listed(config.eos_token_id)}
        lengths = (next((at for at, t in enumerate(row) if t in ends), len(row)) for row in rows)
        return sum(min(length + 1, steps) for length in lengths)


def _steps() -> Any:
    """A stopping rule that stops nothing and counts the steps, one new token a sequence each."""
    import torch
    from transformers import StoppingCriteria

    class Steps(StoppingCriteria):
        count = 0

        def __call__(self, input_ids: Any, scores: Any, **words: Any) -> Any:
            self.count += 1
            return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)

    return Steps()


def _whole(value: Setting) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _listed(value: Any) -> list[int]:
    return value if isinstance(value, list) else [value]
