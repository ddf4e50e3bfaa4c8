"""The shed: a driver from beside the house. What it drives is simulated."""

from skerry.sites.contract import Manifest
from skerry.sites.simulated.config import read
from skerry.sites.simulated.driver import Simulated


class Shed(Simulated):
    """Everything a simulated site does, in a garden."""


MANIFEST = Manifest(
    name="shed",
    title="Garden shed",
    capabilities=frozenset({"Workloads"}),
    isolations=("process", "sandbox"),
    open=Shed.open,
    check=read,
)
