"""Totals for reports: what was taken in, over all collectors, and what is stored.

Does not: say how well anything is verified.
"""

from dataclasses import dataclass

from psycopg.rows import class_row

from storage.pool import Connection, mapped
from storage.queries import SQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Numbers of frames, of samples of power, and of streams.

    Attributes:
        received: MUST equal stored + duplicate + quarantined: what each message became as it was heard.
        readmitted: quarantined frames that were admitted later; they were received once and count there no second time.
        frames, samples: rows in the tables.
        equivocations: frames that contradict another one with the same place.
    """

    received: int
    stored: int
    duplicate: int
    quarantined: int
    frames: int
    samples: int
    streams: int
    equivocations: int
    readmitted: int

    @property
    def balanced(self) -> bool:
        """Whether every frame that came in is accounted for."""
        once = self.received == self.stored + self.duplicate + self.quarantined
        return once and self.frames == self.stored + self.readmitted


def read(connection: Connection) -> Counters:
    """Totals of this moment.

    Raises:
        StorageError: the server failed.
    """
    with mapped(), connection.cursor(row_factory=class_row(Counters)) as cursor:
        row = cursor.execute(SQL["counters"]).fetchone()
        return row or Counters(
            received=0,
            stored=0,
            duplicate=0,
            quarantined=0,
            frames=0,
            samples=0,
            streams=0,
            equivocations=0,
            readmitted=0,
        )
