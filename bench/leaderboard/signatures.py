"""Signatures of submissions with an SSH key, by OpenSSH's own `ssh-keygen -Y`: optional.

A signature lies beside the file that it signs, with `.sig` behind its name. Who may be believed
stands in the file `allowed_signers` of the submissions' folder, in OpenSSH's format.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

MAX_BYTES = 20_000
NAMESPACE = "joulebench"
Done = subprocess.CompletedProcess[bytes]
SIGNERS = "allowed_signers"


class InvalidSignature(ValueError):
    """A signature that is not one of this content."""


class SshKeygenMissing(ValueError):
    """OpenSSH is not on this machine."""


def signature_path(path: Path) -> Path:
    """Where the signature of a file lies."""
    return path.with_name(f"{path.name}.sig")


def sign(path: Path, key: Path) -> None:
    """Sign a file with an SSH key; the signature is written beside it.

    Raises ValueError with a sentence where that fails.
    """
    if not key.is_file():
        raise ValueError(f"there is no key {key}")
    signature_path(path).unlink(missing_ok=True)
    done = _keygen("sign", "-f", str(key), str(path), content=None)
    if done.returncode != 0 or not signature_path(path).is_file():
        raise ValueError(f"ssh-keygen could not sign with {key}: {_last(done)}")


def signer(content: bytes, signature: Path, signers: Path) -> str | None:
    """Who signed this content: a name of the allowed signers, or None if the key is not theirs.

    Raises Unsound where the signature is not one of this content.
    """
    if signature.stat().st_size > MAX_BYTES:
        raise InvalidSignature("The signature is larger than any signature is.")
    sound = _keygen("check-novalidate", "-s", str(signature), content=content)
    if sound.returncode != 0:
        raise InvalidSignature(f"The signature is not one of this content: {_last(sound)}.")
    if not signers.is_file():
        return None
    found = _keygen("find-principals", "-s", str(signature), "-f", str(signers), content=None)
    for name in found.stdout.decode(errors="replace").splitlines():
        options = ("-f", str(signers), "-I", name, "-s", str(signature))
        if _keygen("verify", *options, content=content).returncode == 0:
            return name
    return None


def _keygen(
    action: str, *options: str, content: bytes | None
) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise SshKeygenMissing("Signatures need ssh-keygen, a part of OpenSSH")
    # find-principals knows no namespace.
    space = () if action == "find-principals" else ("-n", NAMESPACE)
    command = [program, "-Y", action, *space, *options]
    return subprocess.run(command, input=content, capture_output=True, check=False, timeout=60)


def _last(done: Done) -> str:
    lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
