"""A local server that serves folders as repositories of the Hugging Face hub.

It implements the part of the protocol that huggingface_hub uses: `siblings` and `tree` of the API,
`resolve` with HEAD, ETag, X-Repo-Commit and ranges, and X-Error-Code on errors.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

ROUTE = re.compile(
    r"(?:/api)?/(?P<kind>models/|datasets/)?(?P<id>[^/]+/[^/]+)"
    r"(?:/(?P<what>revision|tree|paths-info|resolve)/(?P<rest>.+))?"
)


@dataclass
class Repository:
    """A folder served as a repository; `fault` is how the download of its files fails."""

    folder: Path
    kind: Literal["models", "datasets"] = "models"
    gated: bool = False
    branches: tuple[str, ...] = ("main",)
    # disconnect: the server closes the connection in the middle of every large file.
    # truncate: it sends half of a file, with the length of the complete file.
    fault: Literal["", "disconnect", "truncate"] = ""
    information: dict[str, Any] = field(default_factory=dict)

    @property
    def commit(self) -> str:
        """A commit as git spells one, of what the folder holds."""
        return hashlib.sha1("".join(map(self.tag, self.files())).encode()).hexdigest()

    def files(self) -> list[str]:
        """Every file, as a path inside the repository."""
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in paths)

    def tag(self, name: str) -> str:
        """The ETag of a file."""
        return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()


class Hub(ThreadingHTTPServer):
    """The server, with its repositories by name and a log of its requests ("GET /path")."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.request_log: list[str] = []

    @property
    def endpoint(self) -> str:
        """The address for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_port}"


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    """Run a hub until the block ends."""
    with Hub() as hub:
        thread = threading.Thread(target=hub.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_HEAD(self) -> None:
        self._route()

    def do_GET(self) -> None:
        self._route()

    def do_POST(self) -> None:
        self._route()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: a test's output is the client's."""

    def _route(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path = unquote(urlsplit(self.path).path)
        self.server.request_log.append(f"{self.command} {path}")
        match = ROUTE.fullmatch(path)
        repository = match and self.server.repositories.get(match["id"])
        is_data = match and match["kind"] == "datasets/"
        if not match or not repository or (repository.kind == "datasets") != is_data:
            return self._refuse(404, "RepoNotFound", "Repository not found")
        revision, _, rest = self._revision(repository, match["rest"] or "main")
        if revision is None:
            return self._refuse(404, "RevisionNotFound", "Invalid rev id")
        if match["what"] == "resolve":
            return self._file(repository, rest)
        if match["what"] == "tree":
            return self._json(
                [self._entry(repository, name) for name in self._under(repository, rest)]
            )
        if match["what"] == "paths-info":
            wanted = parse_qs(body.decode())["paths"] if body[:1] != b"{" else None
            wanted = wanted or json.loads(body)["paths"]
            names = [name for name in repository.files() if name in wanted]
            return self._json([self._entry(repository, name) for name in names])
        return self._json(self._information(match["id"], repository))

    def _revision(self, repository: Repository, rest: str) -> tuple[str | None, str, str]:
        for name in (*repository.branches, repository.commit):
            if rest == name or rest.startswith(f"{name}/"):
                return name, "/", rest[len(name) + 1 :]
        return None, "", ""

    def _under(self, repository: Repository, folder: str) -> list[str]:
        prefix = f"{folder}/" if folder else ""
        return [name for name in repository.files() if name.startswith(prefix)]

    def _information(self, name: str, repository: Repository) -> dict[str, Any]:
        return {
            "_id": "0", "id": name, "sha": repository.commit, "private": False, "disabled": False,
            "gated": "manual" if repository.gated else False,
            "tags": [], "downloads": 0, "likes": 0,
            "siblings": [{"rfilename": file} for file in repository.files()],
            **repository.information,
        }  # fmt: skip

    def _entry(self, repository: Repository, name: str) -> dict[str, Any]:
        size = (repository.folder / name).stat().st_size
        return {"type": "file", "path": name, "size": size, "oid": repository.tag(name)[:40]}

    def _file(self, repository: Repository, name: str) -> None:
        if repository.gated:
            return self._refuse(403, "GatedRepo", "Access to this repository is restricted")
        if name not in repository.files():
            return self._refuse(404, "EntryNotFound", "Entry not found", repository.commit)
        content = (repository.folder / name).read_bytes()
        total = len(content)
        requested = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        first = int(requested[1]) if requested else 0
        last = min(int(requested[2] or total - 1), total - 1) if requested else total - 1
        if requested and first >= total:
            return self._refuse(416, "", "Range not satisfiable")
        content = content[first : last + 1]
        faulty = repository.fault if total > 100_000 else ""
        if faulty == "truncate" and self.command == "GET":
            content = content[: len(content) // 2]
        self.send_response(206 if requested else 200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{repository.tag(name)}"')
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("X-Linked-Size", str(total))
        self.send_header("Accept-Ranges", "bytes")
        if requested:
            self.send_header("Content-Range", f"bytes {first}-{last}/{total}")
        self.end_headers()
        if self.command == "HEAD":
            return None
        if faulty == "disconnect":
            self.wfile.write(content[: 50_000 if first == 0 else 0])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        self.wfile.write(content)
        return None

    def _json(self, answer: Any) -> None:
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: int, code: str, message: str, commit: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Content-Length", "0")
        self.end_headers()
