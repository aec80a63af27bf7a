"""The gateway: reads meters and run-state lines, signs what it read, and keeps it until the collector has it.

See README.md for what this room owns, its order of effects and its files.
"""
