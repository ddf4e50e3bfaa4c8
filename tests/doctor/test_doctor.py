"""The doctor finds what is wrong, says what to do, and finds nothing where nothing is."""

import asyncio
import json
import os
import socket
import ssl
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner

from skerry.doctor import Report, database, directory, machine
from skerry.doctor.command import doctor, lines
from skerry.gateway.authority import Authority, found
from skerry.kernel import alerts
from skerry.sites.local.engines.base import Unusable
from skerry.store import Database


def told(report: Report, level: str = "") -> dict[str, str]:
    """Messages by what they are about, of one level or of all but the good ones."""
    kept = [f for f in report.findings if (f.level == level if level else f.level != "ok")]
    for finding in report.findings:
        assert bool(finding.remedy) == (finding.level != "ok"), finding
    return {finding.about: finding.message for finding in kept}


class TestTheMachine:
    def test_this_one_is_well(self, tmp_path: Path) -> None:
        report = Report()
        machine.disk(report, tmp_path / "data")
        machine.files(report)
        machine.cgroups(report)
        machine.namespaces(report)
        machine.engines(report)
        assert not report.breaks, lines(report)
        assert {f.about for f in report.findings} >= {"disk", "files", "engines", "network"}

    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for low, level in ((machine.LOW, "warning"), (machine.EMPTY, "broken")):
            real = os.statvfs(tmp_path)
            left = os.statvfs_result((*real[:4], (low - 1) // real.f_frsize, *real[5:]))
            monkeypatch.setattr(os, "statvfs", lambda path, left=left: left)
            report = Report()
            machine.disk(report, tmp_path)
            assert "are free" in told(report, level)["disk"]
            monkeypatch.undo()

    def test_a_disk_that_can_not_be_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(**_: object) -> None:
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
        report = Report()
        machine.disk(report, tmp_path)
        assert "Read-only" in told(report, "broken")["disk"]

    def test_nothing_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def missing(program: str) -> str:
            raise Unusable(f"{program} is not installed")

        monkeypatch.setattr(machine, "find", missing)
        report = Report()
        machine.engines(report)
        assert "runc is not installed" in told(report, "broken")["engines"]
        assert set(told(report, "warning")) == {"network", "images", "volumes"}
        remedies = " ".join(finding.remedy for finding in report.findings)
        for package in ("runc", "bubblewrap", "nftables", "skopeo umoci", "e2fsprogs"):
            assert package in remedies

    def test_no_namespaces(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(machine, "_ran", lambda *command: "unshare: not permitted")
        report = Report()
        machine.namespaces(report)
        assert "not permitted" in told(report)["user namespaces"]

    @pytest.mark.parametrize(("hard", "level"), [(100, "broken"), (2048, "warning"), (-1, "ok")])
    def test_few_files(self, monkeypatch: pytest.MonkeyPatch, hard: int, level: str) -> None:
        monkeypatch.setattr(machine.resource, "getrlimit", lambda _: (hard, hard))
        report = Report()
        machine.files(report)
        assert report.findings[0].level == level

    @pytest.mark.parametrize("controllers", ["", "cpu,cpuacct"])
    def test_no_control_groups(self, monkeypatch: pytest.MonkeyPatch, controllers: str) -> None:
        text = f"1 2 0:3 / /sys/fs/cgroup/x rw - cgroup cgroup {controllers}"
        real = machine.mounts
        monkeypatch.setattr(machine, "mounts", lambda _: real(text))
        report = Report()
        machine.cgroups(report)
        assert "memory" in told(report, "warning")["cgroups"]

    def test_a_port_that_is_taken_and_by_whom(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            listen = f"127.0.0.1:{server.getsockname()[1]}"
            report = Report()
            machine.port(report, listen)
        assert f"process {os.getpid()}" in told(report, "broken")["port"]
        machine.port(report, "no.such.host.invalid:1")
        assert report.findings[-1].level == "broken"
        machine.port(report, "[::1]:0")


class TestTheDirectory:
    def test_none_is_no_fault(self, tmp_path: Path) -> None:
        report = Report()
        assert directory.look(report, tmp_path / "none") == ""
        assert not report.breaks
        assert "there is no cloud" in told(report, "note")["data"]

    def test_open_to_others(self, tmp_path: Path) -> None:
        keys = tmp_path / "keys"
        keys.mkdir()
        tmp_path.chmod(0o755)
        for name in ("log.key", "seal.json"):
            (keys / name).write_text("a key")
            (keys / name).chmod(0o644)
        (keys / "lock").touch(0o644)
        report = Report()
        directory.look(report, tmp_path)
        assert "open to other users" in told(report, "warning")["data"]
        assert "log.key, seal.json" in told(report, "broken")["keys"]

    def test_a_lost_key(self, tmp_path: Path) -> None:
        (tmp_path / "postgres/cluster").mkdir(parents=True)
        (tmp_path / "keys").mkdir()
        (tmp_path / "keys/log.key").touch(0o600)
        report = Report()
        directory.look(report, tmp_path)
        assert "seal.json is missing" in told(report, "warning")["keys"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_somebody_elses(self, tmp_path: Path) -> None:
        (tmp_path / "postgres").mkdir()
        os.chown(tmp_path / "postgres", 12345, -1)
        os.chown(tmp_path, 12345, -1)
        report = Report()
        directory.look(report, tmp_path)
        assert "12345" in told(report, "broken")["data"]

    @pytest.mark.parametrize("text", ["no json", "{}", '{"url": "http://127.0.0.1:9", "pid": "x"}'])
    def test_what_can_not_be_read(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "server.json").write_text(text)
        report = Report()
        assert directory.running(report, tmp_path) == ""
        assert "can't be read" in told(report, "warning")["server"]

    def test_a_server_that_was_killed(self, tmp_path: Path) -> None:
        dead = {"url": "http://127.0.0.1:9", "pid": 2**22 + 1}
        (tmp_path / "server.json").write_text(json.dumps(dead))
        report = Report()
        assert directory.running(report, tmp_path) == ""
        assert "ended without a word" in told(report, "warning")["server"]

    def test_a_server_that_does_not_answer(self, tmp_path: Path) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}"
            (tmp_path / "server.json").write_text(json.dumps({"url": url, "pid": os.getpid()}))
            report = Report()
            assert directory.running(report, tmp_path) == url
        assert "not ready" in told(report, "broken")["server"]

    def test_a_lock_that_somebody_holds(self, tmp_path: Path) -> None:
        import fcntl

        (tmp_path / "agent").mkdir()
        with (tmp_path / "agent/lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            report = Report()
            directory.running(report, tmp_path)
        assert "agent/lock" in told(report, "warning")["server"]

    def test_certificates(self, tmp_path: Path) -> None:
        (tmp_path / "gateway").mkdir()
        authority = Authority(*found("test"))
        chain, _ = authority.issue("a.example")
        (tmp_path / "gateway/a.pem").write_bytes(chain)
        (tmp_path / "gateway/b.pem").write_text("nonsense")
        report = Report()
        directory.certificates(report, tmp_path)
        assert [finding.level for finding in report.findings] == ["ok"]
        now = datetime.now(UTC)
        for ends, level in ((now, "broken"), (now + timedelta(days=3), "warning")):
            directory.expiry(report, "it", ends, now)
            assert report.findings[-1].level == level

    async def test_the_certificate_that_a_server_shows(self, tmp_path: Path) -> None:
        chain, key = Authority(*found("test")).issue("localhost")
        (tmp_path / "both.pem").write_bytes(chain + key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "both.pem")
        server = await asyncio.start_server(
            lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context
        )
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        report = Report()
        async with server:
            await asyncio.to_thread(directory.shown, report, url)
        assert [finding.level for finding in report.findings] == ["ok"]
        directory.shown(report, url)
        assert report.findings[-1].level == "broken"
        directory.shown(report, "http://127.0.0.1:9")
        assert len(report.findings) == 2


class TestTheDatabase:
    async def look(self, url: str, tmp_path: Path, up: bool = True) -> Report:
        report = Report()
        await database.look(report, tmp_path, url, up)
        return report

    async def test_one_that_forgets_is_broken(self, pg_url: str, tmp_path: Path) -> None:
        """Those of the tests do, to be fast."""
        report = await self.look(pg_url, tmp_path)
        assert "fsync" in told(report, "broken")["database"]
        assert set(told(report)) == {"database"}
        assert {f.about for f in report.findings} == {
            "database", "migrations", "clock", "work", "log", "alerts",
        }  # fmt: skip

    async def test_alerts_come_with_their_remedy(
        self, db: Database, pg_url: str, tmp_path: Path
    ) -> None:
        async with db.transaction() as tx:
            await alerts.raise_alert(
                tx, subject="jobs/x", reason="Lost", message="it is lost", remedy="find it"
            )
        report = await self.look(pg_url, tmp_path)
        [alert] = [finding for finding in report.findings if finding.about == "alert"]
        assert (alert.message, alert.remedy) == ("jobs/x: it is lost", "find it")

    async def test_work_that_nobody_takes(self, db: Database, pg_url: str, tmp_path: Path) -> None:
        async with db.transaction() as tx:
            await tx.execute("set local session_replication_role = replica")  # of no resource
            await tx.execute(
            "insert into flow (uid, kind, step, wake_at, entered_at, generation, lease_until)"
            " values ($1, 'job', 'begin', now() - interval '1 hour', now(), 1,"
            " now() - interval '1 hour')", uuid.uuid4(),
        )  # fmt: skip
        assert "1 flows wait" in told(await self.look(pg_url, tmp_path))["work"]
        assert "work" not in told(await self.look(pg_url, tmp_path, up=False))

    async def test_a_site_in_silence_and_a_certificate_that_ends(
        self, db: Database, pg_url: str, tmp_path: Path
    ) -> None:
        await db.execute(
            "insert into site_contact (at, last_seen_at) values ('s', now() - interval '1h')"
        )
        await db.execute(
            "insert into gateway_certificate (host, source, not_after, renew_at, problem)"
            " values ('a.example', 'acme', now() + interval '1 day', now(), 'refused')"
        )
        report = await self.look(pg_url, tmp_path)
        assert "s has not been heard" in told(report)["sites"]
        assert [f.level for f in report.findings if f.about == "certificates"] == ["warning"] * 2

    async def test_a_transaction_that_somebody_left_open(
        self, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = await asyncpg.connect(pg_url)
        try:
            await other.execute("begin; select 1")
            short = database._sql.settings.replace("'1 minute'", "'0 minute'")
            monkeypatch.setattr(database, "_sql", _With(database._sql, settings=short))
            report = await self.look(pg_url, tmp_path)
            # Not how many: tests beside this one have sessions on the same server.
            assert "sessions sit in a transaction" in told(report, "warning")["database"]
        finally:
            other.terminate()

    async def test_a_clock_that_is_off(
        self, pg_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = database.time.time
        for ahead, level in ((-10, "warning"), (3600, "broken")):
            monkeypatch.setattr(database.time, "time", lambda ahead=ahead: real() + ahead)
            assert told(await self.look(pg_url, tmp_path), level)["clock"]

    async def test_an_older_and_a_newer_schema(
        self, db: Database, pg_url: str, tmp_path: Path
    ) -> None:
        newest = await db.fetchval("select max(number) from migration")
        await db.execute("update migration set number = 9999 where number = $1", newest)
        assert "newer than this" in told(await self.look(pg_url, tmp_path), "broken")["migrations"]
        await db.execute("delete from migration where number = 9999")
        assert "migrations" in told(await self.look(pg_url, tmp_path), "note")
        await db.execute("drop table migration")
        assert "empty" in told(await self.look(pg_url, tmp_path), "note")["migrations"]

    async def test_none_is_reached(self, tmp_path: Path) -> None:
        url = f"postgresql://skerry@/x?host={tmp_path}"
        assert told(await self.look(url, tmp_path), "broken")["database"]
        assert not (await self.look("", tmp_path)).findings

    async def test_one_of_another_time(self, tmp_path: Path) -> None:
        cluster = tmp_path / "postgres/cluster"
        cluster.mkdir(parents=True)
        assert "can't be read" in told(await self.look("", tmp_path), "broken")["database"]
        (cluster / "PG_VERSION").write_text("9\n")
        assert "PostgreSQL 9" in told(await self.look("", tmp_path), "broken")["database"]
        (cluster / "PG_VERSION").write_text("18\n")
        assert "not running" in told(await self.look("", tmp_path, up=False), "note")["database"]
        assert told(await self.look("", tmp_path), "broken")["database"]


class _With:
    """Queries, some of them others."""

    def __init__(self, queries: object, **others: str) -> None:
        self._queries, self._others = queries, others

    def __getattr__(self, name: str) -> str:
        return self._others.get(name) or getattr(self._queries, name)


def test_the_command_says_it_to_people_and_programs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        listen = f"127.0.0.1:{server.getsockname()[1]}"
        words = ["--data", str(tmp_path / "none"), "--listen", listen]
        done = CliRunner().invoke(doctor, words)
        assert done.exit_code == 1
        assert "BROKEN   port" in done.output
        assert "→ End what listens there" in done.output
        done = CliRunner().invoke(doctor, [*words, "-o", "json"])
        assert done.exit_code == 1
        assert {"broken"} == {f["level"] for f in json.loads(done.output) if f["about"] == "port"}
    assert CliRunner().invoke(doctor, words).exit_code == 0
