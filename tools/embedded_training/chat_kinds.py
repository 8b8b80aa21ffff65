"""Kinds of made problems: sentences, the steps of a solution, and the computed answer."""

from __future__ import annotations

from collections.abc import Callable

from tools.embedded_training.chat_source import WORDS, Source

Made = tuple[list[str], str, str]  # sentences, steps, answer


def _sum(source: Source) -> Made:
    name, other = source.people(2)
    thing, value = source.thing(), source.number()
    fields = {"name": name, "other": other, "thing": thing}
    sentences = [source.sentence("sum", "start", a=value, **fields)]
    steps = []
    for _ in range(source.rng.choice((1, 2, 2, 3))):
        gain = value < 25 or (value < 150 and source.rng.random() < 0.5)
        change = source.number(high=99 if gain else min(99, value))
        sentences.append(source.sentence("sum", "gain" if gain else "loss", n=change, **fields))
        after = value + change if gain else value - change
        steps.append(f"{value} {'+' if gain else '-'} {change} = {after}.")
        value = after
    sentences.append(source.sentence("sum", "question", **fields))
    return sentences, " ".join(steps), str(value)


def _product(source: Source) -> Made:
    name, other = source.people(2)
    a, b, c = source.rng.randint(3, 9), source.rng.randint(3, 9), source.number()
    fields = {"name": name, "other": other, "thing": source.thing(), "a": a, "b": b, "c": c}
    sentences = [source.sentence("product", part, **fields) for part in ("facts", "rest")]
    sentences.append(source.sentence("product", "question", **fields))
    return sentences, f"{a} * {b} = {a * b}. {a * b} + {c} = {a * b + c}.", str(a * b + c)


def _total(source: Source) -> Made:
    (name,) = source.people(1)
    count = source.rng.randint(2, 4)
    prices = source.numbers(count)
    sentences = [source.sentence("total", "start", name=name)]
    entry = source.template("total", "entry")
    pairs = zip(source.items(count), prices, strict=True)
    sentences += [entry.format(name=name, item=item, n=price) for item, price in pairs]
    sentences.append(source.sentence("total", "question", name=name))
    steps, value = [], prices[0]
    for price in prices[1:]:
        steps.append(f"{value} + {price} = {value + price}.")
        value += price
    return sentences, " ".join(steps), str(value)


def _sequence(source: Source) -> Made:
    (name,) = source.people(1)
    start, step = source.number(high=75), source.rng.randint(2, 15)
    row = [start + step * place for place in range(source.rng.randint(3, 5))]
    shown = ", ".join(map(str, row))
    sentences = [
        source.sentence("sequence", "facts", name=name, list=shown),
        source.sentence("sequence", "question"),
    ]
    steps = f"{row[-1]} - {row[-2]} = {step}. {row[-1]} + {step} = {row[-1] + step}."
    return sentences, steps, str(row[-1] + step)


def _time(source: Source) -> Made:
    (name,) = source.people(1)
    hour, start, length = source.rng.randint(1, 11), source.number(high=59), source.number()
    fields = {"name": name, "place": source.rng.choice(source.towns), "n": length}
    sentences = [
        source.sentence("time", "facts", time=f"{hour}:{start}", **fields),
        source.sentence("time", "question"),
    ]
    minutes = start + length
    steps = [f"{start} + {length} = {minutes}."]
    while minutes >= 60:
        steps.append(f"{minutes} - 60 = {minutes - 60}.")
        minutes -= 60
        hour += 1
    return sentences, " ".join(steps), f"{hour}:{minutes:02}"


def _check(source: Source) -> Made:
    name, other = source.people(2)
    a, b = source.numbers(2)
    limit = a + b + source.rng.choice((-1, 1)) * source.rng.randint(2, 20)
    fields = {"name": name, "other": other, "thing": source.thing(), "a": a, "b": b, "c": limit}
    sentences = [source.sentence("check", part, **fields) for part in ("facts", "question")]
    order = "more" if a + b > limit else "less"
    steps = f"{a} + {b} = {a + b}. {a + b} is {order} than {limit}."
    return sentences, steps, "yes" if a + b > limit else "no"


def _count(source: Source) -> Made:
    (name,) = source.people(1)
    words = source.items(source.rng.randint(2, 4))
    shown = [source.rng.choice(words) for _ in range(source.rng.randint(5, 10))]
    wanted = source.rng.choice(shown)
    sentences = [
        source.sentence("count", "facts", name=name, list=", ".join(shown)),
        source.sentence("count", "question", item=wanted),
    ]
    count = shown.count(wanted)
    steps = ", ".join(f"{wanted} {place + 1}" for place in range(count))
    return sentences, f"{steps}.", str(count)


def _position(source: Source) -> Made:
    (name,) = source.people(1)
    shown = source.items(source.rng.randint(4, 7))
    place = source.rng.randrange(len(shown))
    sentences = [
        source.sentence("position", "facts", name=name, list=", ".join(shown)),
        source.sentence("position", "question", nth=WORDS["ordinals"][place]),
    ]
    steps = ", ".join(f"{at + 1} {item}" for at, item in enumerate(shown[: place + 1]))
    return sentences, f"{steps}.", shown[place]


