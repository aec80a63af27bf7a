"""Metering: from stored frames to statements. `core` is pure; `job` and `cli` are its shell."""
