"""Impact of energy: phone charges and other equivalences, CO2e, water, life cycles, claims."""
