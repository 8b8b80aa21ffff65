"""Live sources of carbon intensity: one file a source, with `profile(zone)` and `zone_of(region)`.

Off unless asked for by name. A source reads its token from the environment, asks with a time limit,
follows no redirection, and keeps each answer for an hour, so that asking again costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from bench.impact.hourly_profile import HOURS
from bench.results import storage

TIMEOUT_SECONDS = 15
CACHE_SECONDS = 3600
MAX_BYTES = 5_000_000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token goes to the host that it is for and to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def secret(name: str) -> str:
    """A token from the environment. Raises ValueError, naming it, if it is not set."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise ValueError(f"set {name} in the environment; nothing was asked")
    return value


def ask(
    name: str, url: str, headers: dict[str, str], query: dict[str, str], keep: bool = True
) -> Any:
    """The JSON answer of a source, from the cache if it is younger than an hour and may be kept.

    Raises ValueError with one sentence, without the token, where there is no such answer.
    """
    whole = f"{url}?{urllib.parse.urlencode(query)}"
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost"}:
        raise ValueError(f"{name} is asked over https alone")
    kept = _cache() / f"{hashlib.sha256(whole.encode()).hexdigest()[:32]}.json"
    if keep and kept.is_file() and time.time() - kept.stat().st_mtime < CACHE_SECONDS:
        return json.loads(kept.read_text(encoding="utf-8"))
    text = _get(name, whole, headers)
    try:
        answer = json.loads(text)
    except ValueError:
        raise ValueError(f"{name} gave an answer that is not JSON") from None
    if keep:
        storage.write_text(kept, text)
    return answer


def whole_day(name: str, by_hour: dict[int, list[float]]) -> tuple[float, ...]:
    """The mean of each hour. Raises ValueError where a source left hours out."""
    missing = [hour for hour in range(HOURS) if not by_hour.get(hour)]
    if missing:
        raise ValueError(f"{name} gave no intensity for the hours {missing} (UTC)")
    return tuple(sum(by_hour[hour]) / len(by_hour[hour]) for hour in range(HOURS))


def _get(name: str, url: str, headers: dict[str, str]) -> str:
    request = urllib.request.Request(url, headers={**headers, "User-Agent": "joulebench"})
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
            body: bytes = response.read(MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        hint = "; check the token" if error.code in {401, 403} else ""
        raise ValueError(f"{name} answered {error.code} {error.reason}{hint}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{name} could not be reached: {error}") from None
    if len(body) > MAX_BYTES:
        raise ValueError(f"{name} gave an answer of over {MAX_BYTES} bytes")
    return body.decode("utf-8", errors="replace")


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "joulebench" / "live"
