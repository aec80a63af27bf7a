"""What the parts can do on this machine, each against a ceiling and a plain rival of the same run.

`scripts/bench NAME` runs one of them. Does not: gate anything but loss; figures of a shared machine are noisy.
"""
