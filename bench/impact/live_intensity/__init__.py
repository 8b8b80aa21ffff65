"""Live sources of carbon intensity, one file each, with `profile(zone)` and `zone_of(region)`.

No source is read unless the user names it. A source reads its token from the environment, sends
requests with a time limit, follows no redirection, and caches each answer for an hour.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.impact.hourly_profile import HOURS
from bench.results import storage

TIMEOUT_SECONDS = 15
CACHE_SECONDS = 3600  # a profile holds hourly values
MAX_BYTES = 5_000_000  # a day of values is under 100 kB


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirections, so that a token reaches no other host."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def secret(name: str) -> str:
    """A token from the environment variable `name`. Raises ValueError, naming it, if not set."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise ValueError(f"set {name} in the environment; no request was sent")
    return value


def fetch_json(
    name: str, url: str, headers: dict[str, str], query: dict[str, str], cache: bool = True
) -> Any:
    """The JSON answer of the source `name`, from the cache if it is younger than an hour.

    With `cache` false the answer is neither read from the cache nor written to it. Raises
    ValueError with one sentence, without the token, where there is no JSON answer.
    """
    full_url = f"{url}?{urllib.parse.urlencode(query)}"
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost"}:
        raise ValueError(f"{name} is read over https only")
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "joulebench/live"
    cached = folder / f"{hashlib.sha256(full_url.encode()).hexdigest()[:32]}.json"
    if cache and cached.is_file() and time.time() - cached.stat().st_mtime < CACHE_SECONDS:
        return json.loads(cached.read_text(encoding="utf-8"))
    request = urllib.request.Request(full_url, headers={**headers, "User-Agent": "joulebench"})
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
            body: bytes = response.read(MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        hint = "; check the token" if error.code in {401, 403} else ""
        raise ValueError(f"{name} answered {error.code} {error.reason}{hint}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{name} could not be reached: {error}") from None
    if len(body) > MAX_BYTES:
        raise ValueError(f"{name} sent more than {MAX_BYTES} bytes")
    text = body.decode("utf-8", errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        raise ValueError(f"{name} answered with text that is not JSON") from None
    if cache:
        storage.write_text(cached, text)
    return answer


def hourly_means(name: str, points: Iterable[tuple[int, float]]) -> tuple[float, ...]:
    """Mean of each hour of points (hour, gCO2e/kWh). Raises ValueError for a missing hour."""
    by_hour: dict[int, list[float]] = {}
    for hour, intensity in points:
        by_hour.setdefault(hour, []).append(intensity)
    missing = [hour for hour in range(HOURS) if hour not in by_hour]
    if missing:
        raise ValueError(f"{name} sent no intensity for the hours {missing} (UTC)")
    return tuple(sum(by_hour[hour]) / len(by_hour[hour]) for hour in range(HOURS))
