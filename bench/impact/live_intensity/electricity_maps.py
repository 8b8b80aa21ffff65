"""Electricity Maps: average carbon intensity of a zone's consumption over the last 24 hours."""

from __future__ import annotations

import os
from datetime import datetime

from bench.impact.hourly_profile import DailyProfile
from bench.impact.live_intensity import fetch_json, hourly_means, secret
from bench.impact.regions import Region

NAME, TOKEN = "Electricity Maps", "ELECTRICITY_MAPS_TOKEN"
URL = "https://api.electricitymaps.com/v3"


def profile(zone: str) -> DailyProfile:
    """The last 24 hours of a zone ("FR", "US-CAL-CISO"), by hour of the day in UTC.

    Needs ELECTRICITY_MAPS_TOKEN. Raises ValueError with one sentence where there is no answer.
    Source: https://portal.electricitymaps.com/docs/api
    """
    headers = {"auth-token": secret(TOKEN)}
    base = os.environ.get("ELECTRICITY_MAPS_URL", URL)
    answer = fetch_json(NAME, f"{base}/carbon-intensity/history", headers, {"zone": zone})
    try:
        history = answer["history"]
        hours = [datetime.fromisoformat(point["datetime"]).hour for point in history]
        intensities = [float(point["carbonIntensity"]) for point in history]
        factors = {point["emissionFactorType"] for point in history}
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{NAME} sent an answer of unknown form for {zone!r}") from None
    kinds = {"life-cycle" if factor == "lifecycle" else "direct" for factor in factors}
    basis = f"{' and '.join(sorted(kinds))}, consumption-based, hours in UTC"
    means = hourly_means(NAME, zip(hours, intensities, strict=True))
    return DailyProfile(means, "average", basis, f"{NAME}, zone {zone}")


def zone_of(region: Region) -> str:
    """The zone of a region: Canada and Australia by province, other countries as a whole.

    The United States has smaller zones, too, which follow no states; "US" is all of it.
    """
    provinces = [place for place in region.places if place.startswith(("CA-", "AU-"))]
    return provinces[0] if provinces else region.places[-1]
