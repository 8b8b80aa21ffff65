"""Records of windows -> the generated part of docs/measurement.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from .cells import Cell, Record, by, cells
from .meters import OURS

BEGIN = "<!-- bench-meters: generated from here; run `make bench-meters` -->"
END = "<!-- bench-meters: generated up to here -->"

WHAT = {
    "h100": "H100-like: counter every 100 ms (± jitter), 4 ms late",
    "a100": "A100-like: counter every 100 ms (± more jitter), 8 ms late",
    "volta": "V100-like: counter every 20 ms, 2 ms late",
    "lagging": "an H100-like counter that is 60 ms late; our meter has to find that out",
    "slow-calls": "H100-like, each call to the driver takes 3 ms",
    "part-time-counter": "an H100-like counter that itself sums 25 of every 100 ms; "
    "our meter is told so (`nvml_counter_duty=0.25`), and sums the 1 s average instead",
    "turing": "T4-like: no counter, power seen all the time; "
    "our meter is told so (`nvml_power_duty=1`)",
    "part-time-power": "no counter, power seen for 25 of every 100 ms; "
    "our meter sums the 1 s average",
    "average-only": "no counter, and the only power reading is an average over 1 s",
}
FAULT_WORDS = {
    "lost": "GPU lost half-way",
    "forbidden": "reading forbidden half-way",
    "forbidden from the start": "reading forbidden from the start",
    "reset": "counter reset half-way",
    "frozen": "counter stands still from half-way on",
}


def percent(share: float, sign: bool = False) -> str:
    """Two significant digits, without an exponent."""
    value = 100 * share
    size = abs(value)
    digits = sum(size < limit for limit in (9.95, 0.995, 0.0995, 0.00995))
    words = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return words.replace("-", "−") + " %"


def seconds(value: float) -> str:
    """A duration with its unit, to two significant digits."""
    if value >= 0.995:
        return f"{value:.1f} s"
    if value >= 1e-3:
        return f"{1e3 * value:.2g} ms" if value < 0.0995 else f"{1e3 * value:.0f} ms"
    return f"{1e6 * value:.2g} µs" if value < 99.5e-6 else f"{1e6 * value:.0f} µs"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def shown(one: Cell | None) -> str:
    if one is None:
        return ""
    if not one.errors:
        return "raises" if one.raised else "None"
    words = f"{percent(one.middle)} / {percent(one.worst, sign=True)}"
    return words + (f" ({one.unread} unread)" if one.unread else "")


def profile_table(profile: str, measured: dict[tuple[str, str, float], Cell]) -> str:
    """Rows: tools. Columns: lengths. Below: what our interval did."""
    mine = {(t, x): c for (p, t, x), c in measured.items() if p == profile}
    tools = list(dict.fromkeys(tool for tool, _ in mine))
    lengths = sorted({length for _, length in mine})
    head = ["median / worst error", *(f"{length:g} s" for length in lengths)]
    rows = [[tool, *(shown(mine.get((tool, x))) for x in lengths)] for tool in tools]
    rows.append(["windows, ours", *(_counts([mine.get((OURS, x))]) for x in lengths)])
    others = ([mine.get((tool, x)) for tool in tools if tool != OURS] for x in lengths)
    rows.append(["windows, each other", *map(_counts, others)])
    ours = [mine.get((OURS, x)) for x in lengths]
    rows.append(["our 95 % interval covers", *(_coverage(c) for c in ours)])
    half = (percent(statistics.median(c.halves)) if c and c.halves else "" for c in ours)
    rows.append(["its half-width, median", *half])
    return f"**{profile}**: {WHAT.get(profile, '')}.\n\n{table(head, rows)}"


def _counts(found: Sequence[Cell | None]) -> str:
    counts = sorted({len(c.errors) + c.unread for c in found if c})
    return " or ".join(str(count) for count in counts)


def _coverage(one: Cell | None) -> str:
    if one is None or not one.halves:
        return ""
    return f"{one.covered} of {len(one.halves)}"


def ahead(measured: dict[tuple[str, str, float], Cell]) -> list[str]:
    """One line for every cell in which a peer's median or worst error is smaller than ours."""
    lines = []
    order = list(WHAT)
    places = {(p, x) for p, _, x in measured}
    for profile, length in sorted(places, key=lambda place: (order.index(place[0]), place[1])):
        ours = measured.get((profile, OURS, length))
        peers = {t: c for (p, t, x), c in measured.items() if (p, x) == (profile, length)}
        peers = {tool: c for tool, c in peers.items() if tool != OURS and c.errors}
        if ours is None or not peers:
            continue
        where = f"- {profile}, {length:g} s:"
        if not ours.errors:
            off = ", ".join(f"{tool} {percent(c.middle)}" for tool, c in peers.items())
            lines.append(
                f"{where} ours gives no number. The others do, off in the median by {off}."
            )
            continue
        lines += [
            f"{where} {tool} is ahead: {words}."
            for tool, peer in peers.items()
            if (words := _nearer(peer, ours))
        ]
    return lines


