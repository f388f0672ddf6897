"""The table of injected faults, row by row."""
