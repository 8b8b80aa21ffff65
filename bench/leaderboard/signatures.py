"""Optional signatures of submissions with an SSH key, by OpenSSH's `ssh-keygen -Y`.

The signature of a file has the file's name with `.sig` appended. The signers whose names are shown
are in the file `allowed_signers` of the folder of submissions, in OpenSSH's format.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

# An SSH signature of a 16 kbit RSA key is about 6 kB.
MAX_SIGNATURE_BYTES = 20_000
NAMESPACE = "joulebench"
SIGNERS = "allowed_signers"
CompletedProcess = subprocess.CompletedProcess[bytes]


class InvalidSignature(ValueError):
    """A signature that does not match the content."""


class SshKeygenMissing(ValueError):
    """OpenSSH is not installed."""


def signature_path(path: Path) -> Path:
    """The path of the signature of a file."""
    return path.with_name(f"{path.name}.sig")


def sign(path: Path, key: Path) -> None:
    """Sign a file with an SSH key and write the signature to `signature_path(path)`.

    Raises ValueError with a sentence where that fails.
    """
    if not key.is_file():
        raise ValueError(f"there is no key {key}")
    signature_path(path).unlink(missing_ok=True)
    process = _ssh_keygen("sign", "-f", str(key), str(path), content=None)
    if process.returncode != 0 or not signature_path(path).is_file():
        raise ValueError(f"ssh-keygen could not sign with {key}: {_last_line(process)}")


def signer(content: bytes, signature: Path, signers: Path) -> str | None:
    """The name of the allowed signer who signed this content, or None for another valid key.

    Raises InvalidSignature where the signature does not match the content.
    """
    if signature.stat().st_size > MAX_SIGNATURE_BYTES:
        raise InvalidSignature(f"The signature is larger than {MAX_SIGNATURE_BYTES} bytes.")
    process = _ssh_keygen("check-novalidate", "-s", str(signature), content=content)
    if process.returncode != 0:
        raise InvalidSignature(f"The signature does not match this content: {_last_line(process)}.")
    if not signers.is_file():
        return None
    process = _ssh_keygen("find-principals", "-s", str(signature), "-f", str(signers), content=None)
    for name in process.stdout.decode(errors="replace").splitlines():
        options = ("-f", str(signers), "-I", name, "-s", str(signature))
        if _ssh_keygen("verify", *options, content=content).returncode == 0:
            return name
    return None


def _ssh_keygen(action: str, *options: str, content: bytes | None) -> CompletedProcess:
    program = shutil.which("ssh-keygen")
    if program is None:
        raise SshKeygenMissing("Signatures need ssh-keygen, a part of OpenSSH")
    # find-principals does not take a namespace.
    namespace = () if action == "find-principals" else ("-n", NAMESPACE)
    command = [program, "-Y", action, *namespace, *options]
    return subprocess.run(command, input=content, capture_output=True, check=False, timeout=60)


def _last_line(process: CompletedProcess) -> str:
    lines = (process.stderr or process.stdout).decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"
