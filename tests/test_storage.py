"""Result files: written and read back exactly; other files are refused in one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from virtual_run import virtual_run

from bench.meters.replay import ReplayTrace
from bench.results import storage

SHIPPED = Path(storage.__file__).parent / "result.schema.json"


@pytest.fixture(scope="module")
def result():
    return virtual_run(ReplayTrace([0.0, 300.0], [100.0, 333.3]), noise=0.03, seed=9)


def test_result_is_read_back_to_the_last_digit(result, tmp_path):
    path = storage.run_path(tmp_path, result)
    storage.save_result(result, path)
    assert path.name == "20260101T000000Z-" + result.run_id + ".json"
    assert storage.load_result(path) == result
    assert list(path.parent.iterdir()) == [path]


def test_shipped_schema_accepts_a_result(result):
    jsonschema.validate(json.loads(storage.to_json(result)), json.loads(SHIPPED.read_text()))


def test_shipped_schema_matches_the_classes():
    """Version 1 is frozen: a change here needs a new schema version and a reader for this one."""
    assert json.loads(SHIPPED.read_text()) == storage.result_schema()


def test_unknown_field_is_refused_by_the_schema(result):
    content = {**json.loads(storage.to_json(result)), "extra": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, json.loads(SHIPPED.read_text()))


def edited(result, **changes):
    return json.dumps({**json.loads(storage.to_json(result)), **changes})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "schema version None"),
        ("[" * 100_000, "is not JSON"),
        ('{"schema_version": NaN}', "not JSON"),
        ('{"schema_version": 1}', "not a valid result"),
        ('{"schema_version": 99}', "schema version 99"),
    ],
)
def test_invalid_file_is_refused_in_one_sentence(text, words):
    with pytest.raises(storage.UnreadableRecord, match=words) as caught:
        storage.parse_result(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"run_id": "../../etc"},
        {"created_at": "yesterday"},
        {"status": "failed"},
        {"failure": {"stage": "a", "code": "b", "message": "c"}},
        {"summary": None},
    ],
)
def test_inconsistent_record_is_refused(result, changes):
    with pytest.raises(storage.UnreadableRecord, match="not a valid result"):
        storage.parse_result(edited(result, **changes))


def test_unwritable_folder_is_refused_before_the_run(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(OSError):
        storage.check_writable(file / "results")


def test_full_disk_leaves_the_old_file(result, tmp_path):
    """The write fails at a file size limit, in a process of its own: the old file stays whole."""
    path = tmp_path / "result.json"
    path.write_text("old")
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from bench.results import storage\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: storage.write_text(Path(sys.argv[1]), 'x' * 5000)\n"
        "except OSError as error: print(type(error).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True,
        env={**os.environ},
    )  # fmt: skip
    assert "OSError" in done.stdout
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
