"""Licences: REUSE.toml covers every file of the wheel, and pyproject.toml names its licences."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from packaging.licenses import canonicalize_license_expression

from bench.impact import facts

ROOT = Path(__file__).parents[1]
REUSE: dict[str, Any] = tomllib.loads((ROOT / "REUSE.toml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FIELDS = {
    "path",
    "precedence",
    "SPDX-FileCopyrightText",
    "SPDX-License-Identifier",
    "SPDX-FileComment",
}

# Identifiers of the licence columns of fact tables.
SPDX_OF_FACTS = {
    "individual figure, cited": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    "MIT": "MIT",
    "CC BY 4.0": "CC-BY-4.0",
    "CC BY-SA 4.0": "CC-BY-SA-4.0",
    "US government work": "LicenseRef-Public-Domain",
}


def packaged_files() -> list[str]:
    """The files of the wheel; tests/test_wheel.py compares this list with a built wheel."""
    listed = subprocess.run(
        ["git", "ls-files", "bench", "tasks"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def patterns(entry: dict[str, Any]) -> list[str]:
    return [entry["path"]] if isinstance(entry["path"], str) else entry["path"]


def matches(pattern: str, name: str) -> bool:
    """Whether a file matches a pattern of REUSE: `*` stops at a slash, `**` does not."""
    parts = re.split(r"(\*\*|\*)", pattern)
    regex = "".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
    return re.fullmatch(regex, name) is not None


def identifiers(expression: str) -> set[str]:
    return set(re.split(r" AND ", expression))


def test_every_packaged_file_matches_exactly_one_entry() -> None:
    all_patterns = [pattern for entry in REUSE["annotations"] for pattern in patterns(entry)]
    assert Counter(all_patterns).most_common(1)[0][1] == 1
    found = {
        name: [pattern for pattern in all_patterns if matches(pattern, name)]
        for name in packaged_files()
    }
    assert len(found) > 300
    assert {name: hits for name, hits in found.items() if len(hits) != 1} == {}
    used = {hit for hits in found.values() for hit in hits}
    assert set(all_patterns) - used == set()


def test_every_entry_has_licence_copyright_and_source() -> None:
    for entry in REUSE["annotations"]:
        assert set(entry) == FIELDS
        assert all(entry.values())
        expression = entry["SPDX-License-Identifier"]
        assert canonicalize_license_expression(expression) == expression


def test_every_licence_has_its_text_and_no_text_is_left_over() -> None:
    used = {
        name
        for entry in REUSE["annotations"]
        for name in identifiers(entry["SPDX-License-Identifier"])
    }
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "LICENSES").iterdir()}
    assert set(texts) == used
    for name, text in texts.items():
        assert len(text) > 900 or "https://" in text or name == "LicenseRef-Public-Domain", name
    assert texts["Apache-2.0"] == (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_licence_of_the_project_names_exactly_the_licences_of_its_files() -> None:
    used = {
        name
        for entry in REUSE["annotations"]
        for name in identifiers(entry["SPDX-License-Identifier"])
    }
    expression = PROJECT["license"]
    assert canonicalize_license_expression(expression) == expression
    assert identifiers(expression) == used
    assert PROJECT["license-files"] == ["LICENSE", "NOTICE", "REUSE.toml", "LICENSES/*"]


@pytest.mark.parametrize("name", facts.tables())
def test_licence_of_a_fact_table_is_that_of_its_rows(name: str) -> None:
    path = f"bench/impact/facts/{name}.csv"
    (entry,) = (
        entry
        for entry in REUSE["annotations"]
        if any(matches(pattern, path) for pattern in patterns(entry))
    )
    rows = {SPDX_OF_FACTS[fact.licence] for fact in facts.table(name).values()}
    assert rows == identifiers(entry["SPDX-License-Identifier"])


def test_published_results_state_a_licence() -> None:
    folder = ROOT / "bench" / "impact" / "facts" / "published"
    studies = tomllib.loads((folder / "studies.toml").read_text(encoding="utf-8"))
    assert set(studies) == {path.stem for path in folder.glob("*.csv")}
    for name, study in studies.items():
        path = f"bench/impact/facts/published/{name}.csv"
        (entry,) = (
            entry
            for entry in REUSE["annotations"]
            if any(matches(pattern, path) for pattern in patterns(entry))
        )
        assert study["licence"].startswith(entry["SPDX-License-Identifier"]), name


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("bench/*.py", "bench/task.py", True),
        ("bench/*.py", "bench/cli/run.py", False),
        ("bench/cli/**", "bench/cli/templates/run.jinja", True),
        ("bench/a.py", "bench/aXpy", False),
    ],
)
def test_pattern_matches_as_reuse_defines(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, name) is expected
