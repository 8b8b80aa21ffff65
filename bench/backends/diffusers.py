"""Diffusion pipelines of Hugging Face diffusers: text to image and text to video."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.backends import ModelNotFound, ModelSpec
from bench.backends._model_session import BatchOutput, TorchSession, map_loading_errors
from bench.backends._model_source import (
    ModelSource,
    fetch_model,
    locate_model,
    read_small_file,
    resolve_weights,
    tokenizer_folder,
    tokenizer_origin,
)
from bench.backends._torch_runtime import (
    apply_optimizations,
    check_optimizations,
    input_device,
    map_errors,
)
from bench.task import Output, Request

# Parameters of a task -> arguments of a pipeline.
ARGUMENTS = {
    "steps": "num_inference_steps",
    "guidance_scale": "guidance_scale",
    "images_per_prompt": "num_images_per_prompt",
    "frames": "num_frames",
    "width": "width",
    "height": "height",
}
TAGS = ("text-to-image", "text-to-video")


class DiffusionSession(TorchSession):
    """A diffusion pipeline on one device; the seed of a prompt is the CRC-32 of its text.

    The duration of a video is its frames divided by the frame rate.
    """

    def __init__(self, spec: ModelSpec, source: ModelSource, pipeline: Any) -> None:
        super().__init__(spec)
        self.pipeline = pipeline
        pipeline.set_progress_bar_config(disable=True)
        networks = [
            part
            for part in pipeline.components.values()
            if hasattr(part, "parameters") and hasattr(part, "eval")
        ]
        settings = {
            "scheduler": type(pipeline.scheduler).__name__,
            "attention": spec.settings.attention or "sdpa",
            "tokenizer": tokenizer_origin(source, "tokenizer"),
        }
        self._describe("diffusers", source, networks, settings)

    def close(self) -> None:
        del self.pipeline
        super().close()

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        import torch

        prompts = [str(request.inputs["prompt"]) for request in batch]
        seeds = [zlib.crc32(prompt.encode()) for prompt in prompts]
        parameters = self._spec.parameters
        arguments = {
            argument: parameters[name]
            for name, argument in ARGUMENTS.items()
            if parameters.get(name) is not None
        }
        result = self.pipeline(
            prompts,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            output_type="pil",
            **arguments,
        )
        if self._spec.tag == "text-to-image":
            images = result.images
            outputs = [Output(image=image) for image in images]
            counts = {"image_count": float(len(images))}
        else:
            images = [image for frames in result.frames for image in frames]
            outputs = [Output(frames=tuple(frames)) for frames in result.frames]
            counts = {"video_seconds": len(images) / float(parameters["frames_per_second"] or 0)}
        counts["pixel_count"] = sum(image.width * image.height for image in images)
        counts["step_count"] = len(outputs) * len(self.pipeline.scheduler.timesteps)
        return BatchOutput(outputs, counts)


def prepare(spec: ModelSpec) -> ModelSource:
    """Find and download the model, before anything is measured. Raises ModelNotFound."""
    source = locate_model(spec)
    if read_small_file(source, "model_index.json") is None:
        raise ModelNotFound(f"{spec.model} is not a model for {spec.task_id}")
    check_optimizations(spec)
    if len(spec.devices) > 1:
        raise ModelNotFound("a pipeline runs on one GPU: give one --device")
    input_device(spec)
    return fetch_model(source, partial(_download, spec))


def load(spec: ModelSpec, source: ModelSource | None = None) -> DiffusionSession:
    """Load a prepared pipeline. Raises ModelNotFound if it is unfit, BackendError on a failure."""
    with map_errors("load"):
        source = source or prepare(spec)
        spec = resolve_weights(spec, source)
        return DiffusionSession(spec, source, _load_pipeline(spec, source))


def _load_pipeline(spec: ModelSpec, source: ModelSource) -> Any:
    """The pipeline on its device, in its precision, with its optimizations."""
    import diffusers
    import torch
    import transformers

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.logging.disable_progress_bar()
    device, dtype = input_device(spec), getattr(torch, spec.dtype)
    if spec.settings.weights == "random":
        pipeline = _random_pipeline(spec, source, dtype, device)
    else:
        with map_loading_errors(spec):
            pipeline = diffusers.DiffusionPipeline.from_pretrained(
                source.location,
                dtype=dtype,
                use_safetensors=None if spec.settings.allow_pickle else True,
                trust_remote_code=spec.settings.trust_remote_code,
            )
    pipeline = pipeline.to(device)
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
    apply_optimizations(spec, denoiser)


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

    with torch.device(device):
        if hasattr(cls, "config_class"):
            return cls(cls.config_class.from_pretrained(folder)).to(dtype).eval()
        if issubclass(cls, torch.nn.Module):
            return cls.from_config(cls.load_config(folder)).to(dtype).eval()
    return cls.from_pretrained(folder)
