"""The receipt of a job: what anyone can check offline is what was metered and charged."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from skerry.kernel.errors import Conflict, NotFound
from skerry.kernel.flows import Services
from skerry.kernel.hooks import SYSTEM
from skerry.kernel.resources import Resource
from skerry.kernel.views import Asked
from skerry.ledger import focus, invoices
from skerry.market.receipts import receipt
from skerry.proof import verify
from skerry.proof.log import Log
from skerry.proof.note import Signer
from skerry.proof.verify import Failed, Key
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script


def signer(cloud: Cloud) -> Signer:
    return Signer.open(cloud.folder / "log.key", "skerry/test")


async def receipt_of(cloud: Cloud, job: Resource) -> Mapping[str, Any]:
    log = Log(cloud.db, cloud.folder / "log", signer(cloud))
    asked = Asked(cloud.db, cloud.resources, Services(log), await cloud.read(job), SYSTEM)
    return await receipt(asked)


async def test_it_proves_what_was_used_and_charged(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().sleep(90).exit(0))
    await cloud.until(job, "succeeded")
    await cloud.audited()
    made = json.loads(json.dumps(await receipt_of(cloud, job)))
    assert made["title"] == "job job of acme"
    facts = "\n".join(verify.verify(json.dumps(made).encode(), Key.parse(signer(cloud).vkey)))
    assert job.ref in facts
    used = [
        json.loads(item["data"])
        for section in made["sections"]
        for item in section["items"]
        if "meter" in item["data"]
    ]
    assert sum(one["amount"] for one in used) == await cloud.charged(job) > 0
    item = next(i for s in made["sections"] for i in s["items"] if "meter" in i["data"])
    item["data"] = item["data"].replace('"quantity":', '"quantity":1')
    with pytest.raises(Failed):
        verify.verify(json.dumps(made).encode(), Key.parse(signer(cloud).vkey))


async def test_before_it_was_placed_there_is_none(cloud: Cloud) -> None:
    job = await cloud.job(script=Script().exit(0))
    with pytest.raises(Conflict, match="not been placed yet"):
        await receipt_of(cloud, job)


async def test_a_change_that_is_gone_is_named(cloud: Cloud) -> None:
    await cloud.site()
    job = await cloud.job(script=Script().sleep(5).exit(0))
    await cloud.until(job, "succeeded")
    await cloud.db.execute("update change set subject = 'elsewhere' where kind = 'lease'")
    with pytest.raises(NotFound, match="skerry audit verify"):
        await receipt_of(cloud, job)


async def test_usage_of_gpus_names_the_devices(cloud: Cloud) -> None:
    """In each record of it, on the invoice's line, in its export, and in what verify prints."""
    await cloud.site(gpus=[{"model": "H100", "count": 3}])
    job = await cloud.job(script=Script().sleep(90).exit(0), gpus=2)
    await cloud.until(job, "succeeded")
    await cloud.audited()
    devices = (await cloud.read(job)).status["tasks"][0]["gpus"]
    assert len(devices) == 2
    made = json.dumps(await receipt_of(cloud, job))
    records = [
        record
        for section in json.loads(made)["sections"]
        for item in section["items"]
        if (record := json.loads(item["data"])).get("meter")
    ]
    named = {record["meter"]: record.get("devices") for record in records}
    assert named == {"cpu-hour": None, "memory-gib-hour": None, "gpu-hour": devices}
    facts = verify.verify(made.encode(), Key.parse(signer(cloud).vkey))
    assert any(f"used: {', '.join(devices)}" in fact for fact in facts)
    async with cloud.db.transaction() as tx:
        invoice = await invoices.invoice(tx, "acme", (await tx.now()).date().replace(day=1))
    [line] = [line for line in invoice.lines if line.meter == "gpu-hour"]
    assert line.devices == tuple(sorted(devices))
    told = focus.table(invoice).to_pydict()
    assert dict(zip(told["SkuMeter"], told["x_Devices"], strict=True))["gpu-hour"] == " ".join(
        sorted(devices)
    )
