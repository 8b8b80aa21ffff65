"""Diffusion pipelines of Hugging Face diffusers: text to image and text to video."""

from __future__ import annotations

import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from bench.backends import ModelNotFound, ModelSpec, ServedBatch, _torch_runtime
from bench.backends._model_session import loading_error
from bench.backends._model_source import (
    ModelSource,
    fetch_model,
    has_own_tokenizer,
    locate_model,
    read_small_file,
    resolve_weights,
    tokenizer_folder,
)
from bench.backends._torch_runtime import (
    input_device,
    map_errors,
    numerics,
    parameter_count,
    synchronize,
    versions,
)
from bench.results.record import Backend, Model, Work
from bench.task import Output, Request


class DiffusionSession(ABC):
    """A diffusion pipeline on one device; the seed of a prompt is the CRC-32 of its text."""

    # Parameters of the task -> arguments of the pipeline.
    argument_names: ClassVar[Mapping[str, str]]

    def __init__(self, spec: ModelSpec, source: ModelSource, pipeline: Any) -> None:
        self._spec, self._device, self.pipeline = spec, str(pipeline.device), pipeline
        self.pipeline.set_progress_bar_config(disable=True)
        self.model = Model(
            id=source.public_name(spec.model),
            revision=source.revision,
            weights=spec.settings.weights,
            dtype=str(self._networks()[0].dtype).removeprefix("torch."),
            parameter_count=parameter_count(*self._networks()),
            settings={
                "source": source.kind,
                "scheduler": type(self.pipeline.scheduler).__name__,
                "attention": spec.settings.attention or "sdpa",
                "tokenizer": "its own" if has_own_tokenizer(source, "tokenizer") else "embedded",
            },
        )
        self.backend = Backend(name="diffusers", versions=versions(), numerics=numerics())

    def serve(self, requests: Sequence[Request]) -> ServedBatch:
        import torch

        size = self._spec.settings.batch_size
        outputs: list[Output] = []
        steps = 0
        with map_errors("serve"), torch.inference_mode():
            for start in range(0, len(requests), size):
                prompts = [str(r.inputs["prompt"]) for r in requests[start : start + size]]
                batch = self._outputs(self._generate(prompts))
                outputs += batch
                steps += len(batch) * len(self.pipeline.scheduler.timesteps)
            synchronize(self._device)
        work = Work(inference_count=len(requests), step_count=steps, **self._counts(outputs))
        return ServedBatch(work, tuple(outputs))

    def close(self) -> None:
        import gc

        import torch

        del self.pipeline
        gc.collect()
        if self._device != "cpu":
            torch.cuda.empty_cache()

    def _generate(self, prompts: list[str]) -> Any:
        import torch

        parameters = self._spec.parameters
        arguments = {
            argument: parameters[name]
            for name, argument in self.argument_names.items()
            if parameters.get(name) is not None
        }
        seeds = [zlib.crc32(prompt.encode()) for prompt in prompts]
        return self.pipeline(
            prompts,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            output_type="pil",
            **arguments,
        )

    @abstractmethod
    def _outputs(self, result: Any) -> list[Output]:
        """The outputs of a pipeline's result, one a prompt."""

    @abstractmethod
    def _counts(self, outputs: Sequence[Output]) -> dict[str, Any]:
        """Counts of the outputs, by field name of `Work`."""

    def _networks(self) -> list[Any]:
        parts = self.pipeline.components.values()
        return [part for part in parts if hasattr(part, "parameters") and hasattr(part, "eval")]


class TextToImageSession(DiffusionSession):
    """One image a prompt."""

    argument_names: ClassVar[Mapping[str, str]] = {
        "steps": "num_inference_steps",
        "guidance_scale": "guidance_scale",
        "images_per_prompt": "num_images_per_prompt",
        "width": "width",
        "height": "height",
    }

    def _outputs(self, result: Any) -> list[Output]:
        return [Output(image=image) for image in result.images]

    def _counts(self, outputs: Sequence[Output]) -> dict[str, Any]:
        images = [output.image for output in outputs]
        return {"image_count": len(images), "pixel_count": _pixels(images)}


class TextToVideoSession(DiffusionSession):
    """One video a prompt; its duration is its frames divided by the frame rate."""

    argument_names: ClassVar[Mapping[str, str]] = {
        "steps": "num_inference_steps",
        "guidance_scale": "guidance_scale",
        "frames": "num_frames",
        "width": "width",
        "height": "height",
    }

    def _outputs(self, result: Any) -> list[Output]:
        return [Output(frames=tuple(frames)) for frames in result.frames]

    def _counts(self, outputs: Sequence[Output]) -> dict[str, Any]:
        frames = [frame for output in outputs for frame in output.frames or ()]
        rate = float(self._spec.parameters["frames_per_second"] or 0)
        return {"video_seconds": len(frames) / rate, "pixel_count": _pixels(frames)}


SESSIONS: dict[str, type[DiffusionSession]] = {
    "text-to-image": TextToImageSession,
    "text-to-video": TextToVideoSession,
}
TAGS = tuple(SESSIONS)


