"""The command line: it starts rooms and holds no logic of theirs. Each is imported inside the command that needs it."""
