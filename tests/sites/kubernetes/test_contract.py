"""A real cluster passes the suite that every driver passes.

Every time: what starts, ends, is reached and comes back; the rest of it takes minutes more and runs
with the long tests.
"""

import pytest

from tests.sites.contract.suite import (
    Exiting,
    Fencing,
    Healing,
    Reaching,
    Reading,
    Refusing,
    Restarting,
    Running,
    Storing,
    Watching,
)


class TestCluster(Running):
    pass


@pytest.mark.long
class TestClusterBeside(
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
    pass
