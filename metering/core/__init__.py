"""The pure core: frames, a policy and sessions in; hours out. No clock, no file, no socket, no log.

The way of a number, each step a module: `evidence` (frames to readings) -> `states` (readings to a timeline of states)
-> `rules` (states to credited time) -> `attribution` (whose time) -> `tally` (cut to a period). `pipeline` runs them.
"""
