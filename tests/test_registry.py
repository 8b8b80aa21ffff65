"""The registry lists plug-ins without importing them, suggests names, and keeps its own."""

import subprocess
import sys

import pytest

from bench.system import registry

PLUGIN = '''"""Another meter."""
def build(context):
    return []
'''


@pytest.fixture
def other_distribution(tmp_path, monkeypatch):
    """Install a distribution named "energy-extras" with the given entry points for this test."""

    def install(**groups):
        lines = []
        for kind, points in groups.items():
            lines.append(f"[joulebench.{kind}s]")
            lines += [f"{name} = {module}" for name, module in points.items()]
        metadata = tmp_path / "energy_extras-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: energy-extras\n")
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
        (tmp_path / "energy_extras.py").write_text(PLUGIN)
        monkeypatch.syspath_prepend(str(tmp_path))
        registry._entry_points.cache_clear()

    yield install
    registry._entry_points.cache_clear()
    sys.modules.pop("energy_extras", None)


def test_every_meter_and_backend_has_its_entry_function():
    for kind in ("meter", "backend"):
        assert registry.names(kind)
        for name in registry.names(kind):
            module = registry.load(kind, name)
            assert hasattr(module, "build" if kind == "meter" else "load")
            assert registry.first_docstring_line(kind, name)


@pytest.mark.parametrize("kind", registry.PACKAGES)
def test_unknown_name_is_refused_with_the_nearest(kind):
    known = registry.names(kind)[0]
    with pytest.raises(
        registry.NameNotFound, match=rf"there is no {kind} .*did you mean .*{known}"
    ):
        registry.load(kind, f"{known}x")


def test_unknown_task_is_refused_with_the_nearest():
    with pytest.raises(registry.NameNotFound, match=r"no task 'imge-gen'; did you mean image-gen"):
        registry.find_task("imge-gen")


def test_pipeline_tag_is_an_alias_of_its_task():
    assert registry.find_task("text-to-image").id == "image-gen"


def test_entry_point_of_another_distribution_is_found(other_distribution):
    other_distribution(meter={"wall-plug": "energy_extras"})
    assert "wall-plug" in registry.names("meter")
    assert registry.first_docstring_line("meter", "wall-plug") == "Another meter."
    assert "energy_extras" not in sys.modules
    assert registry.load("meter", "wall-plug").__name__ == "energy_extras"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("meter", "nvml"),
        ("task", "image-gen"),
        ("task", "text-to-image"),
        ("backend", "pretend"),
        ("command", "run"),
    ],
)
def test_entry_point_never_shadows_a_shipped_plugin(kind, name, other_distribution, caplog):
    other_distribution(**{kind: {name: "energy_extras"}})
    if kind == "task":
        assert registry.find_task(name).id == "image-gen"
    else:
        assert registry.load(kind, name).__name__.startswith("bench.")
    registry.names(kind)
    (record,) = caplog.records
    message = record.getMessage()
    assert f"{kind} '{name}' of energy-extras is ignored" in message and "\n" not in message


def test_ignored_entry_point_is_one_line_on_standard_error(other_distribution, tmp_path):
    other_distribution(task={"image-gen": "energy_extras", "own-task": "energy_extras"})
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv[1:] = ['tasks']\n"
        "from bench.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("joulebench: task 'image-gen' of energy-extras is ignored")
    assert "Image generation" in done.stdout and "own-task" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["tasks"], ["run", "--help"]])
def test_listing_imports_no_large_library(words):
    code = (
        f"import sys; sys.argv[1:] = {words!r}\n"
        "try:\n from bench.cli import main; main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "heavy = {'torch', 'transformers', 'diffusers', 'datasets', 'numpy', 'matplotlib',"
        " 'pynvml', 'tasks.image_gen'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_plugin_without_a_required_name_is_refused_in_one_sentence(other_distribution):
    other_distribution(plot={"empty-plot": "energy_extras"})
    with pytest.raises(ValueError, match=r"the plot 'empty-plot' .* has no draw and no SCOPE"):
        registry.load("plot", "empty-plot")
