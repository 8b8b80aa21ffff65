"""docs/claims.md and its figures: fresh, whole, and with every caveat."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from bench.impact import claims
from tools.claims import __main__ as writer
from tools.claims import figures

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "claims.md").read_text(encoding="utf-8")


def test_the_page_and_its_figures_are_fresh():
    assert writer.stale() == []


def test_a_changed_page_or_figure_is_found(tmp_path, monkeypatch):
    writer.write(tmp_path)
    monkeypatch.setattr(writer, "DOCS", tmp_path)
    assert writer.stale() == []
    (tmp_path / "claims.md").write_text(PAGE + "\n")
    (tmp_path / "claims-bloom.png").unlink()
    assert sorted(writer.stale()) == ["claims-bloom.png", "claims.md"]


@pytest.mark.parametrize("claim", claims.load_claims(), ids=lambda claim: claim.id)
def test_every_claim_stands_there_with_its_caveat_and_source(claim):
    section = PAGE.partition(f"# {claim.id}. ")[2].partition("\n#")[0]
    assert claim.caveat in section and claim.source in section
    figures_there = re.findall(r"^\| .*\d", section, re.MULTILINE)
    assert bool(figures_there) == (claim.kind == "computed")
    for one in claim.quantities:
        assert one.quantity in section
        assert all(f"`{name}`" in section for name in one.rests_on)


@pytest.mark.parametrize("name", figures.FIGURES)
def test_a_figure_is_small_and_holds_its_numbers_and_its_caveat_as_text(name):
    assert f"(claims-{name}.png)" in PAGE
    path = DOCS / f"claims-{name}.png"
    assert path.stat().st_size < 120_000
    text = Image.open(path).info["Description"]
    assert "Computed from published facts, not measured." in text
    assert len(re.findall(r"^.+: .*\d", text, re.MULTILINE)) >= 3


@pytest.mark.parametrize("name", figures.FIGURES)
def test_words_stay_inside_and_cover_no_others(name):
    from test_plots import texts

    figure = figures.FIGURES[name]()
    found, (width, height) = texts(figure), figure.bbox.size
    for i, (text, box) in enumerate(found):
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height, text
        for other, its in found[i + 1 :]:
            across = min(box.x1, its.x1) - max(box.x0, its.x0)
            along = min(box.y1, its.y1) - max(box.y0, its.y0)
            assert across < 1 or along < 2, (text, other)


def test_the_figures_show_what_the_claims_say():
    text = Image.open(DOCS / "claims-break-even.png").info["Description"]
    even = claims.recompute_claims(("S13",))[0].ours[0].figure.value
    assert f"BLOOMz-7B: {even / 1e6:,.1f} million" in text
