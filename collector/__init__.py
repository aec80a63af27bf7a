"""Hears frames from the broker, admits them, stores them, and only then acknowledges and signs receipts.

It never judges: what the frames are worth in hours is metering's business.
"""
