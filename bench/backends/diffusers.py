"""Text to image and text to video through the diffusers library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.backends import ModelNotFound, Spec, _levers
from bench.backends._drawing_sessions import DrawingSession, ImageDrawing, VideoDrawing
from bench.backends.source import Source, as_found, fetch, locate, small_file, tokenizer_folder
from bench.backends.torch_device import dtype_name, guarded, the_device

SESSIONS: dict[str, type[DrawingSession]] = {
    "text-to-image": ImageDrawing,
    "text-to-video": VideoDrawing,
}
TAGS = tuple(SESSIONS)


def prepare(spec: Spec) -> Source:
    """Find the model, and bring it here, before anything is measured. Raises ModelNotFound."""
    source = locate(spec)
    if small_file(source, "model_index.json") is None:
        raise ModelNotFound(f"{spec.model} is not a model for {spec.task_id}")
    _levers.check(spec)
    if len(spec.devices) > 1:
        raise ModelNotFound("a pipeline runs on one GPU: give one --device")
    the_device(spec)
    return fetch(source, lambda repository, revision: _download(spec, repository, revision))


def load(spec: Spec, source: Source | None = None) -> DrawingSession:
    """Load a prepared pipeline. Raises ModelNotFound where it is none, Failed where it breaks."""
    with guarded("load"):
        source = source or prepare(spec)
        spec = as_found(spec, source)
        return SESSIONS[spec.tag](spec, source, _pipeline(spec, source))


def _pipeline(spec: Spec, source: Source) -> Any:
    """The pipeline on its device, in its precision."""
    import diffusers
    import torch
    import transformers

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.logging.disable_progress_bar()
    device = the_device(spec)
    build = _random if spec.weights == "random" else _pretrained
    pipeline = build(spec, source, getattr(torch, dtype_name(spec)), device).to(device)
    _pull(spec, pipeline)
    return pipeline


def _pull(spec: Spec, pipeline: Any) -> None:
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
    _levers.pull(spec, [denoiser])


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
