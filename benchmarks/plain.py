"""The plain rival: aiomqtt, one sample a message as JSON, one INSERT a sample. `python -m benchmarks.plain PORT COUNT`.

It says `listening` once it hears, and `done` once so many samples are committed.
"""

import asyncio
import json
import os
import sys

import aiomqtt
import psycopg

from jishi.demo.broker import HOST

TOPIC = "plain/#"
_INSERT = "INSERT INTO power_sample (taken_at, instrument_no, power_mw) VALUES (to_timestamp(%s / 1000.0), %s, %s)"


async def main(port: int, count: int) -> None:
    """Hear and insert so many samples."""
    connection = await psycopg.AsyncConnection.connect(os.environ["JISHI_DSN"], autocommit=True)
    async with connection, aiomqtt.Client(HOST, port) as client:
        await client.subscribe(TOPIC, qos=1)
        print("listening", flush=True)
        async for message in client.messages:
            sample = json.loads(bytes(message.payload))
            await connection.execute(_INSERT, (sample["utc_ms"], sample["instrument_no"], sample["power_mw"]))
            count -= 1
            if not count:
                print("done", flush=True)
                await asyncio.Event().wait()  # until the benchmark ends us


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
