"""What every kind of transformers model shares: loading, serving in batches, counted work."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from bench.backends import ModelNotFound, Served, Spec, _levers, _several
from bench.backends.source import Source, tokenizer_folder
from bench.backends.torch_device import (
    drain,
    dtype_name,
    guarded,
    parameter_count,
    the_device,
    versions,
)
from bench.results.fields import Setting
from bench.results.record import Backend, Model, Work
from bench.task import Output, Request


class Answered(NamedTuple):
    """The outputs of one batch, one a request, and what `Work` counts of it, by field name."""

    outputs: Sequence[Output]
    counts: Mapping[str, float]


class ModelSession(ABC):
    """A model on one device. A subclass names its auto class and says how it answers a batch."""

    auto_class: str

    def __init__(self, spec: Spec, source: Source) -> None:
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        self._spec, self._device = spec, the_device(spec)
        self._net = network(spec, source, self.auto_class, self._device)
        _levers.pull(spec, [self._net])
        self._prepare(source)
        self.model = Model(
            id=source.public_name(spec.model),
            revision=source.revision,
            weights="random" if spec.weights == "random" else "pretrained",
            dtype=str(self._net.dtype).removeprefix("torch."),
            parameter_count=parameter_count(self._net),
            settings={
                "batch_size": spec.batch_size,
                "device": ",".join(spec.devices),
                "source": source.kind,
                "attention": str(getattr(self._net.config, "_attn_implementation", None)),
                **_levers.settings(spec),
                "allow_pickle": spec.allow_pickle,
                "trust_remote_code": spec.trust_remote_code,
                **self._settings(source),
            },
        )
        self.backend = Backend(name="transformers", versions=versions())

    def serve(self, requests: Sequence[Request]) -> Served:
        import torch

        size = self._spec.batch_size
        batches: list[Answered] = []
        with guarded("serve"), torch.inference_mode():
            for start in range(0, len(requests), size):
                batches.append(self._answer(requests[start : start + size]))
            drain(*self._spec.devices)
        outputs = tuple(output for batch in batches for output in batch.outputs)
        names = {name for batch in batches for name in batch.counts}
        counts: dict[str, Any] = {
            name: math.fsum(batch.counts[name] for batch in batches) for name in names
        }
        return Served(Work(inference_count=len(outputs), **counts), outputs)

    def close(self) -> None:
        import gc

        import torch

        del self._net
        gc.collect()
        if self._device != "cpu":
            torch.cuda.empty_cache()

    @abstractmethod
    def _prepare(self, source: Source) -> None:
        """Load what stands beside the network: a tokenizer, an image processor."""

    def _settings(self, source: Source) -> Mapping[str, Setting]:
        """What else belongs into the record of the model."""
        return {}

    @abstractmethod
    def _answer(self, batch: Sequence[Request]) -> Answered:
        """Answer the requests of one batch together."""


def network(spec: Spec, source: Source, auto_class: str, device: str) -> Any:
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
    return (_several.spread(net, spec.devices) if several else net.to(device)).eval()


def _check_whole(spec: Spec, net: Any, missing: Collection[str]) -> None:
    """Raises ModelNotFound where weights of the head are missing, which the library makes up."""
    head = sorted(key for key in missing if not key.startswith(f"{net.base_model_prefix}."))
    if head and net.base_model is not net:
        raise ModelNotFound(
            f"{spec.model} was not trained for {spec.task_id}: its weights lack {head[0]}"
        )


def tokenizer(spec: Spec, source: Source) -> Any:
    """The tokenizer of a model, or the embedded one that stands in. Raises ModelNotFound."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(
            tokenizer_folder(spec, source), trust_remote_code=spec.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise ModelNotFound(why(spec, error)) from error


def companion(auto_class: str, spec: Spec, source: Source, **words: Any) -> Any:
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


def configuration(spec: Spec, source: Source) -> Any:
    """The configuration of a model, before it is loaded. Raises ModelNotFound."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(source.location, trust_remote_code=spec.trust_remote_code)
    except (OSError, ValueError) as error:
        raise ModelNotFound(why(spec, error)) from error


def why(spec: Spec, error: Exception) -> str:
    """One sentence for what the library says in many."""
    text = " ".join(str(error).split())
    if "safetensors" in text:
        return f"{spec.model} has no safetensors weights: --allow-pickle loads older formats"
    if "Unrecognized configuration class" in text:
        return f"{spec.model} is not a model for {spec.task_id}"
    if "trust_remote_code" in text:
        return f"{spec.model} needs code of its own: --trust-remote-code runs it"
    return f"{spec.model} can't be loaded: {text[:200]}"
