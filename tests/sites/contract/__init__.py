"""The contract suite: what every driver must pass, whatever runs the workloads.

A driver's test module makes a ``Rig`` (see ``rig``) and inherits all the cases::

    class TestSimulated(WorkloadsContract):
        @pytest.fixture
        async def rig(self, tmp_path): ...

The cases say what a workload does with a ``Script``, and the rig renders it: as a shell command
for drivers that run real programs, as the twin's own language for the simulated site. Nothing is
skipped: a verb that a driver can't do stands in its manifest's ``lacks`` with the reason, and
the suite then checks that the verb is refused with those words.
"""

import pytest

for module in (
    "exiting",
    "fencing",
    "healing",
    "imaging",
    "keeping",
    "reaching",
    "reading",
    "refusing",
    "restarting",
    "rig",
    "running",
    "storing",
    "using",
    "watching",
):
    pytest.register_assert_rewrite(f"{__name__}.{module}")
