"""From energy to things that people know: phone charges, grams of CO2e."""
