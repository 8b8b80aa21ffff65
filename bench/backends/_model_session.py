"""Loading, batching and counting for all transformers models; greedy text decoding."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from bench.backends import ModelNotFound, ModelSpec, ServedBatch, _torch_runtime
from bench.backends._model_source import ModelSource, owns_tokenizer, tokenizer_folder
from bench.backends._torch_runtime import (
    active_parameter_count,
    dtype_name,
    input_device,
    map_errors,
    numerics,
    parameter_count,
    synchronize,
    versions,
)
from bench.results.fields import Setting
from bench.results.record import Backend, Model, Work
from bench.task import Output, Request


class BatchOutput(NamedTuple):
    """The outputs of one batch, one a request, and what `Work` counts of it, by field name."""

    outputs: Sequence[Output]
    counts: Mapping[str, float]


class TransformersSession(ABC):
    """A model on one device. A subclass names its auto class and says how it answers a batch."""

    auto_class: str

    def __init__(self, spec: ModelSpec, source: ModelSource) -> None:
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        self._spec, self._device = spec, input_device(spec)
        self._net = network(spec, source, self.auto_class, self._device)
        _torch_runtime.apply_optimizations(spec, [self._net])
        self._prepare(source)
        self.model = Model(
            id=source.public_name(spec.model),
            revision=source.revision,
            weights="random" if spec.weights == "random" else "pretrained",
            dtype=str(self._net.dtype).removeprefix("torch."),
            parameter_count=parameter_count(self._net),
            active_parameter_count=active_parameter_count(self._net),
            settings={
                "batch_size": spec.batch_size,
                "device": ",".join(spec.devices),
                "source": source.kind,
                "attention": str(getattr(self._net.config, "_attn_implementation", None)),
                **_torch_runtime.settings(spec),
                "allow_pickle": spec.allow_pickle,
                "trust_remote_code": spec.trust_remote_code,
                **self._settings(source),
            },
        )
        self.backend = Backend(name="transformers", versions=versions(), numerics=numerics())

    def serve(self, requests: Sequence[Request]) -> ServedBatch:
        import torch

        size = self._spec.batch_size
        batches: list[BatchOutput] = []
        with map_errors("serve"), torch.inference_mode():
            for start in range(0, len(requests), size):
                batches.append(self._answer(requests[start : start + size]))
            synchronize(*self._spec.devices)
        outputs = tuple(output for batch in batches for output in batch.outputs)
        names = {name for batch in batches for name in batch.counts}
        counts: dict[str, Any] = {
            name: math.fsum(batch.counts[name] for batch in batches) for name in names
        }
        return ServedBatch(Work(inference_count=len(outputs), **counts), outputs)

    def close(self) -> None:
        import gc

        import torch

        del self._net
        gc.collect()
        if self._device != "cpu":
            torch.cuda.empty_cache()

    @abstractmethod
    def _prepare(self, source: ModelSource) -> None:
        """Load what stands beside the network: a tokenizer, an image processor."""

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
        """What else belongs into the record of the model."""
        return {}

    @abstractmethod
    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        """Answer the requests of one batch together."""


def network(spec: ModelSpec, source: ModelSource, auto_class: str, device: str) -> Any:
    """The network on its device, in its precision, ready to answer. Raises ModelNotFound."""
    import torch
    import transformers

    auto = getattr(transformers, auto_class)
    dtype = getattr(torch, dtype_name(spec))
    common: dict[str, Any] = {"trust_remote_code": spec.trust_remote_code}
    how = {"attn_implementation": spec.attention} if spec.attention else {}
    several = len(spec.devices) > 1
    try:
        if spec.weights == "random":
            config = configuration(spec, source)
            torch.manual_seed(0)
            with torch.device("cpu" if several else device):
                net = auto.from_config(config, dtype=dtype, **how, **common)
        else:
            net, told = auto.from_pretrained(
                source.location,
                dtype=dtype,
                use_safetensors=None if spec.allow_pickle else True,
                output_loading_info=True,
                **how,
                **common,
            )
            _check_whole(spec, net, told["missing_keys"])
    except (OSError, ValueError) as error:
        raise ModelNotFound(why(spec, error)) from error
    return (_torch_runtime.split_over_gpus(net, spec.devices) if several else net.to(device)).eval()


def _check_whole(spec: ModelSpec, net: Any, missing: Collection[str]) -> None:
    """Raises ModelNotFound where weights of the head are missing, which the library makes up."""
    head = sorted(key for key in missing if not key.startswith(f"{net.base_model_prefix}."))
    if head and net.base_model is not net:
        raise ModelNotFound(
            f"{spec.model} was not trained for {spec.task_id}: its weights lack {head[0]}"
        )


def tokenizer(spec: ModelSpec, source: ModelSource) -> Any:
    """The tokenizer of a model, or the embedded one that stands in. Raises ModelNotFound."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            tokenizer_folder(spec, source), trust_remote_code=spec.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise ModelNotFound(why(spec, error)) from error


def companion(auto_class: str, spec: ModelSpec, source: ModelSource, **words: Any) -> Any:
    """What stands beside a network in its folder: an image processor, a feature extractor.

    Raises ModelNotFound.
    """
    import transformers

    try:
        return getattr(transformers, auto_class).from_pretrained(
            source.location, trust_remote_code=spec.trust_remote_code, **words
        )
    except (OSError, ValueError) as error:
        raise ModelNotFound(why(spec, error)) from error


def configuration(spec: ModelSpec, source: ModelSource) -> Any:
    """The configuration of a model, before it is loaded. Raises ModelNotFound."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(source.location, trust_remote_code=spec.trust_remote_code)
    except (OSError, ValueError) as error:
        raise ModelNotFound(why(spec, error)) from error


def why(spec: ModelSpec, error: Exception) -> str:
    """One sentence for what the library says in many."""
    text = " ".join(str(error).split())
    if "safetensors" in text:
        return f"{spec.model} has no safetensors weights: --allow-pickle loads older formats"
    if "Unrecognized configuration class" in text:
        return f"{spec.model} is not a model for {spec.task_id}"
    if "trust_remote_code" in text:
        return f"{spec.model} needs code of its own: --trust-remote-code runs it"
    return f"{spec.model} can't be loaded: {text[:200]}"


class TextDecoder:
    """Lets a network write about what it was given, greedily.

    It writes as much as the model likes, up to the task's limit. A network with random weights
    never stops by itself, so it writes a number of tokens that the task fixes.
    """

    def __init__(self, spec: ModelSpec, source: ModelSource, net: Any) -> None:
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
