"""Several simulators held against the same people: realism beside cost, copying and reactions."""

from convsim.battery.side_by_side.compare import compare
from convsim.battery.side_by_side.contenders import Simulators
from convsim.battery.side_by_side.document import Comparison, People, SimulatorReport

__all__ = ["Comparison", "People", "SimulatorReport", "Simulators", "compare"]
