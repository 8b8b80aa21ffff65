"""Loading, batching and counting for all transformers models; greedy text decoding."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.backends import ModelNotFound, ModelSpec, ServedBatch, _torch_runtime
from bench.backends._model_source import ModelSource, tokenizer_folder, tokenizer_origin
from bench.results.fields import Setting
from bench.results.record import Backend, Model, Work
from bench.task import Output, Request


class BatchOutput(NamedTuple):
    """The outputs of one batch in order, and its counts by field name of `Work`."""

    outputs: Sequence[Output]
    counts: Mapping[str, float]


class TorchSession(ABC):
    """A loaded model that torch runs, which serves requests in batches and counts their work.

    A subclass calls `_describe` when the model is loaded, and implements how one batch is computed.
    """

    model: Model
    backend: Backend
    gpu_uuids: tuple[str, ...] = ()

    def __init__(self, spec: ModelSpec) -> None:
        self._spec, self._device = spec, _torch_runtime.input_device(spec)

    def serve(self, requests: Sequence[Request]) -> ServedBatch:
        import torch

        size = self._spec.settings.batch_size
        batches: list[BatchOutput] = []
        with _torch_runtime.map_errors("serve"), torch.inference_mode():
            for start in range(0, len(requests), size):
                batches.append(self._run_batch(requests[start : start + size]))
            _torch_runtime.synchronize(*self._spec.devices)
        outputs = tuple(output for batch in batches for output in batch.outputs)
        names = {name for batch in batches for name in batch.counts}
        counts: dict[str, Any] = {
            name: math.fsum(batch.counts[name] for batch in batches) for name in names
        }
        return ServedBatch(Work(inference_count=len(requests), **counts), outputs)

    def close(self) -> None:
        import gc

        import torch

        gc.collect()
        if self._device != "cpu":
            torch.cuda.empty_cache()

    def _describe(
        self,
        library: str,
        source: ModelSource,
        networks: Sequence[Any],
        settings: Mapping[str, Setting],
        active_parameter_count: int | None = None,
    ) -> None:
        """Set `model` and `backend`, as the record states them, and `gpu_uuids`."""
        self.gpu_uuids = _torch_runtime.gpu_uuids(*networks)
        self.model = Model(
            id=source.public_name(self._spec.model),
            revision=source.revision,
            weights=self._spec.settings.weights,
            dtype=str(networks[0].dtype).removeprefix("torch."),
            parameter_count=_torch_runtime.parameter_count(*networks),
            active_parameter_count=active_parameter_count,
            settings={"source": source.kind, **settings},
        )
        versions, numerics = _torch_runtime.versions(), _torch_runtime.numerics()
        self.backend = Backend(name=library, versions=versions, numerics=numerics)

    @abstractmethod
    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        """Compute the outputs of at most `batch_size` requests together."""


class TransformersSession(TorchSession):
    """A loaded transformers model: `network` on its devices, ready to serve requests.

    A subclass names its auto class. `settings` are those of `Model.settings` of the record; a
    subclass adds its own when it loads its preprocessor.
    """

    auto_class: str

    def __init__(self, spec: ModelSpec, source: ModelSource) -> None:
        import transformers

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        super().__init__(spec)
        self.network = load_network(spec, source, self.auto_class, self._device)
        _torch_runtime.apply_optimizations(spec, self.network)
        attention = str(getattr(self.network.config, "_attn_implementation", None))
        self.settings: dict[str, Setting] = {"attention": attention}
        self._load_preprocessor(source)
        active = _torch_runtime.active_parameter_count(self.network)
        self._describe("transformers", source, [self.network], self.settings, active)

    def close(self) -> None:
        del self.network
        super().close()

    @abstractmethod
    def _load_preprocessor(self, source: ModelSource) -> None:
        """Load the tokenizer, image processor or feature extractor of the model."""

    def _best_labels(self, logits: Any) -> list[Output]:
        """The most likely label of each row of (inputs, labels)."""
        names = self.network.config.id2label
        return [Output(label=str(names[index])) for index in logits.argmax(dim=-1).tolist()]


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
    with map_loading_errors(spec):
        if spec.settings.weights == "random":
            config = load_component("AutoConfig", spec, source.location)
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


def load_component(auto_class: str, spec: ModelSpec, location: str | Path, **options: Any) -> Any:
    """The configuration, tokenizer or processor that transformers finds. Raises ModelNotFound."""
    import transformers

    with map_loading_errors(spec):
        return getattr(transformers, auto_class).from_pretrained(
            location, trust_remote_code=spec.settings.trust_remote_code, **options
        )


@contextmanager
def map_loading_errors(spec: ModelSpec) -> Iterator[None]:
    """Raise an error of a library on loading a model as ModelNotFound, in one sentence."""
    try:
        yield
    except ModelNotFound:
        raise
    except (OSError, ValueError) as error:
        text = " ".join(str(error).split())
        sentence = f"{spec.model} cannot be loaded: {text[:200]}"
        if "safetensors" in text:
            sentence = (
                f"{spec.model} has no safetensors weights: --allow-pickle loads older formats"
            )
        elif "Unrecognized configuration class" in text:
            sentence = f"{spec.model} is not a model for {spec.task_id}"
        elif "trust_remote_code" in text:
            sentence = f"{spec.model} needs code of its own: --trust-remote-code runs it"
        raise ModelNotFound(sentence) from error


class TextDecoder:
    """Greedy decoding of text from images or sounds.

    A trained network stops by itself or at the task's limit. One with random weights never stops
    by itself, so it generates exactly `random_new_tokens` tokens, a parameter of the task.
    """

    def __init__(self, spec: ModelSpec, source: ModelSource, network: Any) -> None:
        self._network, self._parameters = network, spec.parameters
        self._random = spec.settings.weights == "random"
        self.tokenizer = load_component("AutoTokenizer", spec, tokenizer_folder(spec, source))
        self.settings = {
            "tokenizer": tokenizer_origin(source),
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
        counts = [steps.count] * len(texts)
        if not self._random:
            config = self._network.generation_config
            counts = token_counts(new, config.pad_token_id, config.eos_token_id, steps.count)
        return [text.strip() for text in texts], sum(counts)

    def _length_limits(self) -> dict[str, int]:
        if not self._random:
            return {"max_new_tokens": int(self._parameters["max_new_tokens"] or 0)}
        fixed = int(self._parameters["random_new_tokens"] or 0)
        return {"min_new_tokens": fixed, "max_new_tokens": fixed}


def token_counts(rows: Any, padding: int, end: int | list[int] | None, steps: int) -> list[int]:
    """Tokens of each sequence up to its first end token; padding is not counted.

    Some models remove the end token from their output, so it is counted, up to `steps` tokens.
    """
    ends = {padding, *(end if isinstance(end, list) else [end])}
    lengths = (
        next((at for at, t in enumerate(row) if t in ends), len(row)) for row in rows.tolist()
    )
    return [min(length + 1, steps) for length in lengths]


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
