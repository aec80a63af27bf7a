"""The demo as one more client of the api: what a program sees that holds a key."""

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError

_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Where the pages are, and a key to them."""

    url: str
    key: str

    @property
    def entrance(self) -> str:
        """The address that logs in: what stands after # never leaves the browser."""
        return f"{self.url}/login#{self.key}"

    def answers(self) -> bool:
        """Whether the api can be asked by now."""
        try:
            self._get("/api/v1/health")
        except (URLError, OSError):
            return False
        return True

    def states(self) -> Sequence[dict[str, Any]]:
        """The instruments with their live states; none while the api does not answer."""
        try:
            found: list[dict[str, Any]] = self._get("/api/v1/instruments")["instruments"]
        except (URLError, OSError):
            return ()
        return found

    def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.key}"})  # noqa: S310 - our own http address
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
            return json.load(answer)
