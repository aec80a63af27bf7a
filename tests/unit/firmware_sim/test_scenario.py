import tomllib
from pathlib import Path

import pytest

from firmware_sim.scenario import LinkCut, ScenarioError, load, parse

NINE_O_CLOCK_MS = 1_741_568_400_000

BAD = """
start = 2025-03-10T09:00:00
duration_s = 0
sped = 3

[[instrument]]
id = "Spectrometer 1"
class = "toaster"
colour = "red"

[[instrument]]
id = "two"
class = "microscope"
fault = [
  { kind = "fire", from_s = "soon", to_s = 5, why = 1 },
]

[[instrument]]
id = "two"
class = ["microscope"]
fault = "none"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse(tomllib.loads(text))
    return caught.value.faults


def test_the_demo_is_three_hours_of_four_instruments() -> None:
    demo = load("demo")
    assert (demo.start_ms, demo.end_ms) == (NINE_O_CLOCK_MS, NINE_O_CLOCK_MS + 10_800_000)
    cut = LinkCut(from_ms=NINE_O_CLOCK_MS + 4_500_000, to_ms=NINE_O_CLOCK_MS + 5_100_000)
    assert [(spec.id, spec.class_name, spec.cuts) for spec in demo.instruments] == [
        ("spectrometer-1", "spectrometer", ()),
        ("chromatograph-1", "chromatograph", ()),
        ("chromatograph-2", "chromatograph", (cut,)),
        ("microscope-1", "microscope", ()),
    ]


def test_every_fault_is_listed_under_its_key() -> None:
    assert [fault.split(":")[0] for fault in faults(BAD)] == [
        "sped",
        "start",
        "duration_s",
        "instrument[0].colour",
        "instrument[0].id",
        "instrument[0].class",
        "instrument[1].fault[0].why",
        "instrument[1].fault[0].kind",
        "instrument[1].fault[0].from_s",
        "instrument[1].fault[0].to_s",
        "instrument[2].class",
        "instrument[2].fault",
        "instrument[2].id",
    ]


@pytest.mark.parametrize(
    ("cuts", "key"),
    [
        ([(50, 40)], "instrument[0].fault[0].to_s"),
        ([(50, 101)], "instrument[0].fault[0].to_s"),
        ([(10, 30), (20, 40)], "instrument[0].fault"),
        ([(50, 60), (10, 20)], "instrument[0].fault"),
    ],
)
def test_link_cuts_must_make_sense(cuts: list[tuple[int, int]], key: str) -> None:
    tables = ", ".join(f'{{kind = "link-cut", from_s = {from_s}, to_s = {to_s}}}' for from_s, to_s in cuts)
    text = f"""
    start = 2025-03-10T09:00:00+08:00
    duration_s = 100
    instrument = [{{id = "one", class = "microscope", fault = [{tables}]}}]
    """
    assert [fault.split(":")[0] for fault in faults(text)] == [key]


def test_a_lab_needs_an_instrument() -> None:
    assert faults("start = 2025-03-10T09:00:00Z\nduration_s = 60") == ["instrument: at least one is needed"]


def test_a_file_that_cannot_be_read_is_a_fault_of_the_scenario(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("start = ")
    for name in (broken, tmp_path / "absent.toml"):
        with pytest.raises(ScenarioError, match=name.name):
            load(str(name))
