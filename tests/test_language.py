"""Names and sentences are those of the field: identifiers and phrases that must not come back.

Definitions are read from the syntax tree (modules, classes, functions, parameters, variables,
fields), texts from docstrings, comments, strings and Markdown. Shipped data, the names of commands
and the fields of the contracts are not read. There are no exceptions.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("bench", "tasks", "tests", "tools", "examples")
COMMANDS = {path.stem for path in (ROOT / "bench" / "cli").glob("[a-z]*.py")}
# This file holds the lists, `record_v1` and the golden files the names of a former schema.
NOT_READ = {"tests/test_language.py", "bench/results/record_v1.py"}

# Words of which no name may consist, alone or in parts (`told`, `is_told`, `ToldBy`).
WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        asked barred beside billed bills blind book cure cured cures conduct door doors
        doubt doubtful doubts facets footprint gallery garden house judged logbook mouth
        precedent precedents pretend pretended pulled recipe recipes rig roof room rooms
        scribe stranger strangers tally teeth told traits turn turns wander workshop
        """,
    )
)

# Names of former versions; docs/decisions/0010-structure.md says what replaced them.
NAMES = frozenset(
    re.findall(
        r"\w+",
        """
        Asked Found Order Rig Site Spec Opened Seen Walk Book Logbook Tally Look Watch
        Traits Level Bill Mark Card Doubt Gain Span Quantity Ends Equals Followed Ours
        Theirs Answered Served Scribe Unjudged Undecodable NoJudge Unreadable Refused
        Unsound Missing Strange Claimed Amortised Scaled Against Batching Waiting Thing
        bars_ranking be_quiet or_stop or_none say tell raise_all without_rank made_of
        things visible gross blunt_edges wander_of traits_of bill_under_load level_at
        rigged saver usual drain guarded the_device
        """,
    )
)

PHRASES = (
    r"\brooms?\b",
    r"\bhouses?\b",
    r"\bgardens?\b",
    r"\bdoors?\b",
    r"\bgaller(y|ies)\b",
    r"\bworkshops?\b",
    r"\broofs?\b",
    r"\blogbooks?\b",
    r"\bthe walk\b",
    r"\ba walk\b",
    r"\bstrangers?\b",
    r"\bprecedents?\b",
    r"\brecipes?\b",
    r"\bdoubt(s|ed|ful)?\b",
    r"\bcure[sd]?\b",
    r"\bbars? ranking\b",
    r"\bpulls? (a |the |its )?levers?\b",
    r"\bscribes?\b",
    r"\btall(y|ies)\b",
    r"\brepeats within\b",
    r"\btrue within\b",
    r"\benergy over energy\b",
    r"\bnobody measured\b",
    r"\bis (not )?believed\b",
    r"\boutlived\b",
    r"\bwhat (we|it|they) (are|is|was|were) told\b",
    r"\bthe answers mean nothing\b",
    r"\bmouths?\b",
    r"\bteeth\b",
    r"\bthe ground\b",
)


def python_files() -> list[Path]:
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in paths if str(path.relative_to(ROOT)) not in NOT_READ]


def markdown_files() -> list[Path]:
    named = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    return [*(path for path in named if path.is_file()), *sorted((ROOT / "docs").rglob("*.md"))]


def definitions(path: Path) -> Iterator[tuple[int, str]]:
    """(line, name) of everything that a file defines, its own name included."""
    if not (path.parent.name == "cli" and path.stem in COMMANDS):
        yield 0, path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of a Python file's comments and strings, or of the lines of Markdown."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield from enumerate(without_code(source).splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], " ".join(token.string.split())


def without_code(markdown: str) -> str:
    """Markdown with fenced blocks and code spans blanked, lines kept."""
    blank = re.sub(
        r"```.*?```", lambda found: "\n" * found.group().count("\n"), markdown, flags=re.DOTALL
    )
    return re.sub(r"`[^`\n]*`", "", blank)


def parts(name: str) -> set[str]:
    """The words of an identifier, lower case: `EnergyOfWindow` and `energy_of_window` alike."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return {part for part in spaced.lower().split("_") if part}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_banned_identifier_is_defined(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in python_files()
        if path.relative_to(ROOT).parts[0] == folder
        for line, name in definitions(path)
        if name in NAMES or parts(name) & WORDS
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", [*FOLDERS, "documents"])
def test_no_banned_phrase_is_written(folder: str) -> None:
    files = (
        markdown_files()
        if folder == "documents"
        else [path for path in python_files() if path.relative_to(ROOT).parts[0] == folder]
    )
    banned = re.compile("|".join(PHRASES), re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match.group()!r} in {text[:80]}"
        for path in files
        for line, text in texts(path)
        for match in [banned.search(text)]
        if match
    ]
    assert not found, "\n".join(found)


def test_the_lists_find_what_they_are_for(tmp_path: Path) -> None:
    """A planted name and a planted phrase are found, so that the tests above can fail."""
    planted = tmp_path / "beside.py"
    planted.write_text('"""Opens the door."""\n\n\ndef f(asked):\n    told = asked\n')
    names = {name for _, name in definitions(planted) if parts(name) & WORDS}
    assert names == {"beside", "asked", "told"}
    banned = re.compile("|".join(PHRASES), re.IGNORECASE)
    assert [line for line, text in texts(planted) if banned.search(text)] == [1]
