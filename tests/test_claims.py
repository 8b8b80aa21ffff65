"""The claims: every quantity within its tolerance, and resting on the facts that it names."""

from __future__ import annotations

import csv
import dataclasses
import json
import random
from pathlib import Path

import pytest
from test_footprint_commands import joulebench, refused

from bench.impact import claims, facts, regions
from bench.results.interval import Interval

with (Path(__file__).parent / "claims_expected.csv").open(encoding="utf-8", newline="") as _file:
    EXPECTED = list(csv.DictReader(_file))
CLAIMED = {
    (claim.id, one.quantity, one.unit): one
    for claim in claims.load_claims()
    for one in claim.quantities
}
CONTEXT = {"S9", "S15", "S16", "S17", "C1", "C2"}


def value_of(name):
    return Interval.of(claims.FORMULAS[name]())


@pytest.fixture
def change():
    """Changes facts in the tables as loaded; all are as before afterwards."""
    kept = {name: dict(facts.table(name)) for name in facts.tables()}

    def change_one(name, factor):
        table, _, key = name.partition("/")
        fact = kept[table][key]
        facts.table(table)[key] = dataclasses.replace(fact, value=fact.value * factor)
        regions._region.cache_clear()

    yield change_one
    for name, table in kept.items():
        facts.table(name).update(table)
    regions._region.cache_clear()


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: f"{row['claim']} {row['quantity']}")
def test_each_quantity_is_within_its_tolerance_and_has_its_caveat(row):
    answer = claims.recompute_claims((row["claim"],))[0]
    ours = next(
        o for o in answer.ours
        if (o.claimed.quantity, o.claimed.unit) == (row["quantity"], row["unit"])
    )  # fmt: skip
    expected, tolerance = float(row["expected"]), float(row["tolerance"])
    assert ours.figure.value == pytest.approx(expected, rel=tolerance)
    assert answer.claim.caveat and answer.claim.source


def test_all_55_are_there_and_no_formula_is_without_its_claim():
    assert len(EXPECTED) == 55
    named = {(row["claim"], row["quantity"], row["unit"]) for row in EXPECTED}
    assert named <= CLAIMED.keys() == claims.FORMULAS.keys()


@pytest.mark.parametrize("name", CLAIMED, ids=" ".join)
def test_every_fact_that_is_named_changes_the_quantity(name, change):
    before = value_of(name)
    assert CLAIMED[name].rests_on
    for fact in CLAIMED[name].rests_on:
        found = []
        for factor in (0.001, 0.9, 1000.0):
            change(fact, factor)
            try:
                found.append(value_of(name))
            except ValueError:  # a share above one
                continue
        assert set(found) - {before}, f"{fact} changes nothing"
        change(fact, 1.0)
    assert value_of(name) == before


@pytest.mark.parametrize("name", CLAIMED, ids=" ".join)
def test_no_other_fact_changes_it(name, change):
    """All facts that are not named are changed at once, each by a factor of its own."""
    before, dice = value_of(name), random.Random(5)
    for table in facts.tables():
        for key in facts.table(table):
            if f"{table}/{key}" not in CLAIMED[name].rests_on:
                change(f"{table}/{key}", dice.uniform(0.85, 0.95))
    assert value_of(name) == before


def test_context_is_shown_with_its_source_and_never_with_a_number_of_ours():
    found = {a.claim.id: a for a in claims.recompute_claims() if a.claim.kind == "context"}
    assert found.keys() == CONTEXT
    for answer in found.values():
        assert answer.ours == () and answer.claim.source and answer.claim.caveat


def test_where_a_paper_disagrees_with_itself_both_figures_stand():
    opt = next(o for o in claims.recompute_claims(("S3",))[0].ours if "OPT" in o.claimed.quantity)
    assert opt.published == (70.0, 76.3)
    assert "70 and 76.3" in claims.beside(opt) and "1.069 and 0.981" in claims.beside(opt)


def test_the_command_gives_all_with_their_facts_and_caveats():
    lines = joulebench("claims", "--json").stdout.splitlines()
    found = {
        (claim["id"], one["quantity"], one["unit"]): one
        for claim in map(json.loads, lines)
        for one in claim["quantities"]
    }
    for row in EXPECTED:
        one = found[row["claim"], row["quantity"], row["unit"]]
        wanted = pytest.approx(float(row["expected"]), rel=float(row["tolerance"]))
        assert one["ours"]["value"] == wanted
        assert one["caveat"] and [fact["fact"] for fact in one["facts"]] == one["rests_on"]
        assert all(fact["source"] and fact["edition"] for fact in one["facts"])


def test_the_command_shows_claims_on_a_terminal():
    shown = " ".join(joulebench("claims", "s13", "S16").stdout.split())
    assert "592,570,000 inferences" in shown and "x 1.000" in shown
    assert "seven of them idle" in shown
    assert "context, not computed" in shown and "Environmental Report" in shown


def test_an_unknown_claim_is_refused():
    assert "S22" in refused("claims", "S99")
