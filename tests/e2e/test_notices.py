"""What was posted reaches a real mail server, though that was away and the whole cloud was killed
meanwhile."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.conftest import Cloud, until
from tests.harness.ports import free_port
from tests.notices.conftest import PostOffice

pytestmark = pytest.mark.long
NOTICES = "/providers/skerry.notices/v1/tenants/operator/notices"


@contextmanager
def open_beside(office: PostOffice) -> Iterator[None]:
    """A mail server on a loop of its own."""
    loop, over, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def serve() -> None:
        async with office.open():
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def test_an_invitation_arrives_though_everything_was_killed(tmp_path: Path) -> None:
    office = PostOffice(port=free_port())
    cloud = Cloud(
        tmp_path, "--no-agent", "--gateway", "none", "--smtp", f"127.0.0.1:{office.port}",
        "--smtp-tls", "none", "--mail-from", "cloud@provider.example",
    )  # fmt: skip
    cloud.start()
    try:

        def waits() -> bool:
            items = cloud.get(NOTICES)["items"]
            told = [one["status"]["deliveries"] for one in items]
            return any("can't be reached" in d.get("problem", "") for one in told for d in one)

        asked = cloud.skerry("invitation", "create", "ann", "--email", "ann@acme.example")
        assert "http" not in asked.stdout, "the link goes to whom it is for"
        until(waits, cloud.tail, cloud.process)
        cloud.kill()
        with open_beside(office):
            cloud.start()
            until(lambda: office.taken, cloud.tail, cloud.process)
            until(
                lambda: {one["status"]["phase"] for one in cloud.get(NOTICES)["items"]} == {"sent"},
                cloud.tail,
                cloud.process,
            )
        (mail,) = office.taken
        body = mail.get_body(("plain",))
        assert body is not None
        link = next(line for line in body.get_content().splitlines() if line.startswith("http"))
        secret = link.rpartition("=")[2] or link.rpartition("/")[2]
        assert secret not in cloud.skerry("notice", "list", "-o", "json").stdout
        assert secret not in cloud.log.read_text()
    finally:
        cloud.stop()
    audit = cloud.audit()
    assert audit.returncode == 0, audit.stdout
