"""The page an evaluator reads names every step and every finding, as they are, and nothing else."""

import re
from pathlib import Path

from metering.verifier.gaps import CAUSES, REASONS
from metering.verifier.report import EXIT
from metering.verifier.steps import KINDS, STEPS

PAGE = (Path(__file__).parents[3] / "docs" / "verification.md").read_text("utf-8")


def test_the_page_lists_every_step_with_its_findings() -> None:
    rows = dict(re.findall(r"^\| (V\d\d) \|(.*)\|$", PAGE, re.MULTILINE))
    assert list(rows) == [step.code for step in STEPS]
    for step in STEPS:
        row = rows[step.code]
        assert f" {step.zh} " in row
        assert ("not checked yet" in row) != step.built
        said = {name: weight for weight, names in re.findall(r"(rejects|gap|noted): ((?:`[\w-]+`(?:, )?)+)", row)
                for name in re.findall(r"`([\w-]+)`", names)}  # fmt: skip
        assert said == {kind.name: kind.weight.value for kind in KINDS.values() if kind.code == step.code}


def test_the_page_lists_every_verdict_with_its_exit_status() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \|[^|]*\| (\d) \|", PAGE, re.MULTILINE))
    assert rows == {verdict.value: str(status) for verdict, status in EXIT.items()}


def test_every_word_for_people_is_there_in_both_languages() -> None:
    words = [(step.zh, step.en) for step in STEPS] + [(kind.zh, kind.en) for kind in KINDS.values()]
    assert all(zh and en and not zh.isascii() for zh, en in [*words, *REASONS.values(), *CAUSES.values()])
