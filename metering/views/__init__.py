"""What hours look like: sentences and charts, made from what the core found. Pure: no file, no storage, no clock.

`words` says, `charts` draws (Vega-Lite specifications as plain data, the same for a page and for a report), `inputs` is
what charts are made from. Does not: compute hours (`metering.core`), nor render pixels (`picture` does, when asked).
"""
