"""Models that look at images: classification, detection, captions.

A request holds decoded pixels, at the size that its data set fixes. What a pipeline does with them
is inside the measured window: the model's own image processor (size, normalisation), the network,
and what turns its numbers into labels, boxes or words. Reading and decoding files is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.backends._scribe import Scribe
from bench.backends._sessions import Answered, ModelSession, companion
from bench.backends.source import Source
from bench.results.fields import Setting
from bench.task import Box, Output, Request


class ImageSession(ModelSession):
    """A model with its image processor, in the PIL version that every machine has."""

    def _prepare(self, source: Source) -> None:
        self._processor = companion("AutoImageProcessor", self._spec, source, backend="pil")

    def _settings(self, source: Source) -> Mapping[str, Setting]:
        size = getattr(self._processor, "size", None)
        return {
            "image_processor": type(self._processor).__name__,
            "image_size": json.dumps(dict(size), sort_keys=True) if size else None,
        }

    def _look(self, batch: Sequence[Request]) -> Any:
        """The images of a batch as the network takes them, on the device."""
        images = [request.inputs["image"] for request in batch]
        taken = self._processor(images=images, return_tensors="pt")
        return taken.to(self._device, self._net.dtype)


class ImageClassification(ImageSession):
    """An image classifier: one forward pass, one label."""

    auto_class = "AutoModelForImageClassification"

    def _answer(self, batch: Sequence[Request]) -> Answered:
        best = self._net(**self._look(batch)).logits.argmax(dim=-1).tolist()
        names = self._net.config.id2label
        return Answered([Output(label=str(names[index])) for index in best], seen(batch))


class Detection(ImageSession):
    """An object detector: one forward pass, boxes in pixels of the image as it was given."""

    auto_class = "AutoModelForObjectDetection"

    def _answer(self, batch: Sequence[Request]) -> Answered:
        sizes = [request.inputs["image"].size[::-1] for request in batch]
        found = self._processor.post_process_object_detection(
            self._net(**self._look(batch)),
            threshold=float(self._spec.parameters["score_threshold"] or 0),
            target_sizes=sizes,
        )
        return Answered([Output(boxes=self._boxes(one)) for one in found], seen(batch))

    def _boxes(self, found: Mapping[str, Any]) -> tuple[Box, ...]:
        names = self._net.config.id2label
        parts = (found["labels"].tolist(), found["scores"].tolist(), found["boxes"].tolist())
        return tuple(
            Box(str(names[label]), score, (corners[0], corners[1], corners[2], corners[3]))
            for label, score, corners in zip(*parts, strict=True)
        )


class Captions(ImageSession):
    """A model that writes a sentence about an image."""

    auto_class = "AutoModelForImageTextToText"

    def _prepare(self, source: Source) -> None:
        super()._prepare(source)
        self._scribe = Scribe(self._spec, source, self._net)

    def _settings(self, source: Source) -> Mapping[str, Setting]:
        return {**super()._settings(source), **self._scribe.settings()}

    def _answer(self, batch: Sequence[Request]) -> Answered:
        texts, tokens = self._scribe.write(self._look(batch))
        outputs = [Output(text=text) for text in texts]
        return Answered(outputs, {**seen(batch), "output_token_count": tokens})


def seen(batch: Sequence[Request]) -> dict[str, float]:
    """The images that were looked at, and their pixels as they were given."""
    sizes = [request.inputs["image"].size for request in batch]
    return {
        "image_count": len(sizes),
        "pixel_count": sum(width * height for width, height in sizes),
    }
