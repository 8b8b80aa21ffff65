"""The Hugging Face hub: which commit a name means, and one sentence on why it can't be had."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

Kind = Literal["model", "dataset"]
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
BROKEN_OFF = ("Consistency check failed", "peer closed connection", "IncompleteRead")
NO_ANSWER = ("Connect", "Timeout", "RevisionResolutionError")


class HubUnavailable(ValueError):
    """What the hub would not or could not give; the message is one sentence without a way out."""


def resolve_commit(repository: str, revision: str | None, kind: Kind = "model") -> str:
    """The commit that `revision` (main if None) of a repository stands for.

    Without the hub, the one that it stood for when it was last asked. Raises Unreachable.
    """
    from huggingface_hub import HfApi

    try:
        return HfApi().resolve_revision(repository, repo_type=kind, revision=revision).resolved
    except Exception as error:
        # The HTTP library below may change with the hub client, and so do its errors: whatever
        # went wrong in this one request, there is no commit.
        raise HubUnavailable(error_sentence(error, repository, kind, revision)) from error


def is_reachable(repository: str, at: str, kind: Kind = "model") -> bool:
    """Whether the hub can be reached for a commit. Raises Unreachable where it says no."""
    from huggingface_hub import HfApi

    try:
        HfApi().repo_info(repository, repo_type=kind, revision=at, timeout=10)
    except Exception as error:
        # As in `commit`: only what the error says tells a refusal from silence.
        if _silent(list(_causes(error))):
            return False
        raise HubUnavailable(error_sentence(error, repository, kind, at)) from error
    return True


@contextmanager
def offline() -> Iterator[None]:
    """Let the libraries take their copies at once, not ask a silent hub for half a minute."""
    import datasets
    import huggingface_hub

    settings: tuple[Any, ...] = (huggingface_hub.constants, datasets.config)
    before = [one.HF_HUB_OFFLINE for one in settings]
    try:
        for one in settings:
            one.HF_HUB_OFFLINE = True
        yield
    finally:
        for one, was in zip(settings, before, strict=True):
            one.HF_HUB_OFFLINE = was


def error_sentence(
    error: BaseException, repository: str, kind: Kind = "model", at: str | None = None
) -> str:
    """One sentence for what the hub client, or a library above it, says in many.

    `at` is the revision that was asked for, where the user named one.
    """
    from huggingface_hub import constants, errors

    chain = list(_causes(error))
    text = " ".join(str(link) for link in chain)
    first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

    def threw(*kinds: type[BaseException]) -> bool:
        return any(isinstance(link, kinds) for link in chain)

    full = any(isinstance(link, OSError) and link.errno in FULL for link in chain)
    cases = (
        (
            full or "disk space" in text,
            f"the disk is full: {repository} does not fit into {constants.HF_HOME}; free space, "
            "or set HF_HOME to a folder on a larger disk",
        ),
        (
            threw(errors.GatedRepoError) or "is a gated dataset" in text,
            f"{repository} is gated: accept its terms on its page and log in with `hf auth login`",
        ),
        (threw(errors.RevisionNotFoundError), f"{repository} has no revision {at!r}"),
        (
            threw(errors.RepositoryNotFoundError),
            f"the hub has no {kind} {repository!r}, or it is private",
        ),
        (threw(errors.HFValidationError), f"{repository!r} is no name of a {kind}"),
        (
            any(words in text for words in BROKEN_OFF),
            f"the download of {repository} broke off; try again: what came whole is kept",
        ),
        (
            _silent(chain) or threw(ConnectionError, errors.LocalEntryNotFoundError),
            f"the hub can't be reached for {repository}, and no copy of it is here",
        ),
    )
    other = f"{repository} can't be had from the hub: {first}"
    return next((sentence for holds, sentence in cases if holds), other)


def _silent(chain: Sequence[BaseException]) -> bool:
    """Whether the hub gave no answer at all."""
    return any(word in type(link).__name__ for link in chain for word in NO_ANSWER)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it, the latest first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
