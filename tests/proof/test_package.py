"""The auditor's package: all that happened in a tenant, checked offline, and not to be doctored."""

import base64
import hashlib
import io
import json
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from skerry.kernel.errors import Unavailable
from skerry.proof import package, verify
from skerry.proof.package import Package, Period
from tests.proof.conftest import Cloud

EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
UID = str(uuid.uuid4())


def vouches(kind: str, verb: str) -> package.Evidence:
    return "attested-host" if verb == "status" else "declared"


async def made(cloud: Cloud, tenant: str = "acme", begin=EVER[0], end=EVER[1]) -> bytes:
    file = Package(cloud.db, cloud.log, Period(tenant, begin, end), vouches)
    return b"".join([line async for line in file.lines()])


def facts(cloud: Cloud, data: bytes) -> list[str]:
    key = verify.Key.parse(cloud.signer.vkey)
    what, lines = verify.check(io.BytesIO(data), key)
    assert what == "audit"
    return lines


async def life(cloud: Cloud) -> None:
    """A thing with five versions, a look at it, another tenant's thing, and a backup of all."""
    await cloud.record(5, subject="things/a", verb="status", body={"uid": UID, "version": 0})
    await cloud.record(1, subject="things/a", kind="look", verb="logs", actor="root@operator")
    await cloud.record(3, tenant="other")
    await cloud.record(1, tenant="operator", kind="backup", verb="take", subject="skerry-1.tar")
    await cloud.sequence()
    await cloud.log.publish()


async def test_it_holds_all_that_is_of_the_tenant(cloud: Cloud) -> None:
    await life(cloud)
    lines = facts(cloud, await made(cloud))
    assert lines[0].startswith("audit of tenant acme, from 2020-01-01T00:00:00+00:00 to ")
    assert lines[1].endswith("from a log of 10 changes")
    assert lines[2:] == [
        "7 changes: 1 of backup, 1 of look, 5 of thing",
        "  5 attested by the host, as the operator passes it on",
        "  2 declared by the operator",
        "  no version left out of 1 resources",
    ]
    assert "1 changes: 1 of backup" in facts(cloud, await made(cloud, "nobody"))[2]


async def test_anyone_can_check_it_with_the_one_file(cloud: Cloud, tmp_path: Path) -> None:
    await life(cloud)
    (tmp_path / "audit.jsonl").write_bytes(await made(cloud))
    script = tmp_path / "verify.py"
    script.write_text(Path(verify.__file__).read_text())
    command = [sys.executable, "-I", str(script), str(tmp_path / "audit.jsonl"), "--key"]
    done = subprocess.run(
        [*command, cloud.signer.vkey], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "audit OK"), done.stderr
    text = (tmp_path / "audit.jsonl").read_text().replace("root@operator", "ann@acme")
    (tmp_path / "audit.jsonl").write_text(text)
    done = subprocess.run(
        [*command, cloud.signer.vkey], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "actor: is not what was logged" in done.stderr


async def test_a_doctored_one_fails_and_says_where(cloud: Cloud) -> None:
    await life(cloud)
    good = (await made(cloud)).splitlines(keepends=True)

    def told(lines: list[bytes]) -> str:
        with pytest.raises(verify.Failed) as failed:
            facts(cloud, b"".join(lines))
        return str(failed.value)

    look = next(n for n, line in enumerate(good) if b'"leaf"' in line and b"root@op" in line)
    assert "over other lines" in told(good[:look] + good[look + 1 :])
    assert "stands twice" in told([*good[:2], good[1], *good[2:]])
    assert "over other lines" in told([good[0], good[2], good[1], *good[3:]])
    assert "the seal is missing" in told(good[:-1])
    assert "stands after the seal" in told([*good, good[1]])
    moved = json.loads(good[1])
    moved["evidence"] = "attested-hardware"
    assert "over other lines" in told([good[0], _packed(moved), *good[2:]])
    head = json.loads(good[0])
    assert "over other lines" in told([_packed({**head, "tenant": "other"}), *good[1:]])
    assert "is by 'skerry/x'" in told([_packed({**head, "origin": "skerry/x"}), *good[1:]])
    moved = json.loads(good[1])
    moved["statement"]["position"] += 1
    assert "under the root given" in told([good[0], _packed(moved), *good[2:]])


def _packed(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


async def test_an_operator_who_leaves_a_version_out_is_found(cloud: Cloud) -> None:
    """Who has the signing key can seal what they like, but not a resource without its middle."""
    await life(cloud)
    good = (await made(cloud)).splitlines(keepends=True)
    less = [line for line in good[:-1] if b'\\"version\\":3' not in line]
    assert len(less) == len(good) - 2
    digest = hashlib.sha256(b"".join(less)).hexdigest()
    seal = cloud.signer.sign(verify.audit_seal(len(less) - 1, digest))
    end = {"statements": len(less) - 1, "sha256": digest, "seal": seal}
    with pytest.raises(verify.Failed, match="thing things/a: its version 3 was left out"):
        facts(cloud, b"".join([*less, _packed(end)]))


async def test_the_period_cuts_but_leaves_no_gap(cloud: Cloud) -> None:
    await life(cloud)
    rows = await cloud.db.fetch(
        "select id from change where subject = 'things/a' and kind = 'thing' order by version"
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    # The third version's transaction began after the period, the others within it.
    for hours, row in zip((1, 2, 30, 4, 5), rows, strict=False):
        at = start + timedelta(hours=hours)
        await cloud.db.execute("update change set at = $1 where id = $2", at, row["id"])
    data = await made(cloud, begin=start, end=start + timedelta(hours=10))
    assert facts(cloud, data)[2] == "5 changes: 5 of thing"
    data = await made(cloud, begin=start, end=start + timedelta(hours=2, minutes=1))
    assert facts(cloud, data)[2] == "2 changes: 2 of thing"


async def test_many_pages_make_one_file(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "PAGE", 7)
    await cloud.published(50)
    assert facts(cloud, await made(cloud))[2] == "50 changes: 50 of thing"


async def test_it_waits_for_the_log_and_says_so(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "WAIT", 0.05)
    await cloud.published(1)
    await cloud.record(1)
    with pytest.raises(Unavailable, match="not in a signed checkpoint yet"):
        await made(cloud)
    await cloud.sequence()
    with pytest.raises(Unavailable):
        await made(cloud)
    await cloud.log.publish()
    assert "2 changes" in facts(cloud, await made(cloud))[2]


@pytest.mark.parametrize(
    "data",
    [
        b'{"format":"skerry-audit/v1"',
        b'{"format":"skerry-audit/v1"}\n',
        b'{"format":"skerry-audit/v1","x":NaN}\n',
        b'{"format":"skerry-audit/v1"}\n' * 3,
        b'{"format":"skerry-audit/v1"\x00\xff' + base64.b64encode(b"x" * 999),
    ],
)
def test_what_is_none_is_refused_in_words(cloud: Cloud, data: bytes) -> None:
    with pytest.raises((verify.Failed, verify.Unreadable)):
        facts(cloud, data)
