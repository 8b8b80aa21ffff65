"""Decoding: the embedded images and sounds, files of every kind, and what is neither."""

import io
import sys

import numpy
import pytest
import soundfile
from datasets import ClassLabel, Dataset, Features, List, Value
from datasets import Image as ImageFeature
from PIL import Image

from bench.system import registry
from bench.workloads import dataset_loader, embedded, media

TONE = numpy.sin(numpy.arange(8000) * 0.1).astype("float32") / 2


def written(path, samples, rate, **words):
    soundfile.write(path, samples, rate, **words)
    return str(path)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_sound_is_its_samples_to_the_bit_of_the_file(suffix, tmp_path):
    heard = media.decode_sound(written(tmp_path / f"a.{suffix}", TONE, 16_000, subtype="PCM_16"))
    assert heard.dtype == numpy.float32 and heard.shape == (8000,)
    assert numpy.abs(heard - TONE).max() < 1 / 32_000


def test_another_rate_and_two_channels_become_one_at_16_khz(tmp_path):
    two = numpy.stack([TONE, -TONE], axis=1)
    heard = media.decode_sound(written(tmp_path / "a.wav", two, 8000))
    assert heard.shape == (16_000,) and numpy.abs(heard).max() < 1e-3
    slow = media.decode_sound({"array": TONE, "sampling_rate": 8000})
    # The same tone at twice the samples: a crossing of zero every 2 × 10 π samples.
    crossings = numpy.flatnonzero(numpy.diff(numpy.signbit(slow[1000:-1000])))
    assert numpy.diff(crossings).mean() == pytest.approx(20 * numpy.pi, rel=0.01)


def test_an_image_becomes_rgb_from_bytes_and_from_a_file(tmp_path):
    Image.fromarray(numpy.full((3, 5), 7, numpy.uint8)).save(tmp_path / "grey.png")
    content = (tmp_path / "grey.png").read_bytes()
    for value in (str(tmp_path / "grey.png"), {"bytes": content, "path": None}):
        seen = media.decode_image(value)
        assert (seen.mode, seen.size, seen.getpixel((4, 2))) == ("RGB", (5, 3), (7, 7, 7))


@pytest.mark.parametrize("read", [media.decode_image, media.decode_sound])
def test_what_is_neither_is_one_sentence(read, tmp_path):
    (tmp_path / "notes.txt").write_text("no pixels, no samples")
    for value in (str(tmp_path / "notes.txt"), str(tmp_path / "missing"), {"bytes": b"x" * 50}):
        with pytest.raises(media.UndecodableMedia, match="can't be read as") as caught:
            read(value)
        assert "\n" not in str(caught.value)


def test_an_image_that_unfolds_to_too_many_pixels_is_refused(tmp_path, monkeypatch):
    Image.new("RGB", (10, 10)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    with pytest.raises(media.UndecodableMedia, match="bomb"):
        media.decode_image(str(tmp_path / "bomb.png"))


def test_a_row_is_decoded_when_it_is_asked_for_and_strangers_name_no_files(tmp_path):
    row = media.MediaRow({"image": "missing.png", "text": "a"}, tmp_path)
    assert row["text"] == "a" and "image" in row and len(row) == 2
    with pytest.raises(media.UndecodableMedia):
        row["image"]
    with pytest.raises(media.UndecodableMedia, match="names a file"):
        media.MediaRow({"image": "/etc/hostname"}, None)["image"]


@pytest.mark.parametrize("task", ["image-classification", "object-detection", "image-captioning"])
def test_embedded_images_decode(task):
    rows = embedded.rows(task)
    assert len(rows) >= 20
    assert all(row["image"].mode == "RGB" and min(row["image"].size) >= 28 for row in rows)
    assert len({row["image"].tobytes() for row in rows}) == len(rows)


def test_embedded_boxes_hold_a_piece_each_and_nothing_lies_outside():
    for row in embedded.rows("object-detection"):
        pixels = numpy.asarray(row["image"].convert("L")).copy()
        boxes = row["objects"]["bbox"]
        assert len(boxes) == len(row["objects"]["category"]) >= 2
        for x0, y0, x1, y1 in boxes:
            piece = pixels[y0:y1, x0:x1]
            assert piece.shape == (y1 - y0, x1 - x0)
            # The box is tight: something shows at each of its four edges.
            assert min(piece[0].max(), piece[-1].max(), piece[:, 0].max(), piece[:, -1].max()) > 15
            piece[:] = 0
        assert pixels.max() == 0


def test_embedded_recordings_decode_and_say_something():
    rows = embedded.rows("asr")
    assert len(rows) >= 20
    for row in rows:
        sound = row["audio"]
        assert 1 < len(sound) / media.SAMPLE_RATE_HZ < 10 and numpy.abs(sound).max() > 0.05
        assert len(row["text"].split()) <= 5 * len(sound) / media.SAMPLE_RATE_HZ


def test_embedded_media_are_small():
    files = [
        f for f in (embedded.FOLDER / "data").rglob("*") if f.suffix in (".png", ".jpg", ".flac")
    ]
    assert sum(file.stat().st_size for file in files) <= 3_000_000


def test_local_sounds_images_and_boxes_reach_a_task(tmp_path):
    """Through the real `datasets`: a list of files, and tables that hold what they show."""
    written(tmp_path / "one.wav", TONE, 16_000)
    (tmp_path / "list.jsonl").write_text('{"audio": "one.wav", "text": "Hello, World!"}\n')
    (asked,) = dataset_loader.load_dataset_workload(
        registry.find_task("asr"), str(tmp_path / "list.jsonl")
    ).requests
    assert asked.inputs["audio"].shape == (8000,) and asked.reference == "hello world"
    boxes = {"bbox": List(List(Value("float32"))), "category": List(ClassLabel(names=["a", "b"]))}
    table = Dataset.from_dict(
        {
            "image": [Image.new("L", (20, 10))],
            "objects": [{"bbox": [[1.0, 2.0, 3.0, 4.0]], "category": [1]}],
        },
        features=Features({"image": ImageFeature(), "objects": boxes}),
    )
    table.save_to_disk(tmp_path / "images")
    (asked,) = dataset_loader.load_dataset_workload(
        registry.find_task("object-detection"), str(tmp_path / "images")
    ).requests
    assert asked.inputs["image"].mode == "RGB"
    assert [(box.label, box.corners) for box in asked.reference] == [("b", (1.0, 2.0, 3.0, 4.0))]


def test_a_folder_of_images_is_a_data_set_of_its_labels(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        content = io.BytesIO()
        Image.new("RGB", (8, 8), "red" if label == "cat" else "blue").save(content, "PNG")
        (tmp_path / label / "1.png").write_bytes(content.getvalue())
    work = dataset_loader.load_dataset_workload(
        registry.find_task("image-classification"), str(tmp_path)
    )
    assert {r.reference: r.inputs["image"].getpixel((0, 0)) for r in work.requests} == {
        "cat": (255, 0, 0),
        "dog": (0, 0, 255),
    }


def test_a_folder_of_sounds_says_how_to_give_them(tmp_path):
    """`datasets` lists such a folder only with torchcodec, which few machines have."""
    written(tmp_path / "one.wav", TONE, 16_000)
    with pytest.raises(dataset_loader.DatasetNotFound, match="a jsonl file whose column 'audio'"):
        dataset_loader.load_dataset_workload(registry.find_task("asr"), str(tmp_path))


def test_a_missing_decoder_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(media.UndecodableMedia, match="pip install soundfile"):
        media.decode_sound("x.wav")
