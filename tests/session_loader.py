"""Loads a text model and a workload of a task, for tests of sessions."""

from bench.backends import ModelSpec, transformers
from bench.results.settings import ModelSettings
from bench.system import registry
from bench.workloads import dataset_loader


def load(task_id, model="embedded/tiny", dataset="embedded", **changes):
    """(session, workload) of a task; `changes` are fields of the ModelSpec."""
    task = registry.find_task(task_id)
    work = dataset_loader.load_dataset_workload(task, dataset)
    settings = ModelSettings(**changes)
    spec = ModelSpec(task_id, task.tag, str(model), work.parameters, settings, labels=work.labels)
    return transformers.load(spec), work
