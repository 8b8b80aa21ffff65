"""Text to image through the diffusers library."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.backends import ModelNotFound, Served, Spec
from bench.backends.source import Source, fetch, locate, small_file, tokenizer_folder
from bench.backends.torch_device import (
    drain,
    dtype_name,
    guarded,
    parameter_count,
    the_device,
    versions,
)
from bench.records import Backend, Model, Work
from bench.task import Output, Request

TAGS = ("text-to-image",)


class ImageSession:
    """A diffusion pipeline on one device. Each prompt has its own seed, made from its words."""

    def __init__(self, spec: Spec, source: Source) -> None:
        import diffusers
        import torch
        import transformers

        diffusers.utils.logging.set_verbosity_error()
        diffusers.utils.logging.disable_progress_bar()
        transformers.logging.disable_progress_bar()
        self._spec, self._device = spec, the_device(spec)
        dtype = getattr(torch, dtype_name(spec))
        build = _random if spec.weights == "random" else _pretrained
        self._pipeline = build(spec, source, dtype, self._device).to(self._device)
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
                "allow_pickle": spec.allow_pickle,
                "trust_remote_code": spec.trust_remote_code,
                "tokenizer": "embedded" if source.kind == "architecture" else "its own",
            },
        )
        self.backend = Backend(name="diffusers", versions=versions())

    def serve(self, requests: Sequence[Request]) -> Served:
        import torch

        size = self._spec.batch_size
        images: list[Any] = []
        steps = 0
        with guarded("serve"), torch.inference_mode():
            for start in range(0, len(requests), size):
                prompts = [str(r.inputs["prompt"]) for r in requests[start : start + size]]
                drawn = self._draw(prompts)
                images += drawn
                steps += len(drawn) * len(self._pipeline.scheduler.timesteps)
            drain(self._device)
        work = Work(
            inference_count=len(requests),
            image_count=len(images),
            pixel_count=sum(image.width * image.height for image in images),
            step_count=steps,
        )
        return Served(work, tuple(Output(image=image) for image in images))

    def close(self) -> None:
        import gc

        import torch

        del self._pipeline
        gc.collect()
        if self._device != "cpu":
            torch.cuda.empty_cache()

    def _draw(self, prompts: list[str]) -> list[Any]:
        import torch

        names = {"steps": "num_inference_steps", "guidance_scale": "guidance_scale"}
        fixed = {name: self._spec.parameters.get(ours) for ours, name in names.items()}
        chosen = {name: value for name, value in fixed.items() if value is not None}
        seeds = [zlib.crc32(prompt.encode()) for prompt in prompts]
        result = self._pipeline(
            prompts,
            generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
            num_images_per_prompt=self._spec.parameters["images_per_prompt"],
            **chosen,
        )
        return list(result.images)

    def _networks(self) -> list[Any]:
        parts = self._pipeline.components.values()
        return [part for part in parts if hasattr(part, "parameters") and hasattr(part, "eval")]


def prepare(spec: Spec) -> Source:
    """Find the model, and bring it here, before anything is measured. Raises ModelNotFound."""
    source = locate(spec)
    if small_file(source, "model_index.json") is None:
        raise ModelNotFound(f"{spec.model} is not a model for {spec.task_id}")
    the_device(spec)
    return fetch(source, lambda repository, revision: _download(spec, repository, revision))


def load(spec: Spec, source: Source | None = None) -> ImageSession:
    """Load a prepared pipeline. Raises ModelNotFound where it is none, Failed where it breaks."""
    with guarded("load"):
        return ImageSession(spec, source or prepare(spec))


def _download(spec: Spec, repository: str, revision: str | None) -> str:
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


def _pretrained(spec: Spec, source: Source, dtype: Any, device: str) -> Any:
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


def _random(spec: Spec, source: Source, dtype: Any, device: str) -> Any:
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
            where = Path(tokenizer_folder(spec, source, "tokenizer"))
            where = folder / name if source.kind != "architecture" else where
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
