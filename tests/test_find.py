"""Names: listed without importing, nearest ones suggested, aliases."""

import subprocess
import sys

import pytest

from bench.system import registry


def test_every_meter_and_backend_opens():
    for kind in ("meter", "backend"):
        assert registry.names(kind)
        for name in registry.names(kind):
            module = registry.load(kind, name)
            assert hasattr(module, "build" if kind == "meter" else "load")
            assert registry.first_docstring_line(kind, name)


def test_the_nearest_name_is_suggested():
    with pytest.raises(registry.NameNotFound, match=r"no task 'imge-gen'; did you mean image-gen"):
        registry.find_task("imge-gen")


def test_a_pipeline_tag_is_an_alias():
    assert registry.find_task("text-to-image").id == "image-gen"


@pytest.mark.parametrize("words", [["--help"], ["tasks"], ["run", "--help"]])
def test_listing_imports_nothing_heavy(words):
    code = (
        f"import sys; sys.argv[1:] = {words!r}\n"
        "try:\n from bench.cli import main; main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "heavy = {'torch', 'transformers', 'diffusers', 'datasets', 'numpy', 'matplotlib',"
        " 'pynvml', 'tasks.image_gen'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
