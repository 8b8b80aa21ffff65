"""Synthetic passages of facts about people, each with a question whose answer is a span of it.

All sentences come from the templates in `fact_templates.json`. Family names and towns of the
held-out rows are combinations of syllables that the training rows do not have.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.embedded_training import common, near_duplicates

ROWS = 1000
TRAINING_ROWS = 30_000
HELD_SHARE = 0.2  # of the names and towns
PEOPLE = 3
FACTS = (5, 6)  # of a held-out passage
TRAINING_FACTS = (2, 6)  # short passages teach first to compare people, and to compare relations
BACKWARD_SHARE = 0.25  # of the questions: those for the person
TEMPLATES: dict[str, Any] = json.loads(
    Path(__file__).with_name("fact_templates.json").read_text(encoding="utf-8")
)
GIVEN, FAMILY, TOWNS = (TEMPLATES[name] for name in ("given", "family", "towns"))


@dataclass(frozen=True)
class Relation:
    """A kind of fact, as templates with the places {person}, {value} and {thing}.

    `values` is the kind of its value: "year", "count", "dollars", "town" or "person".
    """

    values: str
    statements: list[str]
    questions: list[str]
    reverse_questions: list[str]
    objects: list[str]


RELATIONS = [Relation(**fields) for fields in TEMPLATES["relations"]]
NUMBERS = tuple(one for one in RELATIONS if one.values in ("year", "dollars", "count"))
NAMES = tuple(one for one in RELATIONS if one not in NUMBERS)


@dataclass(frozen=True)
class Example:
    """A passage with a question; the answer begins at character `start` of the context."""

    question: str
    context: str
    answer: str
    start: int


def combinations(parts: list[list[str]]) -> tuple[list[str], list[str]]:
    """All names of one stem and one ending: those for training, and those held out."""
    names = [stem + ending for stem in parts[0] for ending in parts[1]]
    random.Random(common.SEED).shuffle(names)
    held = round(HELD_SHARE * len(names))
    return names[held:], names[:held]


class Passages:
    """Random passages with the given family names, towns, and least and greatest count of facts."""

    def __init__(
        self, families: list[str], towns: list[str], facts: tuple[int, int], seed: int
    ) -> None:
        self.families, self.towns, self.facts = families, towns, facts
        self.rng = random.Random(seed)

    def example(self) -> Example:
        """Facts of three people and three relations, with a question about one fact.

        Another person has a fact of the same relation, and the same person one of another relation
        with the same kind of answer (numbers or names), so that neither alone gives the answer. A
        passage of two facts has one of the two.
        """
        rng = self.rng
        used: set[str] = set()
        people = [self._new("person", used) for _ in range(PEOPLE)]
        similar = rng.sample(rng.choice((NUMBERS, NAMES)), 2)
        relations = [*similar, rng.choice([one for one in RELATIONS if one not in similar])]
        rivals = [(people[1], relations[0]), (people[0], relations[1])]
        rng.shuffle(rivals)
        first = [(people[0], relations[0]), *rivals]
        pairs = [(person, relation) for person in people for relation in relations]
        others = [pair for pair in pairs if pair not in first]
        rng.shuffle(others)
        chosen = [*first, *others][: rng.randint(*self.facts)]
        slots = [
            {
                "person": person,
                "value": self._new(relation.values, used),
                "thing": rng.choice(relation.objects),
            }
            for person, relation in chosen
        ]
        sentences = [
            rng.choice(relation.statements).format(**slot)
            for (_, relation), slot in zip(chosen, slots, strict=True)
        ]
        target, slot = sentences[0], slots[0]
        rng.shuffle(sentences)
        backward = rng.random() < BACKWARD_SHARE
        templates = relations[0].reverse_questions if backward else relations[0].questions
        question = rng.choice(templates).format(**slot)
        answer = slot["person"] if backward else slot["value"]
        context = " ".join(sentences)
        return Example(question, context, answer, context.index(target) + target.index(answer))

    def _new(self, kind: str, used: set[str]) -> str:
        """A value of one kind that the passage does not contain yet."""
        rng = self.rng
        while True:
            value = {
                "year": lambda: str(rng.randint(1780, 1899)),
                "count": lambda: str(rng.randint(20, 99)),
                "dollars": lambda: str(rng.randint(100, 999)),
                "town": lambda: rng.choice(self.towns),
                "person": lambda: f"{rng.choice(GIVEN)} {rng.choice(self.families)}",
            }[kind]()
            if not any(value in other or other in value for other in used):
                used.add(value)
                return value


def split(count: int = TRAINING_ROWS) -> tuple[list[Example], list[Example]]:
    """`count` training examples, and held-out ones without near-duplicates among these."""
    families, towns = combinations(FAMILY), combinations(TOWNS)
    train, held = (
        Passages(families[side], towns[side], facts, common.SEED + side)
        for side, facts in enumerate((TRAINING_FACTS, FACTS))
    )
    learned = [train.example() for _ in range(count)]
    once = {one.question: one for one in (held.example() for _ in range(2 * ROWS))}
    kept = near_duplicates.without_near_duplicates([*once.values()], learned, text_of)
    return learned, kept[:ROWS]


def text_of(example: Example) -> str:
    return f"{example.context} {example.question}"


NUMBER = re.compile(r"\d+")
NAME = re.compile(r"[A-Z][a-z]+(?: [A-Z][a-z]+)*")
NUMBER_QUESTIONS = ("How", "When", "Since when", "What was the price")
OPENINGS = ("A ", "In ", "Last ", "On ", "The ")


def first_span(question: str, sentences: list[str]) -> str:
    """The first number, or the first name that is not in the question; by the question's words."""
    wants_number = question.startswith(NUMBER_QUESTIONS)
    for sentence in sentences:
        opening = next((word for word in OPENINGS if sentence.startswith(word)), "")
        kind = NUMBER if wants_number else NAME
        for match in kind.finditer(sentence.removeprefix(opening)):
            if match.group() not in question:
                return match.group()
    return ""


def span_of_nearest_sentence(question: str, context: str) -> str:
    """`first_span` of the sentence with the most words of the question, or of the next ones."""
    sentences = re.split(r"(?<=\.) ", context)
    words = set(re.findall(r"\w+", question.lower()))

    def shared(sentence: str) -> int:
        return len(words & set(re.findall(r"\w+", sentence.lower())))

    return first_span(question, sorted(sentences, key=shared, reverse=True))
