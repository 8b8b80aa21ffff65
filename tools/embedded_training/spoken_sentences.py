"""Sentences of a small grammar for synthesised speech: about 100 different words."""

from __future__ import annotations

import random

ONES = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
TENS = ["twenty", "thirty", "forty", "fifty"]
RANKS = ["ace", "king", "queen", "jack", *ONES[1:10]]
SUITS = ["clubs", "hearts", "spades", "diamonds"]
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
PARTS = ["morning", "afternoon", "evening"]
INDOORS = ["kitchen", "bedroom", "cellar", "office", "hall"]
DEVICES = ["light", "heating", "radio", "fan", "lamp"]
STATES = ["on", "off", "up", "down"]
COLOURS = ["red", "green", "blue", "yellow", "white", "black"]
THINGS = ["apples", "books", "cups", "letters", "flowers", "stones"]
PLACES = ["box", "basket", "drawer", "bag"]
TOWNS = ["london", "paris", "berlin", "madrid", "rome", "vienna"]
DIRECTIONS = ["left", "right", "forward", "back"]


def sentence(rng: random.Random) -> str:
    """One sentence of five to twelve words."""
    pick = rng.choice
    number = " ".join(([pick(TENS)] if rng.random() < 0.4 else []) + [pick(ONES[:9])])
    forms = (
        lambda: (
            f"turn the {pick(INDOORS)} {pick(DEVICES)} {pick(STATES)}"
            f" at {pick(ONES)} in the {pick(PARTS)}"
        ),
        lambda: f"set a timer for {number} {pick(['minutes', 'hours', 'seconds'])}",
        lambda: f"dial {' '.join(pick(ONES[:9]) for _ in range(rng.randint(4, 7)))}",
        lambda: f"the {pick(RANKS)} of {pick(SUITS)} beats the {pick(RANKS)} of {pick(SUITS)}",
        lambda: (
            f"{pick(RANKS)} of {pick(SUITS)} {pick(RANKS)} of {pick(SUITS)}"
            f" {pick(RANKS)} of {pick(SUITS)}"
        ),
        lambda: f"wake me on {pick(DAYS)} {pick(PARTS)} at {pick(TENS)} past {pick(ONES)}",
        lambda: f"walk {number} steps {pick(DIRECTIONS)} then {pick(ONES)} {pick(DIRECTIONS)}",
        lambda: (
            f"put {number} {pick(COLOURS)} {pick(THINGS)} in the {pick(COLOURS)} {pick(PLACES)}"
        ),
        lambda: f"the next train from {pick(TOWNS)} to {pick(TOWNS)} leaves on {pick(DAYS)}",
        lambda: (
            f"there are {number} {pick(THINGS)} and {pick(ONES)} {pick(THINGS)}"
            f" in the {pick(INDOORS)}"
        ),
    )
    return pick(forms)()
