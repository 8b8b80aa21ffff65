"""Every package that `bench` and `tasks` import is declared in pyproject.toml."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def imported_modules():
    """Top-level modules that the shipped packages import, at any depth, with a file of each."""
    modules = {}
    for path in sorted([*(ROOT / "bench").rglob("*.py"), *(ROOT / "tasks").rglob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                modules.setdefault(name.partition(".")[0], path.relative_to(ROOT))
    return modules


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def declared_distributions():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {k: v for k, v in project["optional-dependencies"].items() if k != "dev"}
    requirements = [*project["dependencies"], *(r for group in extras.values() for r in group)]
    return {normal(re.match(r"[\w.-]+", requirement)[0]) for requirement in requirements}


def test_every_imported_package_is_declared():
    distributions = importlib.metadata.packages_distributions()
    declared = declared_distributions()
    undeclared = {
        module: str(path)
        for module, path in imported_modules().items()
        if module not in sys.stdlib_module_names and module not in ("bench", "tasks")
        if not declared & {normal(name) for name in distributions.get(module, [module])}
    }
    assert undeclared == {}
