"""Records of windows -> the generated part of docs/measurement.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from .meters import JOULEBENCH
from .window_errors import Record, WindowErrors, errors_by_window, group_by

BEGIN = "<!-- bench-meters: generated from here; run `make bench-meters` -->"
END = "<!-- bench-meters: generated up to here -->"

PROFILE_TEXTS = {
    "h100": "H100-like: counter every 100 ms (± jitter), 4 ms late",
    "a100": "A100-like: counter every 100 ms (± more jitter), 8 ms late",
    "volta": "V100-like: counter every 20 ms, 2 ms late",
    "lagging": "an H100-like counter that is 60 ms late, which our meter has to learn",
    "slow-calls": "H100-like, each call to the driver takes 3 ms",
    "part-time-counter": "an H100-like counter that itself sums 25 of every 100 ms; "
    "our meter has the option `nvml_counter_duty=0.25`, and sums the 1 s average instead",
    "turing": "T4-like: no counter, power sampled all the time; "
    "our meter has the option `nvml_power_duty=1`",
    "part-time-power": "no counter, power sampled for 25 of every 100 ms; "
    "our meter sums the 1 s average",
    "average-only": "no counter, and the only power reading is an average over 1 s",
}
FAULT_TEXTS = {
    "lost": "GPU lost in mid-window",
    "forbidden": "reading forbidden in mid-window",
    "forbidden from the start": "reading forbidden from the start",
    "reset": "counter reset in mid-window",
    "frozen": "counter still from mid-window on",
}


def percent(share: float, sign: bool = False) -> str:
    """Two significant digits, without an exponent."""
    value = 100 * share
    size = abs(value)
    digits = sum(size < limit for limit in (9.95, 0.995, 0.0995, 0.00995))
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return text.replace("-", "−") + " %"


def seconds(value: float) -> str:
    """A duration with its unit, to two significant digits."""
    if value >= 0.995:
        return f"{value:.1f} s"
    if value >= 1e-3:
        return f"{1e3 * value:.2g} ms" if value < 0.0995 else f"{1e3 * value:.0f} ms"
    return f"{1e6 * value:.2g} µs" if value < 99.5e-6 else f"{1e6 * value:.0f} µs"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def errors_text(one: WindowErrors | None) -> str:
    """Median and worst error; `raises` or `None` for a tool without any energy."""
    if one is None:
        return ""
    if not one.errors:
        return "raises" if one.raised else "None"
    text = f"{percent(one.median)} / {percent(one.worst, sign=True)}"
    return text + (f" ({one.missing} missing)" if one.missing else "")


def profile_table(profile: str, measured: dict[tuple[str, str, float], WindowErrors]) -> str:
    """A row for each tool, a column for each length, then the coverage of our interval."""
    errors = {(t, x): c for (p, t, x), c in measured.items() if p == profile}
    tools = list(dict.fromkeys(tool for tool, _ in errors))
    lengths = sorted({length for _, length in errors})
    head = ["median / worst error", *(f"{length:g} s" for length in lengths)]
    rows = [[tool, *(errors_text(errors.get((tool, x))) for x in lengths)] for tool in tools]
    rows.append(["windows, JouleBench", *(_counts([errors.get((JOULEBENCH, x))]) for x in lengths)])
    others = ([errors.get((tool, x)) for tool in tools if tool != JOULEBENCH] for x in lengths)
    rows.append(["windows, each peer", *map(_counts, others)])
    joulebench = [errors.get((JOULEBENCH, x)) for x in lengths]
    rows.append(["JouleBench's 95 % interval covers", *(_coverage(c) for c in joulebench)])
    half = (
        percent(statistics.median(c.half_widths)) if c and c.half_widths else "" for c in joulebench
    )
    rows.append(["its median half-width", *half])
    return f"**{profile}**: {PROFILE_TEXTS.get(profile, '')}.\n\n{table(head, rows)}"


def _counts(groups: Sequence[WindowErrors | None]) -> str:
    counts = sorted({len(c.errors) + c.missing for c in groups if c})
    return " or ".join(str(count) for count in counts)


def _coverage(one: WindowErrors | None) -> str:
    if one is None or not one.half_widths:
        return ""
    return f"{one.covered_count} of {len(one.half_widths)}"


def smaller_errors(measured: dict[tuple[str, str, float], WindowErrors]) -> list[str]:
    """A line for each profile, length and peer with a median or worst error below JouleBench's."""
    lines = []
    order = list(PROFILE_TEXTS)
    places = {(p, x) for p, _, x in measured}
    for profile, length in sorted(places, key=lambda place: (order.index(place[0]), place[1])):
        joulebench = measured.get((profile, JOULEBENCH, length))
        peers = {t: c for (p, t, x), c in measured.items() if (p, x) == (profile, length)}
        peers = {tool: c for tool, c in peers.items() if tool != JOULEBENCH and c.errors}
        if joulebench is None or not peers:
            continue
        where = f"- {profile}, {length:g} s:"
        if not joulebench.errors:
            errors = ", ".join(f"{tool} {percent(c.median)}" for tool, c in peers.items())
            lines.append(
                f"{where} our meter gives no energy. The peers do, with a median error of {errors}."
            )
            continue
        lines += [
            f"{where} {tool} has the smaller error: {text}."
            for tool, peer in peers.items()
            if (text := _smaller(peer, joulebench))
        ]
    return lines


