"""Images, sounds and videos through the real library classes: counted work, batches, boxes."""

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
PICTURES = [
    Request({"image": Image.fromarray(NOISE.integers(0, 255, (h, w, 3), numpy.uint8))})
    for w, h in ((40, 30), (64, 48), (30, 40))
]
SOUNDS = [
    Request({"audio": NOISE.normal(0, 0.1, round(16_000 * seconds)).astype("float32")})
    for seconds in (0.5, 1.25, 2.0)
]


def spec(task_id, model="embedded/tiny", **changes):
    task = registry.find_task(task_id)
    parameters = {**task.parameters, **task.datasets["embedded"].parameters}
    return ModelSpec(
        task_id=task_id,
        tag=task.tag,
        model=str(model),
        parameters=parameters,
        settings=ModelSettings(**changes),
    )


def shape(folder, config, *companions):
    """A folder with the configuration of a tiny model, and what stands beside it."""
    config.save_pretrained(folder)
    for companion in companions:
        companion.save_pretrained(folder)
    return folder


def words():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(embedded.model_path("text-gen", "small"))


def small(**more):
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
    return shape(folder, config, DetrImageProcessor(size=size))


def vit_gpt2(folder):
    """An image encoder and a decoder of text, as the captioners named vit-gpt2 are made."""
    from transformers import GPT2Config, VisionEncoderDecoderConfig, ViTConfig, ViTImageProcessor

    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(**small(), image_size=32, patch_size=16),
        GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=2048, eos_token_id=0),
    )
    config.decoder_start_token_id = config.eos_token_id = config.pad_token_id = 0
    size = {"height": 32, "width": 32}
    return shape(folder, config, ViTImageProcessor(size=size), words())


def wav2vec2(folder):
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor

    config = Wav2Vec2Config(
        **small(), vocab_size=32, conv_dim=(16,) * 7, num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    return shape(folder, config, Wav2Vec2FeatureExtractor(), words())


def test_embedded_shapes_are_random_and_say_so():
    for task_id in ("asr", "image-captioning", "object-detection"):
        session = transformers.load(spec(task_id))
        assert session.model.weights == "random"
        assert sum(p.std() > 0 for p in session.network.parameters() if p.dim() > 1) > 5
    assert transformers.load(spec("image-classification")).model.weights == "pretrained"
    assert diffusers.load(spec("video-gen")).model.weights == "random"


def test_images_are_counted_with_the_pixels_they_were_given():
    for task_id in ("image-classification", "object-detection", "image-captioning"):
        work = transformers.load(spec(task_id)).serve(PICTURES).work
        assert (work.inference_count, work.image_count) == (3, 3)
        assert work.pixel_count == 40 * 30 + 64 * 48 + 30 * 40


def test_the_embedded_classifier_is_right_and_a_batch_answers_as_one_by_one_does():
    work = dataset_loader.load_dataset_workload(
        registry.find_task("image-classification"), "embedded"
    )
    requests = [request for block in work.blocks[:10] for request in block]
    together = transformers.load(spec("image-classification", batch_size=32)).serve(requests)
    right = sum(o.label == r.reference for o, r in zip(together.outputs, requests, strict=True))
    assert right >= 80
    alone = transformers.load(spec("image-classification")).serve(requests)
    assert alone.outputs == together.outputs


def test_one_wrong_label_planted_in_the_data_lowers_the_accuracy_by_one_row():
    task = registry.find_task("image-classification")
    rows = [dict(row) for row in embedded.rows("image-classification")[:30]]
    outputs = (
        transformers.load(spec(task.id)).serve(build_workload(task, "x", rows, {}).requests).outputs
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


def test_an_image_keeps_the_size_that_the_data_set_fixes():
    task = registry.find_task("image-classification")
    fixed = task.datasets["power-hungry"].parameters
    row = {"img": Image.new("RGB", (32, 32)), "label": "cat"}
    assert task.request(row, fixed).inputs["image"].size == (640, 480)
    assert task.request(row, {}).inputs["image"].size == (32, 32)
    found = registry.find_task("object-detection").request(
        {"image": row["img"], "objects": {"bbox": [[0, 0, 16, 32]], "category": ["cat"]}}, fixed
    )
    assert found.reference[0].corners == (0, 0, 320, 480)


@pytest.mark.parametrize("batch", [1, 3])
def test_boxes_are_in_pixels_of_the_image_as_given(batch, tmp_path):
    for model in ("embedded/tiny", detr(tmp_path)):
        asked = spec("object-detection", model, batch_size=batch, weights="random")
        served = transformers.load(asked).serve(PICTURES)
        assert len(served.outputs) == 3
        for request, output in zip(PICTURES, served.outputs, strict=True):
            width, height = request.inputs["image"].size
            assert output.boxes and all(0 < box.score <= 1 for box in output.boxes)
            middle = [((b.corners[0] + b.corners[2]) / 2, (b.corners[1] + b.corners[3]) / 2)
                      for b in output.boxes]  # fmt: skip
            assert all(0 <= x <= width and 0 <= y <= height for x, y in middle)


def test_a_batch_of_images_is_padded_and_finds_what_one_by_one_finds(tmp_path):
    """DETR pads the images of a batch to one size, and masks what it added."""
    folder = detr(tmp_path)
    one, three = (
        transformers.load(spec("object-detection", folder, batch_size=n, weights="random"))
        for n in (1, 3)
    )
    for alone, together in zip(
        one.serve(PICTURES).outputs, three.serve(PICTURES).outputs, strict=True
    ):
        assert [b.label for b in alone.boxes] == [b.label for b in together.boxes]
        for a, b in zip(alone.boxes, together.boxes, strict=True):
            assert a.corners == pytest.approx(b.corners, abs=0.5)


@pytest.mark.parametrize("batch", [1, 3])
def test_random_captioners_write_the_fixed_number_of_tokens(batch, tmp_path):
    for model in ("embedded/tiny", vit_gpt2(tmp_path)):
        session = transformers.load(
            spec("image-captioning", model, batch_size=batch, weights="random")
        )
        assert session.model.settings["fixed_new_tokens"] == 10
        assert session.serve(PICTURES).work.output_token_count == 3 * 10


def test_a_captioner_that_stops_by_itself_is_counted_up_to_its_end(tmp_path):
    """Weights saved and read again: this model writes its end at once, for every image."""
    from transformers import AutoModelForImageTextToText, VisionEncoderDecoderConfig

    folder = vit_gpt2(tmp_path)
    net = AutoModelForImageTextToText.from_config(
        VisionEncoderDecoderConfig.from_pretrained(folder)
    )
    with torch.no_grad():
        net.decoder.lm_head.weight.zero_()
    net.save_pretrained(folder)
    words().save_pretrained(folder)
    session = transformers.load(spec("image-captioning", folder, batch_size=3))
    served = session.serve(PICTURES)
    assert session.model.weights == "pretrained"
    assert served.work.output_token_count == 3
    assert [output.text for output in served.outputs] == ["", "", ""]


@pytest.mark.parametrize("batch", [1, 3])
def test_seconds_of_sound_are_counted_without_padding(batch, tmp_path):
    for model in ("embedded/tiny", wav2vec2(tmp_path)):
        session = transformers.load(spec("asr", model, batch_size=batch, weights="random"))
        served = session.serve(SOUNDS)
        assert served.work.audio_seconds == pytest.approx(3.75)
        assert len(served.outputs) == 3
        writes = session.model.settings["fixed_new_tokens"] == 32
        assert served.work.output_token_count == (96 if writes else None)
        assert writes == (model == "embedded/tiny")


def test_a_speech_model_at_another_rate_is_refused(tmp_path):
    folder = wav2vec2(tmp_path)
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "sampling_rate": 8000}))
    with pytest.raises(ModelNotFound, match="takes sound at 8000 Hz"):
        transformers.load(spec("asr", folder, weights="random"))