def prepare(spec: ModelSpec) -> ModelSource:
    """Find and download the model, before anything is measured. Raises ModelNotFound."""
    source = locate_model(spec)
    if read_small_file(source, "model_index.json") is None:
        raise ModelNotFound(f"{spec.model} is not a model for {spec.task_id}")
    _torch_runtime.check_optimizations(spec)
    if len(spec.devices) > 1:
        raise ModelNotFound("a pipeline runs on one GPU: give one --device")
    input_device(spec)
    return fetch_model(source, lambda repository, revision: _download(spec, repository, revision))


def load(spec: ModelSpec, source: ModelSource | None = None) -> DiffusionSession:
    """Load a prepared pipeline. Raises ModelNotFound if it is unfit, BackendError on a failure."""
    with map_errors("load"):
        source = source or prepare(spec)
        spec = resolve_weights(spec, source)
        return SESSIONS[spec.tag](spec, source, _load_pipeline(spec, source))


def _load_pipeline(spec: ModelSpec, source: ModelSource) -> Any:
    """The pipeline on its device, in its precision."""
    import diffusers
    import torch
    import transformers

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.logging.disable_progress_bar()
    device = input_device(spec)
    build = _random_pipeline if spec.settings.weights == "random" else _pretrained_pipeline
    pipeline = build(spec, source, getattr(torch, spec.dtype), device).to(device)
    _apply_optimizations(spec, pipeline)
    return pipeline


def _apply_optimizations(spec: ModelSpec, pipeline: Any) -> None:
    """Quantize and compile the denoising network, and set its attention."""
    denoiser = pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer
    if spec.settings.attention and not hasattr(denoiser, "set_attn_processor"):
        raise ModelNotFound(f"{spec.model} does not allow another attention: leave out --attention")
    if spec.settings.attention:
        from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0

        kind = {"eager": AttnProcessor, "sdpa": AttnProcessor2_0}.get(spec.settings.attention)
        if kind is None:
            raise ModelNotFound(
                f"--attention {spec.settings.attention} does not work with diffusion pipelines"
            )
        denoiser.set_attn_processor(kind())
    _torch_runtime.apply_optimizations(spec, [denoiser])


def _download(spec: ModelSpec, repository: str, revision: str | None) -> str:
    """Download a pipeline from the hub, with one format of weights, or none for random weights."""
    if spec.settings.weights == "random":
        from huggingface_hub import snapshot_download

        patterns = ["*.json", "*.txt", "*.model"]
        return snapshot_download(repository, revision=revision, allow_patterns=patterns)
    from diffusers import DiffusionPipeline

    folder: str = DiffusionPipeline.download(
        repository,
        revision=revision,
        use_safetensors=None if spec.settings.allow_pickle else True,
        trust_remote_code=spec.settings.trust_remote_code,
    )
    return folder


def _pretrained_pipeline(spec: ModelSpec, source: ModelSource, dtype: Any, device: str) -> Any:
    from diffusers import DiffusionPipeline

    try:
        return DiffusionPipeline.from_pretrained(
            source.location,
            dtype=dtype,
            use_safetensors=None if spec.settings.allow_pickle else True,
            trust_remote_code=spec.settings.trust_remote_code,
        )
    except (OSError, ValueError) as error:
        raise ModelNotFound(loading_error(spec, error)) from error


def _random_pipeline(spec: ModelSpec, source: ModelSource, dtype: Any, device: str) -> Any:
    """The pipeline that the configurations in a folder describe, with random weights."""
    import diffusers
    import torch
    import transformers

    folder = source.folder
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    pipeline_class = getattr(diffusers, index["_class_name"])
    parts: dict[str, Any] = {}
    torch.manual_seed(0)
    for name, entry in index.items():
        if name.startswith("_") or not isinstance(entry, list):
            continue
        library, class_name = entry
        if class_name is None:
            parts[name] = None
        elif name.startswith("tokenizer"):
            tokenizer = tokenizer_folder(spec, source, name)
            parts[name] = getattr(transformers, class_name).from_pretrained(tokenizer)
        else:
            owner = diffusers if library == "diffusers" else transformers
            cls = getattr(owner, class_name)
            parts[name] = load_component(cls, folder / name, dtype, device)
    flags = {key: value for key, value in index.items() if isinstance(value, bool)}
    return pipeline_class(**parts, **flags)


def load_component(cls: Any, folder: Path, dtype: Any, device: str) -> Any:
    """One component of a pipeline from its configuration: a network has random weights."""
    import torch

    if hasattr(cls, "config_class"):
        config = cls.config_class.from_pretrained(folder)
        with torch.device(device):
            return cls(config).to(dtype).eval()
    if issubclass(cls, torch.nn.Module):
        with torch.device(device):
            return cls.from_config(cls.load_config(folder)).to(dtype).eval()
    return cls.from_pretrained(folder)


def _pixels(images: Sequence[Any]) -> int:
    return sum(image.width * image.height for image in images)