def _nearer(peer: Cell, ours: Cell) -> str:
    parts = []
    if peer.middle < ours.middle:
        parts.append(f"median {percent(peer.middle)} against our {percent(ours.middle)}")
    if abs(peer.worst) < abs(ours.worst):
        worst = f"{percent(abs(peer.worst))} of {len(peer.errors)} windows"
        mine = f"{percent(abs(ours.worst))} of {len(ours.errors)}"
        parts.append(f"worst {worst} against our {mine}")
    return "; ".join(parts)


def cost_rows(records: Sequence[Record]) -> tuple[list[str], dict[str, list[float | None]]]:
    """Columns and, for each tool, its figures in seconds; None where there is none."""
    imports = next(r for r in records if r.get("kind") == "how")["imports"]
    spent = by((r for r in records if r.get("kind") == "cost"), lambda r: (r["tool"], r["profile"]))
    windows = [r for r in records if "kind" not in r and r["fault"] is None and r["length"]]
    read = by((r for r in windows if not r["raised"]), lambda r: (r["tool"], r["profile"]))
    head = ["import"]
    figures: dict[str, list[float | None]] = {tool: [imports[tool]] for tool in imports}
    for profile, words in (("h100", "with a counter"), ("turing", "without")):
        head += [f"open, {words}", f"begin + end, {words}", f"CPU in 20 s, {words}"]
        for tool, row in figures.items():
            costs = [r for r in spent.get((tool, profile), []) if not r["raised"]]
            both = [r["begin_seconds"] + r["end_seconds"] for r in read.get((tool, profile), [])]
            row.append(costs[0]["open_seconds"] if costs else None)
            row.append(statistics.median(both) if both else None)
            row.append(costs[0]["cpu_seconds"] if costs else None)
    return head, figures


def cheaper(head: Sequence[str], figures: dict[str, list[float | None]]) -> list[str]:
    """One line for each cost in which somebody is cheaper than we."""
    lines = []
    for column, title in enumerate(head):
        ours = figures.get(OURS, [None] * len(head))[column]
        if ours is None:
            continue
        less = [
            f"{tool} ({seconds(value)})"
            for tool, row in figures.items()
            if tool != OURS and (value := row[column]) is not None and value < ours
        ]
        if less:
            lines.append(f"- {title}: less than our {seconds(ours)} take {', '.join(less)}.")
    return lines


def answer(row: Record) -> str:
    """What a tool returned in one faulty window, in a few words."""
    if row.get("raised"):
        return "raises " + _short(row["raised"])
    if row["joules"] is None:
        return "None, " + _short(row["words"])
    about = [w for w in row["warned"] if "gpu" in w.lower() and "AMD" not in w]  # of this card
    warned = _short("; ".join(about))
    said = f"logs “{warned}”" if warned else "without a word"
    joules = f"{row['joules']:,.1f} J".replace("-", "−")
    return f"{joules} ({row['true_joules']:,.1f} J is true), {said}"