def test_a_model_that_cant_see_or_hear_is_said():
    for task_id in ("image-classification", "asr", "object-detection", "image-captioning"):
        writer = embedded.model_path("text-gen", "tiny")
        with pytest.raises(ModelNotFound, match=f"not a model for {task_id}"):
            transformers.load(spec(task_id, writer, weights="random"))


def test_frames_pixels_steps_and_seconds_of_a_video_are_counted():
    session = diffusers.load(spec("video-gen", batch_size=2))
    prompts = [Request({"prompt": f"a boat, {n}"}) for n in range(3)]
    served = session.serve(prompts)
    assert [len(output.frames) for output in served.outputs] == [9, 9, 9]
    assert {frame.size for output in served.outputs for frame in output.frames} == {(32, 32)}
    assert served.work.video_seconds == pytest.approx(3 * 9 / 8)
    assert served.work.pixel_count == 3 * 9 * 32 * 32
    assert served.work.step_count == 3 * 2
    assert served.work.image_count is None
    # Each prompt has its own seed: the same video in another batch, but for rounding.
    again = session.serve(prompts[::-1]).outputs
    one, other = (numpy.asarray(f, int) for f in (again[0].frames[4], served.outputs[2].frames[4]))
    assert numpy.abs(one - other).max() <= 2
    assert numpy.abs(one - numpy.asarray(served.outputs[0].frames[4], int)).max() > 2


def test_longer_recordings_are_left_out_and_words_are_compared_without_case_or_marks():
    task = registry.find_task("asr")
    row = {"audio": numpy.zeros(16_000 * 31, "float32"), "text": "x"}
    assert task.request(row, task.parameters) is None
    heard = task.request(
        {"audio": numpy.ones(160, "float32"), "text": "I'm here, now!"}, task.parameters
    )
    assert heard.reference == "i'm here now"
