"""The GPU that holds the model is the GPU whose energy is measured."""

from __future__ import annotations

from bench.backends import BackendError, Session
from bench.results.machine_record import Machine


def check_gpus(session: Session, machine: Machine) -> None:
    """Compare the GPUs of a loaded model, as its framework reports them, with those measured.

    A model that uses fewer GPUs than the run has is allowed. Nothing is compared where the backend
    reports no GPU, the driver no UUID, or where MIG splits a GPU, whose slices have UUIDs of their
    own. Raises BackendError where the model is on a GPU that is not measured.
    """
    used = frozenset(getattr(session, "gpu_uuids", ()))
    measured = {gpu.uuid: gpu.domain for gpu in machine.used_gpus if gpu.uuid}
    if not measured or any(gpu.mig_enabled for gpu in machine.used_gpus):
        return
    if not used <= measured.keys():
        listed = {gpu.uuid: gpu.domain for gpu in machine.devices if gpu.is_gpu}
        wrong = {listed.get(uuid, "a GPU that the driver does not list") for uuid in used}
        names = ", ".join(sorted(wrong - set(measured.values())))
        raise BackendError(
            "load",
            "wrong-gpu",
            f"the model is on {names}, but the energy of {', '.join(measured.values())} is "
            "measured: set CUDA_DEVICE_ORDER=PCI_BUS_ID before torch is imported, and give "
            "--device cuda:N as CUDA_VISIBLE_DEVICES numbers the GPUs",
        )
