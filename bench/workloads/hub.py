"""The Hugging Face hub: commit of a revision, reachability, and one-sentence error messages."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

RepositoryKind = Literal["model", "dataset"]

DISK_FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

# Phrases in messages about an incomplete download.
INCOMPLETE_DOWNLOAD = ("Consistency check failed", "peer closed connection", "IncompleteRead")

# Parts of the names of exceptions that mean that the hub did not answer.
NO_ANSWER = ("Connect", "Timeout", "RevisionResolutionError")


class HubUnavailable(ValueError):
    """The hub refused, failed or cannot be reached; the message is one sentence."""


def resolve_commit(repository: str, revision: str | None, kind: RepositoryKind = "model") -> str:
    """The commit of a revision of a repository, "main" if None.

    If the hub cannot be reached, the commit at the last request. Raises HubUnavailable.
    """
    from huggingface_hub import HfApi

    try:
        return HfApi().resolve_revision(repository, repo_type=kind, revision=revision).resolved
    except Exception as error:
        # The HTTP library and its exceptions change with versions of the hub client.
        raise HubUnavailable(error_sentence(error, repository, kind, revision)) from error


def is_reachable(repository: str, commit: str, kind: RepositoryKind = "model") -> bool:
    """Whether the hub answers for a commit. Raises HubUnavailable where it refuses."""
    from huggingface_hub import HfApi

    try:
        HfApi().repo_info(repository, repo_type=kind, revision=commit, timeout=10)
    except Exception as error:
        # As in `resolve_commit`; a refusal and no answer differ in their message only.
        if _is_no_answer(list(_causes(error))):
            return False
        raise HubUnavailable(error_sentence(error, repository, kind, commit)) from error
    return True


@contextmanager
def offline() -> Iterator[None]:
    """Make datasets and the hub client use their local copies, without a timeout of 30 s."""
    import datasets
    import huggingface_hub

    modules: tuple[Any, ...] = (huggingface_hub.constants, datasets.config)
    before = [module.HF_HUB_OFFLINE for module in modules]
    try:
        for module in modules:
            module.HF_HUB_OFFLINE = True
        yield
    finally:
        for module, value in zip(modules, before, strict=True):
            module.HF_HUB_OFFLINE = value


def error_sentence(
    error: BaseException,
    repository: str,
    kind: RepositoryKind = "model",
    revision: str | None = None,
) -> str:
    """One sentence for an error of the hub client, or of a library that uses it.

    `revision` is the one that the user named.
    """
    from huggingface_hub import constants, errors

    chain = list(_causes(error))
    text = " ".join(str(link) for link in chain)

    def is_caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(link, kinds) for link in chain)

    disk_full = any(isinstance(link, OSError) and link.errno in DISK_FULL_ERRORS for link in chain)
    cases = (
        (
            disk_full or "disk space" in text,
            f"the disk is full: {repository} does not fit into {constants.HF_HOME}; free space, "
            "or set HF_HOME to a folder on a larger disk",
        ),
        (
            is_caused_by(errors.GatedRepoError) or "is a gated dataset" in text,
            f"{repository} is gated: accept its terms on its page and log in with `hf auth login`",
        ),
        (is_caused_by(errors.RevisionNotFoundError), f"{repository} has no revision {revision!r}"),
        (
            is_caused_by(errors.RepositoryNotFoundError),
            f"the hub has no {kind} {repository!r}, or it is private",
        ),
        (is_caused_by(errors.HFValidationError), f"{repository!r} is not a valid name of a {kind}"),
        (
            any(phrase in text for phrase in INCOMPLETE_DOWNLOAD),
            f"the download of {repository} was interrupted; try again: complete files are kept",
        ),
        (
            _is_no_answer(chain) or is_caused_by(ConnectionError, errors.LocalEntryNotFoundError),
            f"the hub cannot be reached for {repository}, and there is no local copy",
        ),
    )
    other = f"{repository} cannot be loaded from the hub: {first_line(error)}"
    return next((sentence for holds, sentence in cases if holds), other)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, up to 200 characters; its type without a message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _is_no_answer(chain: Sequence[BaseException]) -> bool:
    """Whether a chain of errors means that the hub did not answer."""
    return any(word in type(link).__name__ for link in chain for word in NO_ANSWER)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and its causes, the latest first."""
    visited: set[int] = set()
    while error is not None and id(error) not in visited:
        visited.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
