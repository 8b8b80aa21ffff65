"""Sessions for images, sounds and videos: outputs, counted work, independence of batches."""

import json

import numpy
import pytest
import torch
from PIL import Image

from bench.backends import ModelNotFound, ModelSpec, diffusers, transformers
from bench.results.settings import ModelSettings
from bench.runner import quality
from bench.system import registry
from bench.task import Request
from bench.workloads import dataset_loader, embedded
from bench.workloads.workload import build_workload

NOISE = numpy.random.default_rng(0)
IMAGES = [
    Request({"image": Image.fromarray(NOISE.integers(0, 255, (h, w, 3), numpy.uint8))})
    for w, h in ((40, 30), (64, 48), (30, 40))
]
SOUNDS = [
    Request({"audio": NOISE.normal(0, 0.1, round(16_000 * seconds)).astype("float32")})
    for seconds in (0.5, 1.25, 2.0)
]


def make_spec(task_id, model="embedded/tiny", **changes):
    task = registry.find_task(task_id)
    parameters = {**task.parameters, **task.datasets["embedded"].parameters}
    return ModelSpec(
        task_id=task_id,
        tag=task.tag,
        model=str(model),
        parameters=parameters,
        settings=ModelSettings(**changes),
    )


def save_model(folder, config, *processors):
    """Save the configuration of a tiny model with its processors; returns the folder."""
    config.save_pretrained(folder)
    for processor in processors:
        processor.save_pretrained(folder)
    return folder


def text_tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(embedded.model_path("text-gen", "small"))


def small_network(**more):
    return {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        **more,
    }


def detr(folder):
    from transformers import DetrConfig, DetrImageProcessor, ResNetConfig

    backbone = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], out_features=["stage2"]
    )
    sides = {f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in
             {"layers": 1, "attention_heads": 2, "ffn_dim": 32}.items()}  # fmt: skip
    config = DetrConfig(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=backbone,
        d_model=32,
        num_queries=7,
        num_labels=3,
        **sides,
    )
    size = {"shortest_edge": 32, "longest_edge": 64}
    return save_model(folder, config, DetrImageProcessor(size=size))


def vit_gpt2(folder):
    """An image encoder and a decoder of text, as the captioners named vit-gpt2 are made."""
    from transformers import GPT2Config, VisionEncoderDecoderConfig, ViTConfig, ViTImageProcessor

    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(**small_network(), image_size=32, patch_size=16),
        GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=2048, eos_token_id=0),
    )
    config.decoder_start_token_id = config.eos_token_id = config.pad_token_id = 0
    size = {"height": 32, "width": 32}
    return save_model(folder, config, ViTImageProcessor(size=size), text_tokenizer())


