"""Decoding of images and sounds: shipped files, local files, and data that is neither."""

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


def write_sound(path, samples, rate, **options):
    soundfile.write(path, samples, rate, **options)
    return str(path)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_sound_has_the_samples_of_its_file(suffix, tmp_path):
    samples_read = media.decode_sound(
        write_sound(tmp_path / f"a.{suffix}", TONE, 16_000, subtype="PCM_16")
    )
    assert samples_read.dtype == numpy.float32 and samples_read.shape == (8000,)
    assert numpy.abs(samples_read - TONE).max() < 1 / 32_000


def test_sound_is_resampled_to_mono_at_16_khz(tmp_path):
    two = numpy.stack([TONE, -TONE], axis=1)
    samples_read = media.decode_sound(write_sound(tmp_path / "a.wav", two, 8000))
    assert samples_read.shape == (16_000,) and numpy.abs(samples_read).max() < 1e-3
    slow = media.decode_sound({"array": TONE, "sampling_rate": 8000})
    # Twice the sample rate: the sine crosses zero every 2 × 10 π samples.
    crossings = numpy.flatnonzero(numpy.diff(numpy.signbit(slow[1000:-1000])))
    assert numpy.diff(crossings).mean() == pytest.approx(20 * numpy.pi, rel=0.01)


def test_image_is_rgb_from_bytes_and_from_a_file(tmp_path):
    Image.fromarray(numpy.full((3, 5), 7, numpy.uint8)).save(tmp_path / "grey.png")
    content = (tmp_path / "grey.png").read_bytes()
    for value in (str(tmp_path / "grey.png"), {"bytes": content, "path": None}):
        image = media.decode_image(value)
        assert (image.mode, image.size, image.getpixel((4, 2))) == ("RGB", (5, 3), (7, 7, 7))


@pytest.mark.parametrize("read", [media.decode_image, media.decode_sound])
def test_undecodable_data_is_refused_in_one_sentence(read, tmp_path):
    (tmp_path / "notes.txt").write_text("no pixels, no samples")
    for value in (str(tmp_path / "notes.txt"), str(tmp_path / "missing"), {"bytes": b"x" * 50}):
        with pytest.raises(media.UndecodableMedia, match="cannot be read as") as caught:
            read(value)
        assert "\n" not in str(caught.value)


def test_decompression_bomb_is_refused(tmp_path, monkeypatch):
    Image.new("RGB", (10, 10)).save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    with pytest.raises(media.UndecodableMedia, match="bomb"):
        media.decode_image(str(tmp_path / "bomb.png"))


def test_row_is_decoded_on_access_and_opens_no_file_without_a_folder(tmp_path):
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


def test_embedded_boxes_are_tight_and_cover_all_objects():
    for row in embedded.rows("object-detection"):
        pixels = numpy.asarray(row["image"].convert("L")).copy()
        boxes = row["objects"]["bbox"]
        assert len(boxes) == len(row["objects"]["category"]) >= 2
        for x0, y0, x1, y1 in boxes:
            crop = pixels[y0:y1, x0:x1]
            assert crop.shape == (y1 - y0, x1 - x0)
            # The box is tight: each of its four edges has a bright pixel.
            assert min(crop[0].max(), crop[-1].max(), crop[:, 0].max(), crop[:, -1].max()) > 15
            crop[:] = 0
        assert pixels.max() == 0


def test_embedded_recordings_decode_and_have_speech():
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


def test_local_sounds_images_and_boxes_become_requests(tmp_path):
    """Through the real `datasets`: a list of files, and tables that hold what they show."""
    write_sound(tmp_path / "one.wav", TONE, 16_000)
    (tmp_path / "list.jsonl").write_text('{"audio": "one.wav", "text": "Hello, World!"}\n')
    (request,) = dataset_loader.load_dataset_workload(
        registry.find_task("asr"), str(tmp_path / "list.jsonl")
    ).requests
    assert request.inputs["audio"].shape == (8000,) and request.reference == "hello world"
    boxes = {"bbox": List(List(Value("float32"))), "category": List(ClassLabel(names=["a", "b"]))}
    table = Dataset.from_dict(
        {
            "image": [Image.new("L", (20, 10))],
            "objects": [{"bbox": [[1.0, 2.0, 3.0, 4.0]], "category": [1]}],
        },
        features=Features({"image": ImageFeature(), "objects": boxes}),
    )
    table.save_to_disk(tmp_path / "images")
    (request,) = dataset_loader.load_dataset_workload(
        registry.find_task("object-detection"), str(tmp_path / "images")
    ).requests
    assert request.inputs["image"].mode == "RGB"
    assert [(box.label, box.corners) for box in request.reference] == [("b", (1.0, 2.0, 3.0, 4.0))]


def test_folder_of_images_is_a_data_set_with_folder_names_as_labels(tmp_path):
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


def test_folder_of_sounds_is_refused_with_a_remedy(tmp_path):
    """`datasets` lists such a folder only with torchcodec, which few machines have."""
    write_sound(tmp_path / "one.wav", TONE, 16_000)
    with pytest.raises(dataset_loader.DatasetNotFound, match="a jsonl file whose column 'audio'"):
        dataset_loader.load_dataset_workload(registry.find_task("asr"), str(tmp_path))


def test_missing_decoder_is_refused_with_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(media.UndecodableMedia, match="pip install soundfile"):
        media.decode_sound("x.wav")
