"""WattTime: marginal carbon intensity of a grid region over the last 24 hours."""

from __future__ import annotations

import base64
import os
from datetime import UTC, datetime, timedelta

from bench.impact.hourly_profile import DailyProfile
from bench.impact.live_intensity import fetch_json, hourly_means, secret
from bench.impact.regions import Region
from bench.results.units import KILOGRAMS_PER_POUND

NAME, USER, PASSWORD = "WattTime", "WATTTIME_USER", "WATTTIME_PASSWORD"
URL = "https://api.watttime.org"
UNIT = "lbs_co2_per_mwh"


def profile(zone: str) -> DailyProfile:
    """The last 24 full hours of a grid region ("CAISO_NORTH"), by hour of the day in UTC.

    Needs WATTTIME_USER and WATTTIME_PASSWORD. Raises ValueError with one sentence where there is no
    answer. Source: https://docs.watttime.org
    """
    base = os.environ.get("WATTTIME_URL", URL)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    query = {
        "region": zone,
        "start": (end - timedelta(hours=24)).isoformat(),
        "end": (end - timedelta(minutes=1)).isoformat(),
        "signal_type": "co2_moer",
    }
    headers = {"Authorization": f"Bearer {_token(base)}"}
    answer = fetch_json(NAME, f"{base}/v3/historical", headers, query)
    try:
        unit = answer["meta"]["units"]
        times = [datetime.fromisoformat(point["point_time"]) for point in answer["data"]]
        hours = [time.astimezone(UTC).hour for time in times]
        # lb/MWh times kg/lb is kg/MWh, which equals g/kWh.
        intensities = [float(point["value"]) * KILOGRAMS_PER_POUND for point in answer["data"]]
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{NAME} sent an answer of unknown form for {zone!r}") from None
    if unit != UNIT:
        raise ValueError(f"{NAME} sent values in {unit!r}, not in {UNIT}")
    basis = "direct combustion, CO2 only, hours in UTC"
    means = hourly_means(NAME, zip(hours, intensities, strict=True))
    return DailyProfile(means, "marginal", basis, f"{NAME}, region {zone}")


def zone_of(region: Region) -> str:
    """Raises ValueError: WattTime's grid regions do not follow the codes of countries or states."""
    raise ValueError(f"{NAME} has its own zone names: give --zone, such as CAISO_NORTH")


def _token(base: str) -> str:
    """Exchange user name and password for a token, valid for 30 minutes; it is never cached."""
    pair = f"{secret(USER)}:{secret(PASSWORD)}"
    login = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    answer = fetch_json(NAME, f"{base}/login", login, {}, cache=False)
    token = answer.get("token") if isinstance(answer, dict) else None
    if not isinstance(token, str):
        raise ValueError(f"{NAME} sent no token")
    return token
