"""Image and speech models."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from bench.backends import ModelNotFound, ModelSpec
from bench.backends._model_session import (
    BatchOutput,
    TextDecoder,
    TransformersSession,
    load_component,
)
from bench.backends._model_source import ModelSource
from bench.task import Box, Output, Request
from bench.workloads.media import SAMPLE_RATE_HZ


class SpeechSession(TransformersSession):
    """A speech model with its feature extractor and its tokenizer."""

    def _load_preprocessor(self, source: ModelSource) -> None:
        self._extractor = load_component("AutoFeatureExtractor", self._spec, source.location)
        rate = self._extractor.sampling_rate
        if rate != SAMPLE_RATE_HZ:
            raise ModelNotFound(
                f"{self._spec.model} takes sound at {rate} Hz, and {self._spec.task_id} has "
                f"{SAMPLE_RATE_HZ} Hz"
            )
        self._decoder = TextDecoder(self._spec, source, self.network)
        self.settings["feature_extractor"] = type(self._extractor).__name__
        self.settings |= self._decoder.settings

    def _features(self, batch: Sequence[Request]) -> Any:
        """The sounds of a batch as inputs of the network, on its device."""
        # Whisper's encoder always takes 30 s; any other takes the length of the longest sound.
        is_whisper = self.network.config.model_type == "whisper"
        features = self._extractor(
            [request.inputs["audio"] for request in batch],
            sampling_rate=SAMPLE_RATE_HZ,
            return_tensors="pt",
            return_attention_mask=True,
            **({} if is_whisper else {"padding": "longest"}),
        )
        return features.to(self._device, self.network.dtype)


class SpeechToTextSession(SpeechSession):
    """An encoder of sound with a decoder of text, such as Whisper."""

    auto_class = "AutoModelForSpeechSeq2Seq"

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        # A multilingual model would otherwise detect the language first.
        language = {}
        if getattr(self.network.generation_config, "lang_to_id", None):
            language = {"language": str(self._spec.parameters["language"]), "task": "transcribe"}
        texts, tokens = self._decoder.generate(self._features(batch), **language)
        outputs = [Output(text=text) for text in texts]
        return BatchOutput(outputs, {**audio_counts(batch), "output_token_count": tokens})


class CtcSession(SpeechSession):
    """A CTC model: one forward pass, one symbol a frame; repeats and blanks are merged."""

    auto_class = "AutoModelForCTC"

    def _load_preprocessor(self, source: ModelSource) -> None:
        super()._load_preprocessor(source)
        self.settings["fixed_new_tokens"] = None

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        ids = self.network(**self._features(batch)).logits.argmax(dim=-1)
        texts = self._decoder.tokenizer.batch_decode(ids)
        return BatchOutput([Output(text=text.strip()) for text in texts], audio_counts(batch))


def speech_session(spec: ModelSpec, source: ModelSource) -> SpeechSession:
    """The session for a speech model, by its configuration. Raises ModelNotFound."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES

    config = load_component("AutoConfig", spec, source.location)
    has_decoder = config.model_type in MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES and not any(
        name.endswith("ForCTC") for name in config.architectures or ()
    )
    return SpeechToTextSession(spec, source) if has_decoder else CtcSession(spec, source)


def audio_counts(batch: Sequence[Request]) -> dict[str, float]:
    """Seconds of sound in a batch, without padding."""
    samples = sum(len(request.inputs["audio"]) for request in batch)
    return {"audio_seconds": samples / SAMPLE_RATE_HZ}


class ImageSession(TransformersSession):
    """A model with its image processor, in the PIL version, which needs no other library."""

    def _load_preprocessor(self, source: ModelSource) -> None:
        self._processor = load_component(
            "AutoImageProcessor", self._spec, source.location, backend="pil"
        )
        size = getattr(self._processor, "size", None)
        self.settings["image_processor"] = type(self._processor).__name__
        self.settings["image_size"] = json.dumps(dict(size), sort_keys=True) if size else None

    def _pixels(self, batch: Sequence[Request]) -> Any:
        """The images of a batch as inputs of the network, on its device."""
        images = [request.inputs["image"] for request in batch]
        pixels = self._processor(images=images, return_tensors="pt")
        return pixels.to(self._device, self.network.dtype)


class ImageClassificationSession(ImageSession):
    """An image classifier: one forward pass, one label."""

    auto_class = "AutoModelForImageClassification"

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        outputs = self._best_labels(self.network(**self._pixels(batch)).logits)
        return BatchOutput(outputs, image_counts(batch))


class ObjectDetectionSession(ImageSession):
    """An object detector: one forward pass, boxes in pixels of the input image."""

    auto_class = "AutoModelForObjectDetection"

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        detections = self._processor.post_process_object_detection(
            self.network(**self._pixels(batch)),
            threshold=float(self._spec.parameters["score_threshold"] or 0),
            target_sizes=[request.inputs["image"].size[::-1] for request in batch],
        )
        outputs = [Output(boxes=self._boxes(one)) for one in detections]
        return BatchOutput(outputs, image_counts(batch))

    def _boxes(self, detections: Mapping[str, Any]) -> tuple[Box, ...]:
        """The boxes of one image."""
        names = self.network.config.id2label
        columns = (detections[name].tolist() for name in ("labels", "scores", "boxes"))
        return tuple(
            Box(str(names[label]), score, (corners[0], corners[1], corners[2], corners[3]))
            for label, score, corners in zip(*columns, strict=True)
        )


class ImageCaptioningSession(ImageSession):
    """A model that writes a sentence about an image."""

    auto_class = "AutoModelForImageTextToText"

    def _load_preprocessor(self, source: ModelSource) -> None:
        super()._load_preprocessor(source)
        self._decoder = TextDecoder(self._spec, source, self.network)
        self.settings |= self._decoder.settings

    def _run_batch(self, batch: Sequence[Request]) -> BatchOutput:
        texts, tokens = self._decoder.generate(self._pixels(batch))
        outputs = [Output(text=text) for text in texts]
        return BatchOutput(outputs, {**image_counts(batch), "output_token_count": tokens})


def image_counts(batch: Sequence[Request]) -> dict[str, float]:
    """The input images of a batch, and their pixels before any resizing."""
    sizes = [request.inputs["image"].size for request in batch]
    return {"image_count": len(sizes), "pixel_count": sum(math.prod(size) for size in sizes)}