def _short(words: str) -> str:
    words = " ".join(words.replace("|", "/").split())
    return words if len(words) <= 160 else words[:157] + "…"


def fault_table(records: Sequence[Record]) -> str:
    rows = [r for r in records if r.get("fault")]
    found = {(r["fault"], r["tool"]): r for r in rows}
    tools = list(dict.fromkeys(r["tool"] for r in rows))
    names = [name for name in FAULT_WORDS if any(r["fault"] == name for r in rows)]
    body = []
    for name in names:
        for tool in tools:
            if (name, tool) in found:
                body.append([FAULT_WORDS[name], tool, answer(found[name, tool])])
    return table(["what happens in a window of 3 s", "tool", "what it returns"], body)


def summary(measured: dict[tuple[str, str, float], Cell]) -> str:
    """How often our interval held, in all and by profile."""
    ours = {key: one for key, one in measured.items() if key[1] == OURS and one.halves}
    if not ours:
        return ""
    parts = []
    for profile in dict.fromkeys(key[0] for key in ours):
        picked = [one for key, one in ours.items() if key[0] == profile]
        held, all_ = sum(c.covered for c in picked), sum(len(c.halves) for c in picked)
        parts.append((profile, held, all_))
    held, all_ = sum(p[1] for p in parts), sum(p[2] for p in parts)
    each = ", ".join(f"{name} {100 * h / n:.1f} %" for name, h, n in parts)
    return f"Our 95 % interval covers the truth in {held} of {all_} windows: {each}."


def made(how: Record, records: Sequence[Record]) -> str:
    names = ", ".join(f"{name} {number}" for name, number in how["versions"].items())
    windows = sum(1 for r in records if "kind" not in r and r["fault"] is None)
    load = (
        ""
        if how["load"] is None
        else f", load average {how['load']:.1f} at the end of the errors' part"
    )
    return (
        f"Made on {how['date']} by `make bench-meters`: {windows:,} windows in "
        f"{how['minutes']:.0f} minutes on a machine with {how['cores']} cores{load}, "
        f"{how['side_by_side']} processes of ours and all of the others side by side. "
        f"Python {how['python']}; {names}."
    )


def tables(records: Sequence[Record]) -> str:
    """The generated part, between its markers."""
    how = next(r for r in records if r.get("kind") == "how")
    measured = cells(records)
    profiles = sorted({key[0] for key in measured}, key=list(WHAT).index)
    head, figures = cost_rows(records)
    costs = [
        [tool, *("" if value is None else seconds(value) for value in row)]
        for tool, row in figures.items()
    ]
    reason = (
        "Where a sensor looks part of the time, what it misses is chance, for every tool alike: "
        "ours is the one that says how much that may be."
    )
    behind = [reason, "", *ahead(measured)] if ahead(measured) else ["- In no cell."]
    reason = (
        "Ours waits for steps of the sensor before and after a window, and characterises it once: "
        "that is where the accuracy comes from. Three or four steps on each side are enough where "
        "a window is long, and a short one takes up to nine. Inside the window it does "
        "something only where it sums power: then it looks ten times a step."
    )
    dear = [reason, "", *cheaper(head, figures)] if cheaper(head, figures) else ["- In no cell."]
    parts = [
        BEGIN,
        made(how, records),
        "### Errors",
        "Relative error of a window: median of its size / the worst, with its sign.",
        *(profile_table(profile, measured) for profile in profiles),
        summary(measured),
        "### Where a peer is nearer to the truth",
        "\n".join(behind),
        "### Costs",
        table(["tool", *head], costs),
        "### Where a peer is cheaper",
        "\n".join(dear),
        "### Faults",
        fault_table(records),
        END,
    ]
    return "\n\n".join(part for part in parts if part)


def put(text: str, generated: str) -> str:
    """The page with its generated part replaced. Raises ValueError without both markers."""
    try:
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
    except ValueError:
        raise ValueError("docs/measurement.md must hold both markers, once each") from None
    return before + generated + after
