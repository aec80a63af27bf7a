"""The offline verifier: a pack's bytes, the registry of trust and a time in; a verdict with codes out.

Knows `contract` and `metering.core` alone: it runs without database, broker and web (`pip install 'jishi[verify]'`).
Does not: trust anything a pack says of itself (`docs/verification.md` says what remains unproven).
"""
