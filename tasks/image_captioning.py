"""Image captioning: a sentence about one image, written greedily."""

from __future__ import annotations

from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The image of a row; its captions are the reference where the data set has some."""
    image = row["image"]
    if image is None:
        return None
    width, height = parameters.get("image_width"), parameters.get("image_height")
    if isinstance(width, int) and isinstance(height, int):
        image = image.resize((width, height))
    captions = row.get("captions") or row.get("answer") or row.get("caption") or ()
    captions = (captions,) if isinstance(captions, str) else tuple(captions)
    return Request(inputs={"image": image}, reference=captions or None)


def answer(request: Request, output: Output) -> tuple[list[str], str] | None:
    """All reference captions, of which the best counts, and the generated one."""
    if request.reference is None or output.text is None:
        return None
    return list(request.reference), output.text


TASK = Task(
    id="image-captioning",
    version=2,
    title="Image captioning",
    tag="image-to-text",
    inference="one sentence about one image",
    unit="image",
    parameters={"max_new_tokens": 20, "random_new_tokens": 10, "do_sample": False},
    datasets={
        "embedded": Embedded("image-captioning"),
        "standard": Hub("EnergyStarAI/image_captioning", revision="main", split="train"),
        "power-hungry": Hub(
            "lmms-lab/COCO-Caption2017",
            revision="336b06165226abcbb51ea39c63f5726216b388b6",
            split="val",
            parameters={"image_width": 640, "image_height": 480},
        ),
    },
    request=request,
    metric=Metric("ROUGE-L", "rouge-l", answer),
)
