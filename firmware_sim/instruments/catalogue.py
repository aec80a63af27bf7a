"""The instrument classes by the names that scenarios use."""

from firmware_sim.instruments.chromatograph import CHROMATOGRAPH
from firmware_sim.instruments.microscope import MICROSCOPE
from firmware_sim.instruments.mode import InstrumentClass
from firmware_sim.instruments.spectrometer import SPECTROMETER

CLASSES: dict[str, InstrumentClass] = {
    "chromatograph": CHROMATOGRAPH,
    "microscope": MICROSCOPE,
    "spectrometer": SPECTROMETER,
}
