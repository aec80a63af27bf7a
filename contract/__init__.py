"""The wire format and the words every room shares: pure functions of bytes and numbers.

No file, socket, database or log is touched here, and nothing but `contract.clock` asks for the time.
A sample travels as: `frame` (what was measured) -> `codec` (the one legal encoding) -> `seal` (signed bytes).
"""
