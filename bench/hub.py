"""The Hugging Face hub: which commit a name means, or one sentence on why it can't be had."""

from __future__ import annotations

from pathlib import Path


class Unreachable(ValueError):
    """What the hub would not or could not give; the message is one sentence without a way out."""


def commit(repository: str, revision: str | None, kind: str = "model") -> str:
    """The commit that `revision` of a repository stands for; from the local cache when offline.

    `kind` is "model" or "dataset". Raises Unreachable.
    """
    from huggingface_hub import HfApi, errors

    try:
        info = HfApi().repo_info(repository, repo_type=kind, revision=revision, timeout=20)
    except errors.GatedRepoError as error:
        raise Unreachable(
            f"{repository} is gated: accept its terms on its page and log in with `hf auth login`"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise Unreachable(f"{repository} has no revision {revision!r}") from error
    except errors.RepositoryNotFoundError as error:
        raise Unreachable(f"the hub has no {kind} {repository!r}, or it is private") from error
    except errors.HFValidationError as error:
        raise Unreachable(f"{repository!r} is no name of a {kind}") from error
    except Exception as error:
        # The HTTP library below may change with the hub client, and so do its errors: whatever
        # else went wrong in this one request, the hub gave no answer.
        cached = _cached(repository, revision, kind)
        if cached is None:
            raise Unreachable(f"the hub can't be reached for {repository}: {error}") from error
        return cached
    return info.sha or revision or "main"


def _cached(repository: str, revision: str | None, kind: str) -> str | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            repository, repo_type=kind, revision=revision, local_files_only=True
        )
    except LocalEntryNotFoundError:
        return None
    return Path(folder).name
