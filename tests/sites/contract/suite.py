"""All the cases, for a driver's test class to inherit."""

from tests.sites.contract.exiting import Exiting
from tests.sites.contract.fencing import Fencing
from tests.sites.contract.healing import Healing
from tests.sites.contract.imaging import Imaging, Preparing
from tests.sites.contract.keeping import Keeping
from tests.sites.contract.placing import Placing
from tests.sites.contract.reaching import Addressing, Reaching
from tests.sites.contract.reading import Reading
from tests.sites.contract.refusing import Refusing
from tests.sites.contract.restarting import Restarting
from tests.sites.contract.rig import Rig
from tests.sites.contract.running import Running
from tests.sites.contract.script import Script
from tests.sites.contract.storing import Storing
from tests.sites.contract.using import Using
from tests.sites.contract.watching import Watching

__all__ = [
    "Addressing",
    "Exiting",
    "Fencing",
    "Healing",
    "Imaging",
    "Keeping",
    "Placing",
    "Preparing",
    "Reaching",
    "Reading",
    "Refusing",
    "Restarting",
    "Rig",
    "Running",
    "Script",
    "Storing",
    "Using",
    "Watching",
    "WorkloadsContract",
]


class WorkloadsContract(
    Running,
    Exiting,
    Fencing,
    Healing,
    Reading,
    Storing,
    Watching,
    Restarting,
    Reaching,
    Refusing,
):
    """Every rule of ``skerry.sites.contract.Workloads``. Give it a ``rig`` fixture."""
