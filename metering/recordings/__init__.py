"""Recordings metered as they are: unsigned traces of a smart plug or a controller, assurance L2 at most."""
