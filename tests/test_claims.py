"""Claims: every quantity is within its tolerance and depends on exactly the named facts."""

from __future__ import annotations

import csv
import dataclasses
import inspect
import json
import random
from pathlib import Path

import pytest
from command_line import error_of, joulebench

from bench.impact import claims, facts, regions

with (Path(__file__).parent / "claims_expected.csv").open(encoding="utf-8", newline="") as _file:
    EXPECTED = list(csv.DictReader(_file))
CLAIMED = {
    (claim.id, one.quantity, one.unit): one
    for claim in claims.load_claims()
    for one in claim.quantities
}
CONTEXT = {"S9", "S15", "S16", "S17", "C1", "C2"}


def value_of(name):
    return CLAIMED[name].value


def is_formula(name, value):
    module = getattr(value, "__module__", "")
    return inspect.isfunction(value) and module == claims.formulas.__name__ and name[0] != "_"


@pytest.fixture
def change():
    """Changes facts in the loaded tables; restores all of them afterwards."""
    original = {name: dict(facts.table(name)) for name in facts.tables()}

    def change_one(name, factor):
        table, _, key = name.partition("/")
        fact = original[table][key]
        facts.table(table)[key] = dataclasses.replace(fact, value=fact.value * factor)
        regions._region.cache_clear()

    yield change_one
    for name, table in original.items():
        facts.table(name).update(table)
    regions._region.cache_clear()


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: f"{row['claim']} {row['quantity']}")
def test_each_quantity_is_within_its_tolerance_and_has_its_caveat(row):
    claim = claims.find_claims((row["claim"],))[0]
    quantity = next(
        each for each in claim.quantities
        if (each.quantity, each.unit) == (row["quantity"], row["unit"])
    )  # fmt: skip
    expected, tolerance = float(row["expected"]), float(row["tolerance"])
    assert quantity.value.value == pytest.approx(expected, rel=tolerance)
    assert claim.caveat and claim.source


def test_all_55_quantities_have_a_formula_and_every_formula_a_claim():
    assert len(EXPECTED) == 55
    expected = {(row["claim"], row["quantity"], row["unit"]) for row in EXPECTED}
    assert expected <= CLAIMED.keys()
    formulas = {one.formula.split()[0] for one in CLAIMED.values()}
    public = {name for name, value in vars(claims.formulas).items() if is_formula(name, value)}
    assert formulas == public


@pytest.mark.parametrize("name", CLAIMED, ids=" ".join)
def test_every_named_fact_changes_the_quantity(name, change):
    before = value_of(name)
    assert CLAIMED[name].rests_on
    for fact in CLAIMED[name].rests_on:
        values = []
        for factor in (0.001, 0.9, 1000.0):
            change(fact, factor)
            try:
                values.append(value_of(name))
            except ValueError:  # a share above one
                continue
        assert set(values) - {before}, f"{fact} changes nothing"
        change(fact, 1.0)
    assert value_of(name) == before


@pytest.mark.parametrize("name", CLAIMED, ids=" ".join)
def test_no_other_fact_changes_the_quantity(name, change):
    """Changes all other facts at once, each by another factor."""
    before, generator = value_of(name), random.Random(5)
    for table in facts.tables():
        for key in facts.table(table):
            if f"{table}/{key}" not in CLAIMED[name].rests_on:
                change(f"{table}/{key}", generator.uniform(0.85, 0.95))
    assert value_of(name) == before


def test_context_has_a_source_and_no_recomputed_value():
    by_name = {a.id: a for a in claims.find_claims() if a.kind == "context"}
    assert by_name.keys() == CONTEXT
    for claim in by_name.values():
        assert claim.quantities == () and claim.source and claim.caveat


def test_both_values_of_a_paper_that_disagrees_with_itself_are_shown():
    quantities = claims.find_claims(("S3",))[0].quantities
    opt = next(each for each in quantities if "OPT" in each.quantity)
    assert opt.published_values == (70.0, 76.3)
    text = claims.comparison_text(opt)
    assert "70 and 76.3" in text and "1.069 and 0.981" in text


def test_command_prints_all_claims_with_facts_and_caveats():
    lines = joulebench("claims", "--json").stdout.splitlines()
    by_name = {
        (claim["id"], one["quantity"], one["unit"]): one
        for claim in map(json.loads, lines)
        for one in claim["quantities"]
    }
    for row in EXPECTED:
        one = by_name[row["claim"], row["quantity"], row["unit"]]
        expected = pytest.approx(float(row["expected"]), rel=float(row["tolerance"]))
        assert one["ours"]["value"] == expected
        assert one["caveat"] and [fact["fact"] for fact in one["facts"]] == one["rests_on"]
        assert all(fact["source"] and fact["edition"] for fact in one["facts"])


def test_command_prints_claims_on_a_terminal():
    output = " ".join(joulebench("claims", "s13", "S16").stdout.split())
    assert "592,570,000 inferences" in output and "x 1.000" in output
    assert "seven of them idle" in output
    assert "context, not computed" in output and "Environmental Report" in output


def test_unknown_claim_is_refused():
    assert "S22" in error_of("claims", "S99")
