"""Data sets from files, folders, and a hub that does not answer, with the `datasets` library."""

import json

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from bench.system import registry
from bench.task import Hub
from bench.workloads import dataset_loader

ROWS = [{"text": f"mail number {n}", "label": "spam" if n % 3 else "ham"} for n in range(40)]
TASK = registry.find_task("text-classification")


def write(path, rows=ROWS):
    table = Dataset.from_list(rows)
    writers = {".csv": table.to_csv, ".parquet": table.to_parquet, ".jsonl": table.to_json}
    writers[path.suffix](path)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_local_file_gives_the_same_work_in_every_format(suffix, tmp_path):
    work = dataset_loader.load_dataset_workload(TASK, str(write(tmp_path / f"rows{suffix}")))
    assert len(work.requests) == 40 and len(work.blocks) == 4
    assert work.requests[0].inputs["text"] == "mail number 0"
    assert work.requests[1].reference == "spam"


def test_fingerprint_does_not_depend_on_the_format(tmp_path):
    names = [str(write(tmp_path / f"rows{suffix}")) for suffix in (".jsonl", ".csv", ".parquet")]
    assert (
        len({dataset_loader.load_dataset_workload(TASK, name).fingerprint for name in names}) == 1
    )


def test_class_numbers_become_class_names(tmp_path):
    features = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    rows = {"text": ["good", "bad", "who knows"], "label": [1, 0, -1]}
    Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "set")
    work = dataset_loader.load_dataset_workload(TASK, str(tmp_path / "set"))
    assert [r.reference for r in work.requests] == ["pos", "neg", None]


def test_nested_class_numbers_become_class_names(tmp_path):
    features = Features(
        {"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=["O", "B-PER"]))}
    )
    rows = {"tokens": [["Ann", "swims"]], "ner_tags": [[1, 0]]}
    Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "set")
    work = dataset_loader.load_dataset_workload(
        registry.find_task("token-classification"), str(tmp_path / "set")
    )
    assert work.requests[0].reference == ("B-PER", "O")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "cannot be read as a data set"),
        (json.dumps({"body": "x"}), "no column 'text'"),
        (json.dumps({"text": " "}), "no row"),
    ],
)
def test_invalid_data_is_refused_in_one_sentence(content, words, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(content + "\n")
    with pytest.raises(dataset_loader.DatasetNotFound, match=words) as caught:
        dataset_loader.load_dataset_workload(TASK, str(path))
    assert "\n" not in str(caught.value)


def test_unknown_format_is_refused(tmp_path):
    (tmp_path / "rows.xlsx").write_text("")
    with pytest.raises(dataset_loader.DatasetNotFound, match="is not one of"):
        dataset_loader.load_dataset_workload(TASK, str(tmp_path / "rows.xlsx"))


ON_HUB = [
    (name, dataset)
    for name in registry.names("task")
    for dataset, source in registry.find_task(name).datasets.items()
    if isinstance(source, Hub)
]


@pytest.mark.parametrize(("name", "profile"), ON_HUB)
def test_unreachable_hub_is_refused_with_a_remedy(name, profile, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_HUB_CACHE", "/nonexistent")
    monkeypatch.setattr("huggingface_hub.hf_api.constants.ENDPOINT", "http://127.0.0.1:9")
    task = registry.find_task(name)
    with pytest.raises(dataset_loader.DatasetNotFound, match="--dataset embedded") as caught:
        dataset_loader.load_dataset_workload(task, profile)
    assert "\n" not in str(caught.value)
