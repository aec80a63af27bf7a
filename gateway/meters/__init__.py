"""Meters: what the gateway asks of one (`port`), device models as data (`registers`), Modbus TCP (`modbus`)."""
