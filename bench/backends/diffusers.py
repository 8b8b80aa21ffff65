"""Plug-in; text to image and to video."""

from __future__ import annotations

import json
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from bench.backends import ModelNotFound, ModelSpec, ServedBatch, _torch_runtime
from bench.backends._model_source import (
    ModelSource,
    as_found,
    fetch_model,
    locate_model,
    owns_tokenizer,
    small_file,
    tokenizer_folder,
)
from bench.backends._torch_runtime import (
    dtype_name,
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
    """A diffusion pipeline on one device. Each prompt has its own seed, made from its words."""

    # What the pipeline calls what the task fixes.
    names: ClassVar[Mapping[str, str]]

    def __init__(self, spec: ModelSpec, source: ModelSource, pipeline: Any) -> None:
        self._spec, self._device, self._pipeline = spec, str(pipeline.device), pipeline
        self._pipeline.set_progress_bar_config(disable=True)
        self.model = Model(
            id=source.public_name(spec.model),
            revision=source.revision,
            weights="random" if spec.weights == "random" else "pretrained",
            dtype=str(self._networks()[0].dtype).removeprefix("torch."),
            parameter_count=parameter_count(*self._networks()),
            settings={
                "batch_size": spec.batch_size,
                "device": self._device,
                "source": source.kind,
                "scheduler": type(self._pipeline.scheduler).__name__,
                "attention": spec.attention or "sdpa",
                **_torch_runtime.settings(spec),
                "allow_pickle": spec.allow_pickle,
                "trust_remote_code": spec.trust_remote_code,
                "tokenizer": "its own" if owns_tokenizer(source, "tokenizer") else "embedded",
            },
        )
        self.backend = Backend(name="diffusers", versions=versions(), numerics=numerics())

    def serve(self, requests: Sequence[Request]) -> ServedBatch:
        import torch

        size = self._spec.batch_size
        outputs: list[Output] = []
        steps = 0
        with map_errors("serve"), torch.inference_mode():
            for start in range(0, len(requests), size):
                prompts = [str(r.inputs["prompt"]) for r in requests[start : start + size]]
                drawn = self._drawn(self._draw(prompts))
                outputs += drawn
                steps += len(drawn) * len(self._pipeline.scheduler.timesteps)
            synchronize(self._device)
        work = Work(inference_count=len(requests), step_count=steps, **self._counts(outputs))
        return ServedBatch(work, tuple(outputs))

    def close(self) -> None:
        import gc

        import torch

        del self._pipeline
        gc.collect()
        if self._device != "cpu":
            torch.cuda.empty_cache()

    def _draw(self, prompts: list[str]) -> Any:
        import torch

        fixed = {name: self._spec.parameters.get(ours) for ours, name in self.names.items()}
        chosen = {name: value for name, value in fixed.items() if value is not None}
        seeds = [zlib.crc32(prompt.encode()) for prompt in prompts]
        return self._pipeline(
            prompts,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            output_type="pil",
            **chosen,
        )

    @abstractmethod
    def _drawn(self, result: Any) -> list[Output]:
        """What the pipeline drew, one output a prompt."""

    @abstractmethod
    def _counts(self, outputs: Sequence[Output]) -> dict[str, Any]:
        """What `Work` counts of it, by field name."""

    def _networks(self) -> list[Any]:
        parts = self._pipeline.components.values()
        return [part for part in parts if hasattr(part, "parameters") and hasattr(part, "eval")]


class TextToImageSession(DiffusionSession):
    """One image a prompt."""

    names: ClassVar[Mapping[str, str]] = {
        "steps": "num_inference_steps",
        "guidance_scale": "guidance_scale",
        "images_per_prompt": "num_images_per_prompt",
        "width": "width",
        "height": "height",
    }

    def _drawn(self, result: Any) -> list[Output]:
        return [Output(image=image) for image in result.images]

    def _counts(self, outputs: Sequence[Output]) -> dict[str, Any]:
        images = [output.image for output in outputs]
        return {"image_count": len(images), "pixel_count": _pixels(images)}


class TextToVideoSession(DiffusionSession):
    """One video a prompt; its seconds are its frames over the frames in a second."""

    names: ClassVar[Mapping[str, str]] = {
        "steps": "num_inference_steps",
        "guidance_scale": "guidance_scale",
        "frames": "num_frames",
        "width": "width",
        "height": "height",
    }

    def _drawn(self, result: Any) -> list[Output]:
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
    """Find the model, and bring it here, before anything is measured. Raises ModelNotFound."""
    source = locate_model(spec)
    if small_file(source, "model_index.json") is None:
        raise ModelNotFound(f"{spec.model} is not a model for {spec.task_id}")
    _torch_runtime.check_optimizations(spec)
    if len(spec.devices) > 1:
        raise ModelNotFound("a pipeline runs on one GPU: give one --device")
    input_device(spec)
    return fetch_model(source, lambda repository, revision: _download(spec, repository, revision))


def load(spec: ModelSpec, source: ModelSource | None = None) -> DiffusionSession:
    """Load a prepared pipeline. Raises ModelNotFound where it is none, Failed where it breaks."""
    with map_errors("load"):
        source = source or prepare(spec)
        spec = as_found(spec, source)
        return SESSIONS[spec.tag](spec, source, _pipeline(spec, source))


def _pipeline(spec: ModelSpec, source: ModelSource) -> Any:
    """The pipeline on its device, in its precision."""
    import diffusers
    import torch
    import transformers

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.logging.disable_progress_bar()
    device = input_device(spec)
    build = _random if spec.weights == "random" else _pretrained
    pipeline = build(spec, source, getattr(torch, dtype_name(spec)), device).to(device)
    _pull(spec, pipeline)
    return pipeline


def _pull(spec: ModelSpec, pipeline: Any) -> None:
    """Quantize and compile the network that runs at every step, and set its attention."""
    denoiser = pipeline.unet if hasattr(pipeline, "unet") else pipeline.transformer
    if spec.attention and not hasattr(denoiser, "set_attn_processor"):
        raise ModelNotFound(f"{spec.model} has an attention of its own: leave out --attention")
    if spec.attention:
        from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0

        kind = {"eager": AttnProcessor, "sdpa": AttnProcessor2_0}.get(spec.attention)
        if kind is None:
            raise ModelNotFound(f"--attention {spec.attention} is not for pipelines")
        denoiser.set_attn_processor(kind())
    _torch_runtime.apply_optimizations(spec, [denoiser])


def _download(spec: ModelSpec, repository: str, revision: str | None) -> str:
    """All that the pipeline needs from the hub, its weights in one format; without them if the
    weights are to be random."""
    if spec.weights == "random":
        from huggingface_hub import snapshot_download

        patterns = ["*.json", "*.txt", "*.model"]
        return snapshot_download(repository, revision=revision, allow_patterns=patterns)
    from diffusers import DiffusionPipeline

    folder: str = DiffusionPipeline.download(
        repository,
        revision=revision,
        use_safetensors=None if spec.allow_pickle else True,
        trust_remote_code=spec.trust_remote_code,
    )
    return folder


def _pretrained(spec: ModelSpec, source: ModelSource, dtype: Any, device: str) -> Any:
    from diffusers import DiffusionPipeline

    try:
        return DiffusionPipeline.from_pretrained(
            source.location,
            dtype=dtype,
            use_safetensors=None if spec.allow_pickle else True,
            trust_remote_code=spec.trust_remote_code,
        )
    except (OSError, ValueError) as error:
        text = " ".join(str(error).split())
        if "safetensors" in text:
            raise ModelNotFound(
                f"{spec.model} has no safetensors weights: --allow-pickle loads older formats"
            ) from error
        raise ModelNotFound(f"{spec.model} can't be loaded: {text[:200]}") from error


def _random(spec: ModelSpec, source: ModelSource, dtype: Any, device: str) -> Any:
    """The pipeline that a folder's configurations describe, its weights from the initialiser."""
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
            where = tokenizer_folder(spec, source, name)
            parts[name] = getattr(transformers, class_name).from_pretrained(where)
        else:
            owner = diffusers if library == "diffusers" else transformers
            parts[name] = _part(getattr(owner, class_name), folder / name, dtype, device)
    keep = {key: value for key, value in index.items() if isinstance(value, bool)}
    return pipeline_class(**parts, **keep)


def _part(kind: Any, folder: Path, dtype: Any, device: str) -> Any:
    """One component: a network with fresh weights, or what has none."""
    import torch

    if hasattr(kind, "config_class"):
        config = kind.config_class.from_pretrained(folder)
        with torch.device(device):
            return kind(config).to(dtype).eval()
    if issubclass(kind, torch.nn.Module):
        with torch.device(device):
            return kind.from_config(kind.load_config(folder)).to(dtype).eval()
    return kind.from_pretrained(folder)


def _pixels(images: Sequence[Any]) -> int:
    return sum(image.width * image.height for image in images)
