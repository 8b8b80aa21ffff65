"""Energy of any program (`joulebench track`) or block of Python code (`with track()`).

`spawn` and `sensors` are imported before the program starts, so they import little. What reads and
saves the record is imported while the program runs.
"""