def _reverse(source: Source) -> Made:
    (name,) = source.people(1)
    shown = source.items(source.rng.randint(3, 7))
    sentences = [
        source.sentence("reverse", "facts", name=name, list=", ".join(shown)),
        source.sentence("reverse", "question"),
    ]
    steps = ", ".join(f"{at + 1} {item}" for at, item in enumerate(shown))
    return sentences, f"{steps}.", ", ".join(reversed(shown))


def _missing(source: Source) -> Made:
    (name,) = source.people(1)
    shown = source.items(source.rng.randint(3, 6))
    missing = source.rng.choice(shown)
    second = [item for item in shown if item != missing]
    source.rng.shuffle(second)
    fields = {"name": name, "list": ", ".join(shown), "second": ", ".join(second)}
    sentences = [
        source.sentence("missing", "facts", **fields),
        source.sentence("missing", "question"),
    ]
    steps = ", ".join(f"{item} {'no' if item == missing else 'yes'}" for item in shown)
    return sentences, f"{steps}.", missing


def _sort(source: Source) -> Made:
    (name,) = source.people(1)
    shown = source.numbers(source.rng.randint(3, 7))
    falling = source.rng.random() < 0.5
    sentences = [
        source.sentence("sort", "facts", name=name, list=", ".join(map(str, shown))),
        source.sentence("sort", "down" if falling else "up"),
    ]
    rest, steps = list(shown), []
    while len(rest) > 1:
        chosen = max(rest) if falling else min(rest)
        rest.remove(chosen)
        steps.append(f"{chosen}, left {', '.join(map(str, rest))}.")
    return (
        sentences,
        " ".join(steps),
        ", ".join(map(str, sorted(shown, reverse=falling))),
    )


PROPERTIES = ("town", "colour", "item", "number")


def _values(source: Source, topic: str, count: int) -> list[str]:
    if topic == "number":
        return [str(number) for number in source.numbers(count)]
    if topic == "town":
        towns = source.rng.sample(source.towns, len(source.towns))
        return list({town[:2]: town for town in towns}.values())[:count]
    pool = {"town": source.towns, "colour": WORDS["colours"], "item": WORDS["items"]}[topic]
    return source.rng.sample(pool, count)


def _people(source: Source, topic: str) -> tuple[list[str], list[str], list[str]]:
    """(sentences, names, values) of three to five people with one property each."""
    count = source.rng.randint(3, 5)
    names, values = source.people(count), _values(source, topic, count)
    entry = source.template("people", topic, "entry")
    pairs = zip(names, values, strict=True)
    sentences = [source.line("people", "start")]
    sentences += [entry.format(name=name, value=value) for name, value in pairs]
    return sentences, names, values


def _lookup(source: Source) -> Made:
    topic = source.rng.choice(PROPERTIES)
    sentences, names, values = _people(source, topic)
    place = source.rng.randrange(len(names))
    sentences.append(source.sentence("people", topic, "what", name=names[place]))
    return sentences, f"{names[place]}: {values[place]}.", values[place]


def _who(source: Source) -> Made:
    topic = source.rng.choice(PROPERTIES)
    sentences, names, values = _people(source, topic)
    place = source.rng.randrange(len(names))
    sentences.append(source.sentence("people", topic, "who", value=values[place]))
    return sentences, f"{values[place]}: {names[place]}.", names[place]


def _compare(source: Source) -> Made:
    sentences, names, values = _people(source, "number")
    best, part = source.rng.choice(((max, "most"), (min, "least")))
    chosen = best(values, key=int)
    sentences.append(source.sentence("people", "number", part))
    steps = f"{', '.join(values)}. The {part} is {chosen}."
    return sentences, steps, names[values.index(chosen)]


def _difference(source: Source) -> Made:
    sentences, names, values = _people(source, "number")
    one, two = source.rng.sample(range(len(names)), 2)
    if int(values[one]) < int(values[two]):
        one, two = two, one
    fields = {"name": names[one], "other": names[two]}
    sentences.append(source.sentence("people", "number", "more", **fields))
    result = str(int(values[one]) - int(values[two]))
    steps = f"{names[one]}: {values[one]}. {names[two]}: {values[two]}. "
    return sentences, f"{steps}{values[one]} - {values[two]} = {result}.", result


def _two_step(source: Source) -> Made:
    topic = source.rng.choice(PROPERTIES)
    sentences, helpers, values = _people(source, topic)
    names = source.people(len(helpers) + 2)
    names = [name for name in names if name not in helpers][:2]
    places = source.rng.sample(range(len(helpers)), len(names))
    link = source.template("two_step", "link")
    links = [
        link.format(name=name, other=helpers[place])
        for name, place in zip(names, places, strict=True)
    ]
    what = source.sentence("two_step", topic)
    question = source.sentence("two_step", "question", name=names[0], what=what)
    helper, value = helpers[places[0]], values[places[0]]
    return [*sentences, *links, question], f"{names[0]}: {helper}. {helper}: {value}.", value


KINDS: dict[str, Callable[[Source], Made]] = {
    "sum": _sum,
    "product": _product,
    "total": _total,
    "difference": _difference,
    "sequence": _sequence,
    "time": _time,
    "check": _check,
    "count": _count,
    "compare": _compare,
    "sort": _sort,
    "two_step": _two_step,
    "lookup": _lookup,
    "who": _who,
    "position": _position,
    "missing": _missing,
    "reverse": _reverse,
}

# Kinds whose answer takes several steps: the problems of `reason`.
REASON_KINDS = tuple(KINDS)[:11]
