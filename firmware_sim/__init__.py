"""A lab of simulated instruments behind real Modbus TCP servers, in lock-step simulated time.

An island: it imports no room of the house and no room imports it; it is reached over the wire (see README.md).
"""
