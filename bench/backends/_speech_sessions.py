"""Models that hear: speech to text, by a decoder that writes or by one symbol a frame (CTC).

A request holds decoded samples, mono at 16 kHz. What a pipeline does with them is inside the
measured window: the model's feature extractor (spectrogram, padding), the network, and the words.
Reading, decoding and resampling files is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.backends import ModelNotFound, Spec
from bench.backends._scribe import Scribe
from bench.backends._sessions import Answered, ModelSession, companion, why
from bench.backends.source import Source
from bench.results.fields import Setting
from bench.task import Output, Request

RATE = 16_000


class SpeechSession(ModelSession):
    """A speech model with its feature extractor and its tokenizer."""

    def _prepare(self, source: Source) -> None:
        self._extractor = companion("AutoFeatureExtractor", self._spec, source)
        if self._extractor.sampling_rate != RATE:
            raise ModelNotFound(
                f"{self._spec.model} hears {self._extractor.sampling_rate} samples a second, "
                f"and {self._spec.task_id} has {RATE}"
            )
        self._scribe = Scribe(self._spec, source, self._net)

    def _settings(self, source: Source) -> Mapping[str, Setting]:
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


class Transcription(SpeechSession):
    """An encoder that hears and a decoder that writes."""

    auto_class = "AutoModelForSpeechSeq2Seq"

    def _answer(self, batch: Sequence[Request]) -> Answered:
        texts, tokens = self._scribe.write(self._hear(batch), **self._language())
        outputs = [Output(text=text) for text in texts]
        return Answered(outputs, {**heard(batch), "output_token_count": tokens})

    def _language(self) -> dict[str, str]:
        """A model of many languages is told which one it hears, or it would first guess."""
        if not getattr(self._net.generation_config, "lang_to_id", None):
            return {}
        return {"language": str(self._spec.parameters["language"]), "task": "transcribe"}


class FrameTranscription(SpeechSession):
    """One forward pass that gives each frame a symbol; repeated ones and blanks are joined."""

    auto_class = "AutoModelForCTC"

    def _settings(self, source: Source) -> Mapping[str, Setting]:
        return {**super()._settings(source), "fixed_new_tokens": None}

    def _answer(self, batch: Sequence[Request]) -> Answered:
        ids = self._net(**self._hear(batch)).logits.argmax(dim=-1)
        texts = self._scribe.tokenizer.batch_decode(ids)
        return Answered([Output(text=text.strip()) for text in texts], heard(batch))


def speech(spec: Spec, source: Source) -> SpeechSession:
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
    return Transcription(spec, source) if writes else FrameTranscription(spec, source)


def heard(batch: Sequence[Request]) -> dict[str, float]:
    """Seconds of sound that were listened to, padding not counted."""
    return {"audio_seconds": sum(len(request.inputs["audio"]) for request in batch) / RATE}
