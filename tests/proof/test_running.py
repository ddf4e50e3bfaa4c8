"""The log as it runs: it follows the feed, and tells a person when it cannot go on."""

import asyncio
import errno
from pathlib import Path

import pytest

from skerry.kernel import alerts
from skerry.proof import log


async def _until(check):
    async with asyncio.timeout(30):
        while not await check():
            await asyncio.sleep(0.02)


async def test_running_follows_the_feed_and_tells_of_a_refusal(cloud, monkeypatch):
    running = asyncio.create_task(cloud.log.run(0.01))
    try:
        await cloud.record(2)
        await cloud.sequence()
        cloud.db.notify("feed")

        async def covered():
            # The file is written by then, too, and is not written again.
            last = cloud.log._settled
            return last and last.size == 2

        await _until(covered)
        note = (cloud.directory / "checkpoint").read_text()
        (cloud.directory / "checkpoint").write_text("nonsense")
        cloud.log._settled = None

        async def alerted():
            return [row["message"] for row in await alerts.open_alerts(cloud.db)]

        await _until(alerted)
        assert "not a signed note" in (await alerted())[0]
        (cloud.directory / "checkpoint").write_text(note)

        async def calm():
            return not await alerted()

        await _until(calm)

        def full(self, target):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", full)
            await cloud.record(1)
            await cloud.sequence()
            await _until(alerted)
            assert "cannot be written: No space left" in (await alerted())[0]
        await _until(calm)
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_an_alert_of_an_earlier_run_is_cleared(cloud):
    async with cloud.db.transaction() as tx:
        await alerts.raise_alert(tx, subject="log", reason="stopped", message="m", remedy="r")
    running = asyncio.create_task(cloud.log.run(0.01))

    async def calm():
        return not await alerts.open_alerts(cloud.db)

    await _until(calm)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_running_waits_for_a_database_that_is_away(cloud, monkeypatch):
    monkeypatch.setattr(log, "RETRY_SECONDS", 0.01)
    await cloud.db.execute("alter table feed rename to away")
    running = asyncio.create_task(cloud.log.run(0.01))
    try:
        await asyncio.sleep(0.2)
        assert not running.done()
        await cloud.db.execute("alter table away rename to feed")
        await _until(cloud.log.checkpoint)
    finally:
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
