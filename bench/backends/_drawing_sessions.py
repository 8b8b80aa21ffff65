"""Models that draw through diffusers: an image or a video for each prompt."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bench.backends import Served, Spec, _levers
from bench.backends.source import Source, owns_tokenizer
from bench.backends.torch_device import drain, guarded, parameter_count, versions
from bench.results.record import Backend, Model, Work
from bench.task import Output, Request


class DrawingSession(ABC):
    """A diffusion pipeline on one device. Each prompt has its own seed, made from its words."""

    # What the pipeline calls what the task fixes.
    names: ClassVar[Mapping[str, str]]

    def __init__(self, spec: Spec, source: Source, pipeline: Any) -> None:
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
                **_levers.settings(spec),
                "allow_pickle": spec.allow_pickle,
                "trust_remote_code": spec.trust_remote_code,
                "tokenizer": "its own" if owns_tokenizer(source, "tokenizer") else "embedded",
            },
        )
        self.backend = Backend(name="diffusers", versions=versions())

    def serve(self, requests: Sequence[Request]) -> Served:
        import torch

        size = self._spec.batch_size
        outputs: list[Output] = []
        steps = 0
        with guarded("serve"), torch.inference_mode():
            for start in range(0, len(requests), size):
                prompts = [str(r.inputs["prompt"]) for r in requests[start : start + size]]
                drawn = self._drawn(self._draw(prompts))
                outputs += drawn
                steps += len(drawn) * len(self._pipeline.scheduler.timesteps)
            drain(self._device)
        work = Work(inference_count=len(requests), step_count=steps, **self._counts(outputs))
        return Served(work, tuple(outputs))

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


class ImageDrawing(DrawingSession):
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


class VideoDrawing(DrawingSession):
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


def _pixels(images: Sequence[Any]) -> int:
    return sum(image.width * image.height for image in images)