def _smaller(peer: WindowErrors, joulebench: WindowErrors) -> str:
    parts = []
    if peer.median < joulebench.median:
        parts.append(f"median {percent(peer.median)} against our {percent(joulebench.median)}")
    if abs(peer.worst) < abs(joulebench.worst):
        worst = f"{percent(abs(peer.worst))} of {len(peer.errors)} windows"
        our_worst = f"{percent(abs(joulebench.worst))} of {len(joulebench.errors)}"
        parts.append(f"worst {worst} against our {our_worst}")
    return "; ".join(parts)


def cost_rows(records: Sequence[Record]) -> tuple[list[str], dict[str, list[float | None]]]:
    """Columns and, for each tool, its figures in seconds; None where there is none."""
    imports = next(r for r in records if r.get("kind") == "how")["imports"]
    costs_by = group_by(
        (r for r in records if r.get("kind") == "cost"), lambda r: (r["tool"], r["profile"])
    )
    windows = [r for r in records if "kind" not in r and r["fault"] is None and r["length"]]
    windows_by = group_by(
        (r for r in windows if not r["raised"]), lambda r: (r["tool"], r["profile"])
    )
    head = ["import"]
    figures: dict[str, list[float | None]] = {tool: [imports[tool]] for tool in imports}
    for profile, suffix in (("h100", "with a counter"), ("turing", "without")):
        head += [f"open, {suffix}", f"begin + end, {suffix}", f"CPU in 20 s, {suffix}"]
        for tool, row in figures.items():
            costs = [r for r in costs_by.get((tool, profile), []) if not r["raised"]]
            both = [
                r["begin_seconds"] + r["end_seconds"] for r in windows_by.get((tool, profile), [])
            ]
            row.append(costs[0]["open_seconds"] if costs else None)
            row.append(statistics.median(both) if both else None)
            row.append(costs[0]["cpu_seconds"] if costs else None)
    return head, figures


def smaller_costs(head: Sequence[str], figures: dict[str, list[float | None]]) -> list[str]:
    """A line for each cost in which a peer is cheaper than our meter."""
    lines = []
    for column, title in enumerate(head):
        joulebench = figures.get(JOULEBENCH, [None] * len(head))[column]
        if joulebench is None:
            continue
        less = [
            f"{tool} ({seconds(value)})"
            for tool, row in figures.items()
            if tool != JOULEBENCH and (value := row[column]) is not None and value < joulebench
        ]
        if less:
            lines.append(
                f"- {title}: our meter takes {seconds(joulebench)}; less: {', '.join(less)}."
            )
    return lines


def fault_result(row: Record) -> str:
    """The result of a tool in a window with a fault, in a few words."""
    if row.get("raised"):
        return "raises " + _short(row["raised"])
    if row["joules"] is None:
        return "None, " + _short(row["message"])
    warnings = [w for w in row["warned"] if "gpu" in w.lower() and "AMD" not in w]
    logged = _short("; ".join(warnings))
    warning = f"logs “{logged}”" if logged else "no warning"
    joules = f"{row['joules']:,.1f} J".replace("-", "−")
    return f"{joules} ({row['true_joules']:,.1f} J is true), {warning}"


