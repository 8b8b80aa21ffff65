"""Tools for those who build JouleBench; none of them ships with it."""
