"""The commands of `jishi`, a module a group. A room is imported inside the command that needs it."""
