"""The files of the site: scripts of the pages, data files, hostile text."""

from __future__ import annotations

import json
import re

from site_results import (
    HOSTILE,
    mixed_results,
    write_site_of,
)
from synthetic_results import result_with_energy

from bench.leaderboard import site as pages


def test_pages_load_only_files_of_the_site_and_have_no_inline_code(tmp_path):
    folder = write_site_of(tmp_path, *mixed_results())
    assert (
        "unsafe" not in pages.CONTENT_SECURITY_POLICY
        and pages.CONTENT_SECURITY_POLICY.startswith("default-src 'none'")
    )
    for page in folder.glob("*.html"):
        text = page.read_text()
        assert f'content="{pages.CONTENT_SECURITY_POLICY.replace(chr(39), "&#39;")}"' in text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", text)
        for source in re.findall(r'<script src="([^"]*)"', text):
            assert (folder / source).is_file(), source


def test_site_does_not_depend_on_the_order_of_results_and_replaces_the_old_one(tmp_path):
    results = mixed_results()
    first = write_site_of(tmp_path / "a", *results)
    (tmp_path / "b" / "site").mkdir(parents=True)
    (tmp_path / "b" / "site" / "old.html").write_text("old")
    second = write_site_of(tmp_path / "b", *reversed(results))
    files = sorted(p.relative_to(first) for p in first.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    assert all((first / f).read_bytes() == (second / f).read_bytes() for f in files)


def test_submitted_text_is_in_no_page_and_unchanged_in_the_data(tmp_path):
    hostile = [result_with_energy(0.1, model=x, device=x, dataset=x, dtype=x) for x in HOSTILE]
    folder = write_site_of(tmp_path, *hostile)
    harmless = [f"word-{number}" for number in range(len(HOSTILE))]
    clean = [result_with_energy(0.1, model=x, device=x, dataset=x, dtype=x) for x in harmless]
    plain = write_site_of(tmp_path / "p", *clean)
    for page in plain.glob("*.html"):
        assert (folder / page.name).read_text() == page.read_text()
    (line,) = (folder / "data" / "board.js").read_text().splitlines()
    content = json.loads(line.removeprefix("jb.board(").removesuffix(");"))
    (task,) = (task for task in content["tasks"] if task["count"])
    index = content["fields"].index("model")
    assert {row[index] for row in task["first"]} == set(HOSTILE)


def test_site_of_an_empty_board_states_the_commands(tmp_path):
    text = (write_site_of(tmp_path) / "index.html").read_text()
    assert "No submissions yet" in text and "<table" not in text
    assert (tmp_path / "site" / "task-image-gen.html").is_file(), "others published some"


def test_many_rows_and_details_are_split_into_files(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "FIRST_ROWS", 5)
    monkeypatch.setattr(pages, "MAX_ROWS_PER_FILE", 8)
    monkeypatch.setattr(pages, "MAX_DETAILS_PER_FILE", 2)
    folder = write_site_of(
        tmp_path, *(result_with_energy(0.1 + i / 100, model=f"m{i}") for i in range(30))
    )
    data = folder / "data" / "image-gen"
    rows = [line for p in data.glob("rows-?.js") for line in p.read_text().splitlines()]
    assert len(rows) == 30 and len(list(data.glob("details-?.js"))) > 5