def wav2vec2(folder):
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor

    config = Wav2Vec2Config(
        **small_network(), vocab_size=32, conv_dim=(16,) * 7, num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    return save_model(folder, config, Wav2Vec2FeatureExtractor(), text_tokenizer())


def whisper(folder):
    from transformers import WhisperConfig, WhisperFeatureExtractor

    sides = {f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in
             {"layers": 1, "attention_heads": 2, "ffn_dim": 32}.items()}  # fmt: skip
    config = WhisperConfig(
        **sides, d_model=32, vocab_size=2048, pad_token_id=0, bos_token_id=0, eos_token_id=0,
        decoder_start_token_id=0, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    return save_model(folder, config, WhisperFeatureExtractor(), text_tokenizer())


def test_embedded_configurations_without_weights_are_recorded_as_random():
    for task_id in ("asr", "image-captioning", "image-classification", "object-detection"):
        assert transformers.load(make_spec(task_id)).model.weights == "pretrained"
    session = transformers.load(make_spec("asr", "embedded/small"))
    assert session.model.weights == "random"
    assert sum(p.std() > 0 for p in session.network.parameters() if p.dim() > 1) > 5
    assert diffusers.load(make_spec("video-gen")).model.weights == "random"


def test_input_images_are_counted_with_their_original_pixels():
    for task_id in ("image-classification", "object-detection", "image-captioning"):
        work = transformers.load(make_spec(task_id)).serve(IMAGES).work
        assert (work.inference_count, work.image_count) == (3, 3)
        assert work.pixel_count == 40 * 30 + 64 * 48 + 30 * 40


def test_embedded_classifier_is_accurate_and_independent_of_the_batch():
    work = dataset_loader.load_dataset_workload(
        registry.find_task("image-classification"), "embedded"
    )
    requests = [request for block in work.blocks[:10] for request in block]
    together = transformers.load(make_spec("image-classification", batch_size=32)).serve(requests)
    right = sum(o.label == r.reference for o, r in zip(together.outputs, requests, strict=True))
    assert right >= 80
    alone = transformers.load(make_spec("image-classification")).serve(requests)
    assert alone.outputs == together.outputs


def test_accuracy_falls_by_one_row_for_one_wrong_label():
    task = registry.find_task("image-classification")
    rows = [dict(row) for row in embedded.rows("image-classification")[:30]]
    outputs = (
        transformers.load(make_spec(task.id))
        .serve(build_workload(task, "x", rows, {}).requests)
        .outputs
    )
    right = next(n for n, o in enumerate(outputs) if o.label == rows[n]["label"])
    rows.append({**rows[right], "label": "sandal" if rows[right]["label"] != "sandal" else "bag"})
    shares = []
    for some in (rows[:30], [*rows[:right], rows[30], *rows[right + 1 : 30]]):
        work = build_workload(task, "x", some, {})
        shares.append(
            quality.evaluate_quality(work, zip(work.requests, outputs, strict=True)).value
        )
    assert shares[0] - shares[1] == pytest.approx(1 / 30)


def test_image_has_the_size_that_the_data_set_fixes():
    task = registry.find_task("image-classification")
    fixed = task.datasets["power-hungry"].parameters
    row = {"img": Image.new("RGB", (32, 32)), "label": "cat"}
    assert task.request(row, fixed).inputs["image"].size == (640, 480)
    assert task.request(row, {}).inputs["image"].size == (32, 32)
    request = registry.find_task("object-detection").request(
        {"image": row["img"], "objects": {"bbox": [[0, 0, 16, 32]], "category": ["cat"]}}, fixed
    )
    assert request.reference[0].corners == (0, 0, 320, 480)


@pytest.mark.parametrize("batch", [1, 3])
def test_boxes_are_in_pixels_of_the_input_image(batch, tmp_path):
    for model in ("embedded/tiny", detr(tmp_path)):
        spec = make_spec("object-detection", model, batch_size=batch, weights="random")
        served = transformers.load(spec).serve(IMAGES)
        assert len(served.outputs) == 3
        for request, output in zip(IMAGES, served.outputs, strict=True):
            width, height = request.inputs["image"].size
            assert output.boxes and all(0 < box.score <= 1 for box in output.boxes)
            centres = [((b.corners[0] + b.corners[2]) / 2, (b.corners[1] + b.corners[3]) / 2)
                      for b in output.boxes]  # fmt: skip
            assert all(0 <= x <= width and 0 <= y <= height for x, y in centres)


def test_detections_do_not_depend_on_the_batch(tmp_path):
    """DETR pads the images of a batch to one size, and masks the padding."""
    folder = detr(tmp_path)
    one, three = (
        transformers.load(make_spec("object-detection", folder, batch_size=n, weights="random"))
        for n in (1, 3)
    )
    for alone, together in zip(one.serve(IMAGES).outputs, three.serve(IMAGES).outputs, strict=True):
        assert [b.label for b in alone.boxes] == [b.label for b in together.boxes]
        for a, b in zip(alone.boxes, together.boxes, strict=True):
            assert a.corners == pytest.approx(b.corners, abs=0.5)


@pytest.mark.parametrize("batch", [1, 3])
def test_captioner_with_random_weights_generates_a_fixed_number_of_tokens(batch, tmp_path):
    for model in ("embedded/tiny", vit_gpt2(tmp_path)):
        session = transformers.load(
            make_spec("image-captioning", model, batch_size=batch, weights="random")
        )
        assert session.model.settings["fixed_new_tokens"] == 10
        assert session.serve(IMAGES).work.output_token_count == 3 * 10


def test_generated_tokens_are_counted_up_to_the_end_token(tmp_path):
    """The first token of this model is its end token, for every image."""
    from transformers import AutoModelForImageTextToText, VisionEncoderDecoderConfig

    folder = vit_gpt2(tmp_path)
    net = AutoModelForImageTextToText.from_config(
        VisionEncoderDecoderConfig.from_pretrained(folder)
    )
    with torch.no_grad():
        net.decoder.lm_head.weight.zero_()
    net.save_pretrained(folder)
    text_tokenizer().save_pretrained(folder)
    session = transformers.load(make_spec("image-captioning", folder, batch_size=3))
    served = session.serve(IMAGES)
    assert session.model.weights == "pretrained"
    assert served.work.output_token_count == 3
    assert [output.text for output in served.outputs] == ["", "", ""]


@pytest.mark.parametrize("batch", [1, 3])
def test_seconds_of_sound_are_counted_without_padding(batch, tmp_path):
    folders = {maker: maker(tmp_path / maker.__name__) for maker in (whisper, wav2vec2)}
    for maker, model in {**folders, None: "embedded/tiny"}.items():
        session = transformers.load(make_spec("asr", model, batch_size=batch, weights="random"))
        served = session.serve(SOUNDS)
        assert served.work.audio_seconds == pytest.approx(3.75)
        assert len(served.outputs) == 3
        writes = session.model.settings["fixed_new_tokens"] == 32
        assert served.work.output_token_count == (96 if writes else None)
        assert writes == (maker is whisper)


def test_speech_model_at_another_sample_rate_is_refused(tmp_path):
    folder = wav2vec2(tmp_path)
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sampling_rate": 8000}))
    with pytest.raises(ModelNotFound, match="takes sound at 8000 Hz"):
        transformers.load(make_spec("asr", folder, weights="random"))


def test_text_model_is_refused_for_images_and_sounds():
    for task_id in ("image-classification", "asr", "object-detection", "image-captioning"):
        writer = embedded.model_path("text-gen", "tiny")
        with pytest.raises(ModelNotFound, match=f"not a model for {task_id}"):
            transformers.load(make_spec(task_id, writer, weights="random"))


def test_frames_pixels_steps_and_seconds_of_a_video_are_counted():
    session = diffusers.load(make_spec("video-gen", batch_size=2))
    prompts = [Request({"prompt": f"a boat, {n}"}) for n in range(3)]
    served = session.serve(prompts)
    assert [len(output.frames) for output in served.outputs] == [9, 9, 9]
    assert {frame.size for output in served.outputs for frame in output.frames} == {(32, 32)}
    assert served.work.video_seconds == pytest.approx(3 * 9 / 8)
    assert served.work.pixel_count == 3 * 9 * 32 * 32
    assert served.work.step_count == 3 * 2
    assert served.work.image_count is None
    # Each prompt has its own seed: the same video in another batch, except for rounding.
    again = session.serve(prompts[::-1]).outputs
    one, other = (numpy.asarray(f, int) for f in (again[0].frames[4], served.outputs[2].frames[4]))
    assert numpy.abs(one - other).max() <= 2
    assert numpy.abs(one - numpy.asarray(served.outputs[0].frames[4], int)).max() > 2


def test_long_recordings_are_left_out_and_transcriptions_are_normalised():
    task = registry.find_task("asr")
    row = {"audio": numpy.zeros(16_000 * 31, "float32"), "text": "x"}
    assert task.request(row, task.parameters) is None
    request = task.request(
        {"audio": numpy.ones(160, "float32"), "text": "I'm here, now!"}, task.parameters
    )
    assert request.reference == "i'm here now"
