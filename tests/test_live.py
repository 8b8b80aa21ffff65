"""Live sources: answers as their documentation shows them, over a loopback server of our own."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from test_footprint_commands import joulebench, lines, refused

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
    """Answers as told, and remembers what it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {"/carbon-intensity/history": maps_answer(), "/v3/historical": watt_answer()}
        self.status, self.asked, self.where = 200, [], None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = urlsplit(self.path)
        self.server.asked.append((parts.path, parse_qs(parts.query), dict(self.headers)))
        expected = base64.b64encode(f"me:{TOKEN}".encode()).decode()
        if parts.path == "/login":
            right = self.headers["Authorization"] == f"Basic {expected}"
            answer, status = {"token": "for-half-an-hour"}, 200 if right else 403
        else:
            answer, status = self.server.answers.get(parts.path), self.server.status
        self.send_response(status)
        if self.server.where:
            self.send_header("Location", self.server.where)
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
    found = electricity_maps.profile("FR")
    assert found.intensities == tuple(20.0 + hour for hour in range(24))
    assert (found.approach, found.basis.split(",")[0]) == ("average", "life-cycle")
    path, query, headers = server.asked[0]
    assert (path, query) == ("/carbon-intensity/history", {"zone": ["FR"]})
    assert {name.lower(): value for name, value in headers.items()}["auth-token"] == TOKEN


def test_watttime_is_marginal_and_in_grams(server):
    found = watttime.profile("CAISO_NORTH")
    assert found.approach == "marginal" and "CO2 only" in found.basis
    assert found.intensities[0] == pytest.approx(800 * 0.45359237)
    assert [path for path, _, _ in server.asked] == ["/login", "/v3/historical"]
    assert server.asked[1][1]["signal_type"] == ["co2_moer"]
    assert server.asked[1][2]["Authorization"] == "Bearer for-half-an-hour"


def test_an_answer_is_kept_for_an_hour_and_a_token_never(server, tmp_path, monkeypatch):
    for _ in range(2):
        electricity_maps.profile("FR")
        watttime.profile("CAISO_NORTH")
    paths = [path for path, _, _ in server.asked]
    assert paths.count("/carbon-intensity/history") == 1 and paths.count("/v3/historical") == 1
    kept = [path.read_text() for path in (tmp_path / "cache").rglob("*.json")]
    assert len(kept) == 2 and not [t for t in kept if TOKEN in t or "half-an-hour" in t]
    monkeypatch.setattr("bench.impact.live_intensity.CACHE_SECONDS", 0)
    electricity_maps.profile("FR")
    assert [path for path, _, _ in server.asked].count("/carbon-intensity/history") == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"<html>", "not JSON"),
        ([], "answer of unknown form"),
        ({"history": [{"datetime": "yesterday"}]}, "answer of unknown form"),
        ({"history": maps_answer()["history"][1:]}, r"hours \[0\]"),
        ({"history": []}, "no intensity"),
    ],
)
def test_another_answer_is_refused(server, answer, said):
    server.answers["/carbon-intensity/history"] = answer
    with pytest.raises(ValueError, match=said):
        electricity_maps.profile("FR")


def test_what_goes_wrong_is_said_without_the_token(server, monkeypatch):
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


def test_a_token_does_not_follow_a_redirection(server):
    server.status, server.where = 302, f"http://127.0.0.1:{server.server_port}/elsewhere"
    with pytest.raises(ValueError, match="302"):
        electricity_maps.profile("FR")
    assert [path for path, _, _ in server.asked] == ["/carbon-intensity/history"]


def test_where_asks_live_only_by_name(server):
    best = lines("where", "--kwh", "10", "--live", "electricity-maps", "--region", "FR", "--json")
    assert (best[0]["start_hour"], best[0]["grams_per_kwh"]) == (0, 20.0)
    assert best[0]["approach"] == "average"
    words = ("where", "--kwh", "10", "--live", "watttime", "--zone", "CAISO_NORTH")
    assert "marginal" in joulebench(*words).stdout
    server.asked.clear()
    joulebench("where", "--kwh", "10", "--region", "FR")
    assert not server.asked


@pytest.mark.parametrize(
    ("region", "zone"),
    [
        ("FR", "FR"),
        ("aws:ca-central-1", "CA-QC"),
        ("US-WV", "US"),
        ("azure:australiaeast", "AU-NSW"),
    ],
)
def test_electricity_maps_has_zones_for_regions_and_watttime_has_none(region, zone):
    place = regions.find(region)
    assert electricity_maps.zone_of(place) == zone
    with pytest.raises(ValueError, match="--zone"):
        watttime.zone_of(place)


def test_no_live_source_without_its_token(monkeypatch):
    monkeypatch.delenv("ELECTRICITY_MAPS_TOKEN", raising=False)
    words = ("where", "--kwh", "1", "--live", "electricity-maps", "--region", "FR")
    assert "ELECTRICITY_MAPS_TOKEN" in refused(*words)


def test_every_live_source_says_what_it_is():
    assert registry.names("live") == ["electricity-maps", "watttime"]
    assert all(registry.first_docstring_line("live", name) for name in registry.names("live"))
