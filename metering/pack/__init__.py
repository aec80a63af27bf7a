"""Evidence out: packs that an outsider verifies without us, and the register of trust that goes by another way.

The form of a pack is the verifier's (`metering.verifier.form`); here it is filled from the store.
"""
