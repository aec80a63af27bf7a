"""Beside the rack: what each meter shows now, and whether that is plausible.

Reads and never writes; needs no lock, no key and no broker. `look` asks a meter, `rules` and `window` judge (pure),
`words` say it in Chinese and English, `session` repeats it, `report` is the result, `table` prints it.
"""

from gateway.probe.session import run

__all__ = ["run"]
