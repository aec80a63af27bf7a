"""Runs commands of our own as their users would, where the room is reached over the wire alone."""

import subprocess
import sys

from contract.errors import JishiError


def command(*arguments: str) -> None:
    """Run `jishi ARGUMENTS` to its end.

    Raises:
        JishiError: its exit status is not 0; the text holds the end of what it said.
    """
    done = subprocess.run(  # noqa: S603 - this Python, our own command
        [sys.executable, "-m", "jishi", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise JishiError(f"jishi {' '.join(arguments[:2])} failed: {(done.stderr or done.stdout)[-2000:]}")
