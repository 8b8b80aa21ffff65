"""Training data that the scripts make: canvases, captions and sentences with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from tools.embedded_training import asr, caption_canvases, near_duplicates, object_detection
from tools.embedded_training.sources import FASHION_CLASSES

# One flat picture of each class, whose grey value tells the class.
GREYS = np.arange(100, 200, 10)
PICTURES = np.repeat(GREYS, 28 * 28 * 3).reshape(-1, 28, 28).astype(np.uint8)
LABELS = np.repeat(np.arange(10), 3)


@pytest.mark.parametrize("seed", range(40))
def test_captions_state_kinds_numbers_and_places_of_a_canvas(seed: int) -> None:
    ground, captions, mask = caption_canvases.canvas(PICTURES, LABELS, np.random.default_rng(seed))
    assert ((mask == caption_canvases.BACKGROUND) == (ground == 0)).all()
    found = {}
    for label, grey in enumerate(GREYS):
        ys, xs = np.nonzero(ground == grey)
        if len(ys):
            count = len(ys) // 28**2
            assert len(ys) == count * 28**2 and (mask[ys, xs] == label).all()
            found[caption_canvases.phrase(label, count)] = (ys.mean(), xs.mean())
    first, *rest = sorted(found, key=captions[0].index)
    if not rest:
        assert captions[0] == first
        return
    above = [found[text][0] for text in (first, *rest)]
    left = [found[text][1] for text in (first, *rest)]
    if " above " in captions[0]:
        assert captions[:2] == [f"{first} above {rest[0]}", f"{rest[0]} below {first}"]
        assert above[0] < above[1]
    else:
        assert captions[:2] == [f"{first} left of {rest[0]}", f"{rest[0]} right of {first}"]
        assert left[0] < left[1]


def test_every_word_of_the_first_captions_is_in_the_vocabulary() -> None:
    rng = np.random.default_rng(0)
    known = set(caption_canvases.vocabulary())
    for _ in range(300):
        assert set(caption_canvases.canvas(PICTURES, LABELS, rng)[1][0].split()) <= known


def test_phrases_have_article_and_plural() -> None:
    words = [caption_canvases.phrase(*group) for group in ((9, 1), (8, 1), (1, 2), (3, 3))]
    assert words == ["an ankle boot", "a bag", "two pairs of trousers", "three dresses"]


def test_training_sentences_have_no_near_duplicate_among_the_spoken_clips() -> None:
    held_out = asr.held_out_sentences()
    texts = [text for _, text in held_out]
    training = asr.training_sentences(texts)
    assert len(set(training)) == len(training) == asr.TRAINING_SENTENCES
    assert near_duplicates.near_duplicate_share(texts, training) == 0.0
    assert {voice for voice, _ in held_out} - {*asr.VOICES} == {asr.UNHEARD_VOICE}


def test_boxes_become_centre_and_sides_as_shares_of_the_canvas() -> None:
    target = object_detection.targets([(64, 48, 128, 144)], [FASHION_CLASSES[3]])
    assert target["boxes"].tolist() == [[0.375, 0.5, 0.25, 0.5]]
    assert target["class_labels"].tolist() == [3]
