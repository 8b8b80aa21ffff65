"""Unit conversions of energy and mass."""

SECONDS_PER_HOUR = 3600
JOULES_PER_KWH = 1000 * SECONDS_PER_HOUR
KILOGRAMS_PER_POUND = 0.45359237
GRAMS_PER_KILOGRAM = 1000.0
GRAMS_PER_TONNE = 1e6


def kwh_from_joules(joules: float) -> float:
    """Energy in kilowatt-hours from joules."""
    return joules / JOULES_PER_KWH


def kwh_per_1000(joules_per_inference: float) -> float:
    """Energy in kWh per 1,000 inferences from joules per inference."""
    return kwh_from_joules(1000 * joules_per_inference)


def pounds(grams: float) -> float:
    """Mass in pounds from grams."""
    return grams / 1000 / KILOGRAMS_PER_POUND
