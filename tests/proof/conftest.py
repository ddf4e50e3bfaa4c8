"""A cloud with some history: changes recorded, sequenced and published."""

import asyncio

import pytest

from skerry.kernel import changes
from skerry.kernel.sequencer import Sequencer
from skerry.proof import audit
from skerry.proof.log import Log
from skerry.proof.note import Signer


@pytest.fixture(autouse=True)
def _no_witness_of_things(monkeypatch):
    """Other tests have kinds of that name, and watch over them for the rest of their process."""
    monkeypatch.delitem(changes.WITNESSES, "thing", raising=False)


class Cloud:
    """One database, one log, and short ways to write what tests need."""

    def __init__(self, db, directory, signer):
        self.db = db
        self.directory = directory
        self.signer = signer
        self.log = Log(db, directory, signer)

    def again(self):
        """The log as another process would open it."""
        self.log = Log(self.db, self.directory, self.signer)
        return self.log

    async def record(self, count=1, *, kind="thing", subject=None, body=None, **more):
        more = {"verb": "put", "tenant": "acme", "actor": "ann@acme", **more}
        async with self.db.transaction() as tx:
            return [
                await changes.record(
                    tx, kind=kind, subject=subject or f"things/{i}", version=i + 1,
                    body={"number": i} if body is None else body, **more,
                )
                for i in range(count)
            ]  # fmt: skip

    async def sequence(self):
        """Until every change has its place; transactions of other databases hold it up too."""
        sequencer = Sequencer(self.db)
        async with asyncio.timeout(60):
            while await sequencer.waiting():
                if not await sequencer.run_once():
                    await asyncio.sleep(0.01)

    async def published(self, count=1, **more):
        """Record, sequence and publish."""
        ids = await self.record(count, **more)
        await self.sequence()
        await self.log.publish()
        return ids


@pytest.fixture
def signer(tmp_path):
    return Signer.open(tmp_path / "keys" / "log.key", "skerry/test")


@pytest.fixture
def cloud(db, tmp_path, signer):
    return Cloud(db, tmp_path / "log", signer)


@pytest.fixture
def no_foreign_witnesses(monkeypatch):
    """For tests of the audit: the witnesses are those that the test brings."""
    monkeypatch.setattr(changes, "WITNESSES", {})
    monkeypatch.setattr(audit, "WITNESSES", changes.WITNESSES)
    monkeypatch.setattr(audit, "EXPLAINS", {})


@pytest.fixture
def found(cloud, no_foreign_witnesses):
    """Run the audit: what it says, as texts."""

    async def run():
        said = await audit.verify(cloud.db, cloud.directory, cloud.signer.vkey)
        return [str(one) for one in said]

    return run
