"""Image and speech models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.backends import ModelNotFound, ModelSpec
from bench.backends._model_session import (
    BatchOutput,
    TextDecoder,
    TransformersSession,
    companion,
    why,
)
from bench.backends._model_source import ModelSource
from bench.results.fields import Setting
from bench.task import Box, Output, Request

RATE = 16_000


class SpeechSession(TransformersSession):
    """A speech model with its feature extractor and its tokenizer."""

    def _prepare(self, source: ModelSource) -> None:
        self._extractor = companion("AutoFeatureExtractor", self._spec, source)
        if self._extractor.sampling_rate != RATE:
            raise ModelNotFound(
                f"{self._spec.model} hears {self._extractor.sampling_rate} samples a second, "
                f"and {self._spec.task_id} has {RATE}"
            )
        self._scribe = TextDecoder(self._spec, source, self._net)

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
        return {"feature_extractor": type(self._extractor).__name__, **self._scribe.settings()}

    def _hear(self, batch: Sequence[Request]) -> Any:
        """The sounds of a batch as the network takes them, on the device."""
        taken = self._extractor(
            [request.inputs["audio"] for request in batch],
            sampling_rate=RATE,
            return_tensors="pt",
            return_attention_mask=True,
            **self._padding(),
        )
        return taken.to(self._device, self._net.dtype)

    def _padding(self) -> dict[str, Any]:
        """Whisper's encoder takes 30 s, whatever was said; any other takes the longest sound."""
        return {} if self._net.config.model_type == "whisper" else {"padding": "longest"}


class SpeechToTextSession(SpeechSession):
    """An encoder that hears and a decoder that writes."""

    auto_class = "AutoModelForSpeechSeq2Seq"

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        texts, tokens = self._scribe.write(self._hear(batch), **self._language())
        outputs = [Output(text=text) for text in texts]
        return BatchOutput(outputs, {**heard(batch), "output_token_count": tokens})

    def _language(self) -> dict[str, str]:
        """A model of many languages is told which one it hears, or it would first guess."""
        if not getattr(self._net.generation_config, "lang_to_id", None):
            return {}
        return {"language": str(self._spec.parameters["language"]), "task": "transcribe"}


class CtcSession(SpeechSession):
    """One forward pass that gives each frame a symbol; repeated ones and blanks are joined."""

    auto_class = "AutoModelForCTC"

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
        return {**super()._settings(source), "fixed_new_tokens": None}

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        ids = self._net(**self._hear(batch)).logits.argmax(dim=-1)
        texts = self._scribe.tokenizer.batch_decode(ids)
        return BatchOutput([Output(text=text.strip()) for text in texts], heard(batch))


def speech(spec: ModelSpec, source: ModelSource) -> SpeechSession:
    """The kind of session that a speech model needs, by its configuration. Raises ModelNotFound."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES as WRITING,
    )

    try:
        config = AutoConfig.from_pretrained(
            source.location, trust_remote_code=spec.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise ModelNotFound(why(spec, error)) from error
    writes = config.model_type in WRITING and not any(
        name.endswith("ForCTC") for name in config.architectures or ()
    )
    return SpeechToTextSession(spec, source) if writes else CtcSession(spec, source)


def heard(batch: Sequence[Request]) -> dict[str, float]:
    """Seconds of sound that were listened to, padding not counted."""
    return {"audio_seconds": sum(len(request.inputs["audio"]) for request in batch) / RATE}


class ImageSession(TransformersSession):
    """A model with its image processor, in the PIL version that every machine has."""

    def _prepare(self, source: ModelSource) -> None:
        self._processor = companion("AutoImageProcessor", self._spec, source, backend="pil")

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
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


class ImageClassificationSession(ImageSession):
    """An image classifier: one forward pass, one label."""

    auto_class = "AutoModelForImageClassification"

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        best = self._net(**self._look(batch)).logits.argmax(dim=-1).tolist()
        names = self._net.config.id2label
        return BatchOutput([Output(label=str(names[index])) for index in best], seen(batch))


class ObjectDetectionSession(ImageSession):
    """An object detector: one forward pass, boxes in pixels of the image as it was given."""

    auto_class = "AutoModelForObjectDetection"

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        sizes = [request.inputs["image"].size[::-1] for request in batch]
        found = self._processor.post_process_object_detection(
            self._net(**self._look(batch)),
            threshold=float(self._spec.parameters["score_threshold"] or 0),
            target_sizes=sizes,
        )
        return BatchOutput([Output(boxes=self._boxes(one)) for one in found], seen(batch))

    def _boxes(self, found: Mapping[str, Any]) -> tuple[Box, ...]:
        names = self._net.config.id2label
        parts = (found["labels"].tolist(), found["scores"].tolist(), found["boxes"].tolist())
        return tuple(
            Box(str(names[label]), score, (corners[0], corners[1], corners[2], corners[3]))
            for label, score, corners in zip(*parts, strict=True)
        )


class ImageCaptioningSession(ImageSession):
    """A model that writes a sentence about an image."""

    auto_class = "AutoModelForImageTextToText"

    def _prepare(self, source: ModelSource) -> None:
        super()._prepare(source)
        self._scribe = TextDecoder(self._spec, source, self._net)

    def _settings(self, source: ModelSource) -> Mapping[str, Setting]:
        return {**super()._settings(source), **self._scribe.settings()}

    def _answer(self, batch: Sequence[Request]) -> BatchOutput:
        texts, tokens = self._scribe.write(self._look(batch))
        outputs = [Output(text=text) for text in texts]
        return BatchOutput(outputs, {**seen(batch), "output_token_count": tokens})


def seen(batch: Sequence[Request]) -> dict[str, float]:
    """The images that were looked at, and their pixels as they were given."""
    sizes = [request.inputs["image"].size for request in batch]
    return {
        "image_count": len(sizes),
        "pixel_count": sum(width * height for width, height in sizes),
    }
