"""The commands: one file a command, `command` its function, `PANEL` where --help
lists it: "Measure", "Understand" or "Share".

Rooms are imported inside the function, so that listing all commands costs nothing.
"""
