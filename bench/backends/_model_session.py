"""Loading, batching and counting for all transformers models; greedy text decoding."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from bench.backends import ModelNotFound, ModelSpec, ServedBatch, _torch_runtime
from bench.backends._model_source import ModelSource, has_own_tokenizer, tokenizer_folder
from bench.backends._torch_runtime import (
    active_parameter_count,
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
    """The outputs of one batch in order, and its counts by field name of `Work`."""

    outputs: Sequence[Output]
    counts: Mapping[str, float]


class TransformersSession(ABC):
    """A loaded transformers model: `network` on its devices, ready to serve requests.

    A subclass names its auto class and implements how one batch is computed.
    """

    auto_class: str

    def __init__(self, spec: ModelSpec, source: ModelSource) -> None:
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        self._spec, self._device = spec, input_device(spec)
        self.network = load_network(spec, source, self.auto_class, self._device)
        _torch_runtime.apply_optimizations(spec, [self.network])
        self._load_preprocessor(source)
        self.model = Model(
            id=source.public_name(spec.model),
            revision=source.revision,
            weights=spec.settings.weights,
            dtype=str(self.network.dtype).removeprefix("torch."),
            parameter_count=parameter_count(self.network),
            active_parameter_count=active_parameter_count(self.network),
            settings={
                "source": source.kind,
                "attention": str(getattr(self.network.config, "_attn_implementation", None)),
                **self._settings(source),
            },
        )
        self.backend = Backend(name="transformers", versions=versions(), numerics=numerics())

    def serve(self, requests: Sequence[Request]) -> ServedBatch:
        import torch

        size = self._spec.settings.batch_size
        batches: list[BatchOutput] = []
        with map_errors("serve"), torch.inference_mode():
            for start in range(0, len(requests), size):
                batches.append(self._run_batch(requests[start : start + size]))
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

        del self.network
        gc.collect()
        if self._device != "cpu":
            torch.cuda.empty_cache()

    @abstractmethod
    def _load_preprocessor(self, source: ModelSource) -> None:
        """Load the tokenizer, image processor or feature extractor of the model."""

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
        """Settings of this kind of model for `Model.settings` of the record."""
        return {}

    @abstractmethod
    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        """Compute the outputs of at most `batch_size` requests together."""


def load_network(spec: ModelSpec, source: ModelSource, auto_class: str, device: str) -> Any:
    """The network in evaluation mode, on its device, in its precision. Raises ModelNotFound."""
    import torch
    import transformers

    auto = getattr(transformers, auto_class)
    options: dict[str, Any] = {
        "dtype": getattr(torch, spec.dtype),
        "trust_remote_code": spec.settings.trust_remote_code,
    }
    if spec.settings.attention:
        options["attn_implementation"] = spec.settings.attention
    on_several = len(spec.devices) > 1
    try:
        if spec.settings.weights == "random":
            config = load_configuration(spec, source)
            torch.manual_seed(0)
            with torch.device("cpu" if on_several else device):
                network = auto.from_config(config, **options)
        else:
            network, loading_info = auto.from_pretrained(
                source.location,
                use_safetensors=None if spec.settings.allow_pickle else True,
                output_loading_info=True,
                **options,
            )
            _check_head(spec, network, loading_info["missing_keys"])
    except (OSError, ValueError) as error:
        raise ModelNotFound(loading_error(spec, error)) from error
    if on_several:
        return _torch_runtime.split_over_gpus(network, spec.devices).eval()
    return network.to(device).eval()


def _check_head(spec: ModelSpec, network: Any, missing: Collection[str]) -> None:
    """Raises ModelNotFound where weights of the head are missing; the library initialises them."""
    head = sorted(key for key in missing if not key.startswith(f"{network.base_model_prefix}."))
    if head and network.base_model is not network:
        raise ModelNotFound(
            f"{spec.model} was not trained for {spec.task_id}: its weights lack {head[0]}"
        )


def load_tokenizer(spec: ModelSpec, source: ModelSource) -> Any:
    """The tokenizer of a model, or the embedded fallback tokenizer. Raises ModelNotFound."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            tokenizer_folder(spec, source), trust_remote_code=spec.settings.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise ModelNotFound(loading_error(spec, error)) from error