def _short(text: str) -> str:
    text = " ".join(text.replace("|", "/").split())
    return text if len(text) <= 160 else text[:157] + "…"


def fault_table(records: Sequence[Record]) -> str:
    """A row for each fault and tool."""
    rows = [r for r in records if r.get("fault")]
    by_fault = {(r["fault"], r["tool"]): r for r in rows}
    tools = list(dict.fromkeys(r["tool"] for r in rows))
    names = [name for name in FAULT_TEXTS if any(r["fault"] == name for r in rows)]
    body = []
    for name in names:
        for tool in tools:
            if (name, tool) in by_fault:
                body.append([FAULT_TEXTS[name], tool, fault_result(by_fault[name, tool])])
    return table(["fault in a window of 3 s", "tool", "result"], body)


def summary(measured: dict[tuple[str, str, float], WindowErrors]) -> str:
    """How often our interval covers the true energy, in all and by profile."""
    joulebench = {
        key: one for key, one in measured.items() if key[1] == JOULEBENCH and one.half_widths
    }
    if not joulebench:
        return ""
    parts = []
    for profile in dict.fromkeys(key[0] for key in joulebench):
        picked = [one for key, one in joulebench.items() if key[0] == profile]
        covered, all_ = (
            sum(c.covered_count for c in picked),
            sum(len(c.half_widths) for c in picked),
        )
        parts.append((profile, covered, all_))
    covered, all_ = sum(p[1] for p in parts), sum(p[2] for p in parts)
    each = ", ".join(f"{name} {100 * h / n:.1f} %" for name, h, n in parts)
    return (
        f"JouleBench's 95 % interval covers the true energy in {covered} of {all_} windows: {each}."
    )


def _provenance(how: Record, records: Sequence[Record]) -> str:
    names = ", ".join(f"{name} {number}" for name, number in how["versions"].items())
    windows = sum(1 for r in records if "kind" not in r and r["fault"] is None)
    load = (
        "" if how["load"] is None else f", load average {how['load']:.1f} after the part on errors"
    )
    return (
        f"Made on {how['date']} by `make bench-meters`: {windows:,} windows in "
        f"{how['minutes']:.0f} minutes on a machine with {how['cores']} cores{load}, "
        f"{how['side_by_side']} processes of our meter and all of the peers in parallel. "
        f"Python {how['python']}; {names}."
    )


def tables(records: Sequence[Record]) -> str:
    """The generated part, between its markers."""
    how = next(r for r in records if r.get("kind") == "how")
    measured = errors_by_window(records)
    profiles = sorted({key[0] for key in measured}, key=list(PROFILE_TEXTS).index)
    head, figures = cost_rows(records)
    costs = [
        [tool, *("" if value is None else seconds(value) for value in row)]
        for tool, row in figures.items()
    ]
    reason = (
        "Where a sensor samples part of the time, the energy that it misses is random, for every "
        "tool: only our meter states an interval for it."
    )
    behind = [reason, "", *smaller_errors(measured)] if smaller_errors(measured) else ["- Nowhere."]
    reason = (
        "Our meter waits for steps of the sensor before and after a window, and characterises it "
        "once: its accuracy comes from that. Three or four steps on each side are enough for a "
        "long window, and a short one takes up to nine. Inside the window it reads only where it "
        "sums power: ten times a step."
    )
    dearer = (
        [reason, "", *smaller_costs(head, figures)]
        if smaller_costs(head, figures)
        else ["- Nowhere."]
    )
    parts = [
        BEGIN,
        _provenance(how, records),
        "### Errors",
        "Relative error of a window: median of its size / the worst, with its sign.",
        *(profile_table(profile, measured) for profile in profiles),
        summary(measured),
        "### Where a peer has the smaller error",
        "\n".join(behind),
        "### Costs",
        table(["tool", *head], costs),
        "### Where a peer is cheaper",
        "\n".join(dearer),
        "### Faults",
        fault_table(records),
        END,
    ]
    return "\n\n".join(part for part in parts if part)


def replace_generated(text: str, generated: str) -> str:
    """The page with its generated part replaced. Raises ValueError without both markers."""
    try:
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
    except ValueError:
        raise ValueError("docs/measurement.md must hold both markers, once each") from None
    return before + generated + after
