"""All commands and the site apply one grid factor to a region, with the same basis and grams."""

from __future__ import annotations

import csv
import io
import json

import pytest
from site_results import write_site_of
from synthetic_results import result_with_energy

from bench.cli import estimate, lifecycle, show, where
from bench.impact import regions
from bench.reports import exporters
from bench.reports.exporters import ExportOptions
from bench.results import storage

# gCO2e/kWh and basis, by the tables of facts.
LIFE_CYCLE, DIRECT = "life-cycle", "direct combustion"
GOOGLE = "operational, as Google publishes it"
REGIONS = {
    "FR": (44.18, LIFE_CYCLE),
    "UK": (211.27, LIFE_CYCLE),
    "US": (383.55, LIFE_CYCLE),
    "DE": (331.98, LIFE_CYCLE),
    "world": (472.94, LIFE_CYCLE),
    "Korea": (414.48, LIFE_CYCLE),
    "US-WV": (893.06, DIRECT),
    "US-CA": (179.06, DIRECT),
    "US-OH": (0, DIRECT),
    "US-GA": (0, DIRECT),
    "CA-QC": (1.5, DIRECT),
    "CA-AB": (670.0, DIRECT),
    "AU-NSW": (0, "as published for Australia, basis not stated"),
    "CN-SH": (0, "direct combustion, CO2 only"),
    "aws:us-east-1": (244.76, DIRECT),
    "aws:eu-west-3": (44.18, LIFE_CYCLE),
    "aws:ca-central-1": (1.5, DIRECT),
    "azure:germanywestcentral": (331.98, LIFE_CYCLE),
    "azure:westus2": (0, DIRECT),
    "gcp:europe-west9": (16.3, GOOGLE),
    "gcp:us-central1": (0, GOOGLE),
}
