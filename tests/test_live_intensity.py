"""Live sources of carbon intensity, against a local server that sends documented answers."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from command_line import error_of, joulebench, json_lines

from bench.impact import regions
from bench.impact.live_intensity import electricity_maps, watttime
from bench.system import registry

TOKEN = "a-very-secret-token"


def maps_answer():
    history = [
        {
            "zone": "FR",
            "carbonIntensity": 20 + hour,
            "datetime": f"2026-11-23T{hour:02d}:00:00.000Z",
            "updatedAt": "2026-11-24T00:10:00.000Z",
            "createdAt": "2026-11-20T00:10:00.000Z",
            "emissionFactorType": "lifecycle",
            "isEstimated": False,
            "estimationMethod": None,
        }
        for hour in range(24)
    ]
    return {"zone": "FR", "history": history}


def watt_answer():
    data = [
        {"point_time": f"2026-11-23T{hour:02d}:{minute:02d}:00+00:00", "value": 800.0 + hour}
        for hour in range(24)
        for minute in range(0, 60, 5)
    ]
    return {
        "data": data,
        "meta": {
            "data_point_period_seconds": 300,
            "region": "CAISO_NORTH",
            "signal_type": "co2_moer",
            "units": "lbs_co2_per_mwh",
            "model": {"date": "2026-03-01"},
        },
    }


class Server(ThreadingHTTPServer):
    """Sends the configured answers and records the requests."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {"/carbon-intensity/history": maps_answer(), "/v3/historical": watt_answer()}
        self.status, self.requests, self.location = 200, [], None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = urlsplit(self.path)
        self.server.requests.append((parts.path, parse_qs(parts.query), dict(self.headers)))
        credentials = base64.b64encode(f"me:{TOKEN}".encode()).decode()
        if parts.path == "/login":
            accepted = self.headers["Authorization"] == f"Basic {credentials}"
            answer, status = {"token": "for-half-an-hour"}, 200 if accepted else 403
        else:
            answer, status = self.server.answers.get(parts.path), self.server.status
        self.send_response(status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    started = Server()
    threading.Thread(target=started.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{started.server_port}"
    for name, value in {
        "ELECTRICITY_MAPS_URL": url,
        "ELECTRICITY_MAPS_TOKEN": TOKEN,
        "WATTTIME_URL": url,
        "WATTTIME_USER": "me",
        "WATTTIME_PASSWORD": TOKEN,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    yield started
    started.shutdown()
    started.server_close()


def test_electricity_maps_is_average_and_life_cycle(server):
    profile = electricity_maps.profile("FR")
    assert profile.intensities == tuple(20.0 + hour for hour in range(24))
    assert (profile.approach, profile.basis.split(",")[0]) == ("average", "life-cycle")
    path, query, headers = server.requests[0]
    assert (path, query) == ("/carbon-intensity/history", {"zone": ["FR"]})
    assert {name.lower(): value for name, value in headers.items()}["auth-token"] == TOKEN


def test_watttime_is_marginal_and_in_grams(server):
    profile = watttime.profile("CAISO_NORTH")
    assert profile.approach == "marginal" and "CO2 only" in profile.basis
    assert profile.intensities[0] == pytest.approx(800 * 0.45359237)
    assert [path for path, _, _ in server.requests] == ["/login", "/v3/historical"]
    assert server.requests[1][1]["signal_type"] == ["co2_moer"]
    assert server.requests[1][2]["Authorization"] == "Bearer for-half-an-hour"


def test_answer_is_cached_for_an_hour_and_token_is_never_cached(server, tmp_path, monkeypatch):
    for _ in range(2):
        electricity_maps.profile("FR")
        watttime.profile("CAISO_NORTH")
    paths = [path for path, _, _ in server.requests]
    assert paths.count("/carbon-intensity/history") == 1 and paths.count("/v3/historical") == 1
    cached = [path.read_text() for path in (tmp_path / "cache").rglob("*.json")]
    assert len(cached) == 2 and not [t for t in cached if TOKEN in t or "half-an-hour" in t]
    monkeypatch.setattr("bench.impact.live_intensity.CACHE_SECONDS", 0)
    electricity_maps.profile("FR")
    assert [path for path, _, _ in server.requests].count("/carbon-intensity/history") == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>", "not JSON"),
        ([], "answer of unknown form"),
        ({"history": [{"datetime": "yesterday"}]}, "answer of unknown form"),
        ({"history": maps_answer()["history"][1:]}, r"hours \[0\]"),
        ({"history": []}, "no intensity"),
    ],
)
def test_invalid_answer_is_refused(server, answer, message):
    server.answers["/carbon-intensity/history"] = answer
    with pytest.raises(ValueError, match=message):
        electricity_maps.profile("FR")


def test_errors_do_not_contain_the_token(server, monkeypatch):
    server.status = 401
    with pytest.raises(ValueError, match="401 Unauthorized; check the token") as refusal:
        electricity_maps.profile("FR")
    assert TOKEN not in str(refusal.value)
    server.answers["/v3/historical"] = {**watt_answer(), "meta": {"units": "tonnes"}}
    server.status = 200
    with pytest.raises(ValueError, match="tonnes"):
        watttime.profile("CAISO_NORTH")
    monkeypatch.setenv("WATTTIME_PASSWORD", "wrong")
    with pytest.raises(ValueError, match="403"):
        watttime.profile("ELSEWHERE")
    monkeypatch.delenv("ELECTRICITY_MAPS_TOKEN")
    with pytest.raises(ValueError, match="ELECTRICITY_MAPS_TOKEN"):
        electricity_maps.profile("DE")
    monkeypatch.setenv("ELECTRICITY_MAPS_TOKEN", TOKEN)
    monkeypatch.setenv("ELECTRICITY_MAPS_URL", "http://example.com")
    with pytest.raises(ValueError, match="https"):
        electricity_maps.profile("DE")


def test_redirection_is_not_followed_with_the_token(server):
    server.status, server.location = 302, f"http://127.0.0.1:{server.server_port}/elsewhere"
    with pytest.raises(ValueError, match="302"):
        electricity_maps.profile("FR")
    assert [path for path, _, _ in server.requests] == ["/carbon-intensity/history"]


def test_where_reads_a_live_source_only_if_named(server):
    best = json_lines(
        "where", "--kwh", "10", "--live", "electricity-maps", "--region", "FR", "--json"
    )
    assert (best[0]["start_hour"], best[0]["grams_per_kwh"]) == (0, 20.0)
    assert best[0]["approach"] == "average"
    arguments = ("where", "--kwh", "10", "--live", "watttime", "--zone", "CAISO_NORTH")
    assert "marginal" in joulebench(*arguments).stdout
    server.requests.clear()
    joulebench("where", "--kwh", "10", "--region", "FR")
    assert not server.requests


@pytest.mark.parametrize(
    ("region", "zone"),
    [
        ("FR", "FR"),
        ("aws:ca-central-1", "CA-QC"),
        ("US-WV", "US"),
        ("azure:australiaeast", "AU-NSW"),
    ],
)
def test_zones_of_regions(region, zone):
    place = regions.find(region)
    assert electricity_maps.zone_of(place) == zone
    with pytest.raises(ValueError, match="--zone"):
        watttime.zone_of(place)


def test_live_source_without_token_is_refused(monkeypatch):
    monkeypatch.delenv("ELECTRICITY_MAPS_TOKEN", raising=False)
    arguments = ("where", "--kwh", "1", "--live", "electricity-maps", "--region", "FR")
    assert "ELECTRICITY_MAPS_TOKEN" in error_of(*arguments)


def test_every_live_source_has_a_description():
    assert registry.names("live") == ["electricity-maps", "watttime"]
    assert all(registry.first_docstring_line("live", name) for name in registry.names("live"))
