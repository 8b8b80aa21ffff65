"""Captions: 20 real pictures, described for this project, and the shape of an untrained model."""

from __future__ import annotations

from PIL import Image

from bench.workloads import embedded
from tools.embedded_training import common, shapes, sources

LONGEST_SIDE = 320

# File -> three descriptions, written for this project by looking at the pictures.
SKIMAGE = {
    "astronaut.png": (
        "a smiling astronaut in an orange space suit in front of a flag",
        "a woman with short hair wears an orange space suit and holds a helmet",
        "portrait of an astronaut with the model of a space shuttle behind her",
    ),
    "brick.png": (
        "a wall of long narrow bricks",
        "a grey brick wall seen from close by",
        "rows of bricks with light mortar between them",
    ),
    "camera.png": (
        "a man in a dark coat looks through a camera on a tripod",
        "a photographer stands on a lawn and films with buildings far behind",
        "black and white photo of a man working with a camera outdoors",
    ),
    "cell.png": (
        "a single bright round cell on a dark background",
        "one white cell floating in a dark liquid under a microscope",
        "a microscope picture of a round cell",
    ),
    "chelsea.png": (
        "the face of a tabby cat with green eyes",
        "a close up of a brown striped cat looking to the side",
        "a cat rests and looks past the camera",
    ),
    "clock_motion.png": (
        "a blurred round clock on a grey wall",
        "a wall clock smeared by the movement of the camera",
        "a bright blurred disc in front of a grey background",
    ),
    "coffee.png": (
        "a cup of coffee on a red saucer",
        "an espresso with a spoon on a red saucer on a wooden table",
        "a white and red coffee cup with a small spoon stands on wood",
    ),
    "coins.png": (
        "four rows of old coins on a dark background",
        "a collection of ancient coins laid out in rows",
        "black and white photo of many round coins",
    ),
    "color.png": (
        "a colour wheel on a black background",
        "a disc with all the colours of the rainbow and white in the middle",
        "a round chart of bright colours",
    ),
    "grass.png": (
        "dry grass seen from above",
        "a black and white close up of grass blades",
        "a lawn of tangled grass",
    ),
    "gravel.png": (
        "many small grey stones",
        "a gravel path seen from above",
        "a black and white close up of gravel",
    ),
    "horse.png": (
        "the black silhouette of a horse on white",
        "a drawing of a standing horse all in black",
        "a black horse seen from the side",
    ),
    "hubble_deep_field.jpg": (
        "hundreds of galaxies on a black sky",
        "a telescope picture of deep space full of small bright galaxies",
        "many coloured points of light in the night sky",
    ),
    "ihc.png": (
        "brown and blue stained tissue under a microscope",
        "a microscope picture of gland tissue coloured brown and blue",
        "stained cells of the human body",
    ),
    "microaneurysms.png": (
        "a blurred grey picture of thin blood vessels",
        "a close up of dark vessels in the back of an eye",
        "dark lines and spots on a grey background",
    ),
    "retina.jpg": (
        "the inside of a human eye with red blood vessels",
        "a medical picture of a retina on a black background",
        "a round orange picture of the back of an eye",
    ),
    "rocket.jpg": (
        "a rocket on a launch pad at night",
        "a white rocket stands between tall towers under a dark blue sky",
        "a rocket is lit by lamps before its launch",
    ),
    "text.png": (
        "handwritten letters and lines on paper",
        "black handwriting on a grey sheet seen at an angle",
        "a slanted page with symbols written by hand",
    ),
}
SKLEARN = {
    "china.jpg": (
        "a red and green chinese pagoda under a blue sky",
        "a tall old temple with curved roofs above trees",
        "a chinese tower beside a lake with hills behind it",
    ),
    "flower.jpg": (
        "an orange flower against dark green leaves",
        "a close up of a dahlia in bloom",
        "one large round flower with many orange petals",
    ),
}


def write_data(job: common.Job) -> None:
    """Every picture at no more than 320 pixels a side, and the list with its descriptions."""
    folder = embedded.FOLDER / "data" / "image-captioning"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    sources_of = zip(sources.photo_folders(job.raw), (SKIMAGE, SKLEARN), strict=True)
    for place, described in sources_of:
        for name, captions in described.items():
            picture = Image.open(place / name).convert("RGB")
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            short = name.partition(".")[0].replace("_", "-")
            picture.save(folder / f"{short}.jpg", quality=85, optimize=True)
            rows.append({"image": f"image-captioning/{short}.jpg", "captions": list(captions)})
    common.write_rows("image-captioning", rows)


def train(job: common.Job) -> None:
    """The data, and the shape of one size; there is nothing to train."""
    write_data(job)
    shapes.write("image-captioning", job.size)
