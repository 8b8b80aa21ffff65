"""Writes docs/claims.md and its figures from the claims as the program computes them."""
