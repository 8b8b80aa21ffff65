"""The tracker: any program measured from outside, from its start to its end.

The rooms that are needed before the program starts (`launch`, `sensors`) import little, so that
it starts at once; the others are opened while it runs.
"""