def load_processor(auto_class: str, spec: ModelSpec, source: ModelSource, **options: Any) -> Any:
    """The image processor or feature extractor of a model. Raises ModelNotFound."""
    import transformers

    try:
        return getattr(transformers, auto_class).from_pretrained(
            source.location, trust_remote_code=spec.settings.trust_remote_code, **options
        )
    except (OSError, ValueError) as error:
        raise ModelNotFound(loading_error(spec, error)) from error


def load_configuration(spec: ModelSpec, source: ModelSource) -> Any:
    """The transformers configuration of a model, before it is loaded. Raises ModelNotFound."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(
            source.location, trust_remote_code=spec.settings.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise ModelNotFound(loading_error(spec, error)) from error


def loading_error(spec: ModelSpec, error: Exception) -> str:
    """One sentence for an error of a library on loading a model."""
    text = " ".join(str(error).split())
    if "safetensors" in text:
        return f"{spec.model} has no safetensors weights: --allow-pickle loads older formats"
    if "Unrecognized configuration class" in text:
        return f"{spec.model} is not a model for {spec.task_id}"
    if "trust_remote_code" in text:
        return f"{spec.model} needs code of its own: --trust-remote-code runs it"
    return f"{spec.model} can't be loaded: {text[:200]}"


class TextDecoder:
    """Greedy decoding of text from images or sounds.

    A trained network stops by itself or at the task's limit. One with random weights never stops
    by itself, so it generates exactly `random_new_tokens` tokens, a parameter of the task.
    """

    def __init__(self, spec: ModelSpec, source: ModelSource, network: Any) -> None:
        self._network, self._parameters = network, spec.parameters
        self._random = spec.settings.weights == "random"
        self._has_own_tokenizer = has_own_tokenizer(source)
        self.tokenizer = load_tokenizer(spec, source)

    def settings(self) -> dict[str, Setting]:
        """Settings for `Model.settings` of the record."""
        return {
            "tokenizer": "its own" if self._has_own_tokenizer else "embedded",
            "fixed_new_tokens": self._parameters["random_new_tokens"] if self._random else None,
        }

    def generate(self, inputs: Mapping[str, Any], **options: Any) -> tuple[list[str], int]:
        """The texts of one batch, and the number of generated tokens with the end tokens."""
        steps = _step_counter()
        ids = self._network.generate(
            **inputs,
            **self._length_limits(),
            **options,
            do_sample=False,
            num_beams=1,
            stopping_criteria=[steps],
        )
        new = ids[:, -steps.count :]
        texts = self.tokenizer.batch_decode(new, skip_special_tokens=True)
        return [text.strip() for text in texts], self._token_count(new.tolist(), steps.count)

    def _length_limits(self) -> dict[str, int]:
        if self._random:
            fixed = _as_int(self._parameters["random_new_tokens"])
            return {"min_new_tokens": fixed, "max_new_tokens": fixed}
        return {"max_new_tokens": _as_int(self._parameters["max_new_tokens"])}

    def _token_count(self, rows: list[list[int]], steps: int) -> int:
        """Tokens of all sequences up to the first end token of each; padding is not counted.

        Some models remove the end token from their output, so it is added here.
        """
        if self._random:
            return steps * len(rows)
        config = self._network.generation_config
        ends = {config.pad_token_id, *_as_list(config.eos_token_id)}
        lengths = (next((at for at, t in enumerate(row) if t in ends), len(row)) for row in rows)
        return sum(min(length + 1, steps) for length in lengths)


def _step_counter() -> Any:
    """A stopping criterion that never stops and counts the decoding steps."""
    import torch
    from transformers import StoppingCriteria

    class StepCounter(StoppingCriteria):
        count = 0

        def __call__(self, input_ids: Any, scores: Any, **options: Any) -> Any:
            self.count += 1
            return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)

    return StepCounter()


def _as_int(value: Setting) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _as_list(value: Any) -> list[int]:
    return value if isinstance(value, list) else [value]
