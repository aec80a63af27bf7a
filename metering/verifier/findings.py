"""What the steps find, gathered: bounded in size, never silent."""

from dataclasses import dataclass, field
from typing import Any, Final

from metering.verifier.steps import KINDS, STEPS, Kind, Weight

_EXAMPLES: Final = 5
_LONGEST: Final = 200


def shown(words: str) -> str:
    """A text from a hostile pack as it may be shown: no character that moves a cursor or turns a line around."""
    cut = words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
    return "".join(sign if sign.isprintable() else " " if sign.isspace() else "�" for sign in cut)


@dataclass(slots=True)
class _Found:
    count: int = 0
    examples: list[str] = field(default_factory=list)


class RejectedError(Exception):
    """What was found leaves nothing that further steps could stand on."""


class Findings:
    """Findings by kind: how often, and the first few of them in words.

    Attributes:
        checked: codes of the steps that were carried out, however they ended.
    """

    def __init__(self) -> None:
        self._found: dict[str, _Found] = {}
        self.checked: set[str] = set()

    def add(self, name: str, what: str, count: int = 1) -> None:
        """Note something found; `name` is one of `steps.KINDS`."""
        found = self._found.setdefault(KINDS[name].name, _Found())
        found.count += count
        if len(found.examples) < _EXAMPLES:
            found.examples.append(shown(what))

    def stop(self, name: str, what: str) -> RejectedError:
        """Note something after which nothing can be checked; raise what is returned."""
        self.checked.add(KINDS[name].code)
        self.add(name, what)
        return RejectedError(what)

    def stop_if_rejected(self) -> None:
        """End here if anything so far rejects the pack.

        Raises:
            RejectedError: it does.
        """
        if self.codes():
            raise RejectedError("rejected by an earlier step")

    def kinds(self) -> list[Kind]:
        """What was found, in the order of the steps."""
        return [kind for name, kind in KINDS.items() if name in self._found]

    def codes(self) -> list[str]:
        """Codes of the steps that reject the pack, each once, rising."""
        return sorted({kind.code for kind in self.kinds() if kind.weight is Weight.REJECTS})

    def has(self, weight: Weight) -> bool:
        """Whether anything of this weight was found."""
        return any(kind.weight is weight for kind in self.kinds())

    def steps(self) -> list[dict[str, Any]]:
        """All twenty steps for a report: code, words, status and findings."""
        return [
            {
                "code": step.code,
                "zh": step.zh,
                "en": step.en,
                "status": self._status(step.code) if step.built else "not checked yet",
                "findings": [self._finding(kind) for kind in self.kinds() if kind.code == step.code],
            }
            for step in STEPS
        ]

    def _status(self, code: str) -> str:
        weights = {kind.weight for kind in self.kinds() if kind.code == code}
        if Weight.REJECTS in weights:
            return "failed"
        if code not in self.checked:
            return "not reached"
        return "noted" if weights else "ok"

    def _finding(self, kind: Kind) -> dict[str, Any]:
        found = self._found[kind.name]
        return {
            "name": kind.name,
            "weight": kind.weight.value,
            "zh": kind.zh,
            "en": kind.en,
            "count": found.count,
            "examples": found.examples,
        }
