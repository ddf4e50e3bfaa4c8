"""What a sandboxed task can see and do, and what not."""

import os
import sys
import uuid
from pathlib import Path

import pytest

from skerry.sites.contract import Refused, Workloads
from skerry.sites.local.config import read
from skerry.sites.local.driver import LocalDriver
from tests.sites.contract.rig import ended, log, put, run, running, workload
from tests.sites.contract.suite import Script
from tests.sites.local.rigs import LocalRig, config


async def sh(rig: LocalRig, site: Workloads, *lines: str, **changes: object) -> tuple[int, str]:
    """Exit code and whole log of a small script."""
    command = ("sh", "-c", "\n".join(lines))
    work = workload(rig, Script(), command=command, **changes)
    [task] = (await run(site, work)).tasks
    assert task.exit_code is not None, task
    return task.exit_code, await log(site, work.id)


class TestSight:
    async def test_nobodys_files_are_there(
        self, rig: LocalRig, site: Workloads, tmp_path: Path
    ) -> None:
        secret = tmp_path / "somebodys"
        secret.write_text("private")
        secret.chmod(0o644)
        code, said = await sh(
            rig,
            site,
            "ls -A /home /srv /mnt /opt /run /var/lib /var/log 2>/dev/null",
            "ls -A /root",
            f"cat '{secret}' /etc/shadow /etc/ssh/* && exit 1",
            "ls /etc/ssl/private && exit 1",
            "exit 0",
        )
        assert code == 0
        assert "private" not in said.replace("ssl/private", "")
        home = os.path.expanduser("~")
        for name in set(os.listdir(home)) - {Path(sys.base_prefix).relative_to("/").parts[1]}:
            assert f"\n{name}\n" not in said

    async def test_skerrys_own_data_is_not_there(self, rig: LocalRig, site: Workloads) -> None:
        data = rig.directory / "site"
        code, said = await sh(rig, site, f"ls {data} && exit 1", "exit 0")
        assert code == 0, said

    async def test_another_workload_is_not_there(self, rig: LocalRig, site: Workloads) -> None:
        other = workload(rig, Script().write("mine", "private").stay(), env={"OTHER": "private"})
        await site.apply(other, 1)
        await running(site, other.id)
        _code, said = await sh(
            rig,
            site,
            # What is the host's own and read-only is large, and nobody's workload.
            "find / -path /usr -prune -o -name mine -exec cat {} + 2>/dev/null",
            "cat /proc/*/environ | tr '\\0' '\\n' | grep OTHER",
            "ls /proc | grep -c '^[0-9]'",
        )
        assert "private" not in said
        assert int(said.split()[-1]) <= 6

    async def test_the_hosts_python_works(self, rig: LocalRig, site: Workloads) -> None:
        python = os.path.realpath(sys.executable)
        code, said = await sh(
            rig,
            site,
            "python3 -c 'import ssl, json, sqlite3; print(6*7)'",
            f"{python} -c 'import ctypes; print(6*9)'",
        )
        assert (code, said) == (0, "42\n54\n")

    async def test_the_descriptors_are_the_usual_three(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        program = "import os; print(sorted(os.listdir('/proc/self/fd')))"
        work = workload(rig, Script(), command=("python3", "-c", program))
        await run(site, work)
        # The fourth is the directory being listed.
        assert await log(site, work.id) == "['0', '1', '2', '3']\n"

    async def test_more_places_are_the_operators_choice(
        self, rig: LocalRig, tmp_path: Path
    ) -> None:
        place = tmp_path / "models"
        place.mkdir(mode=0o755)
        (place / "weights").write_text("heavy")
        engines = rig._more["engines"]
        data = rig.directory / "shared"
        driver = LocalDriver(read(config(data, engines=engines, binds=[str(place)])))
        try:
            work = workload(
                rig,
                Script(),
                command=(
                    "sh",
                    "-c",
                    f"cat {place}/weights; touch {place}/x 2>/dev/null || echo no",
                ),
            )
            await run(driver, work)
            said = await log(driver, work.id)
            assert said.startswith("heavy")
            assert said.endswith("no\n")
            await driver.delete(work.id, 1)
        finally:
            await driver.close()

    @pytest.mark.parametrize("place", ["/", "/root", "/home", "relative/path", "/etc", "~"])
    async def test_whole_homes_are_no_choice(self, tmp_path: Path, place: str) -> None:
        driver = LocalDriver(read(config(tmp_path, binds=[os.path.expanduser(place)])))
        with pytest.raises(ValueError, match="no place that tasks may see"):
            await driver.list()
        await driver.close()


class TestRights:
    async def test_it_is_nobody_special(self, rig: LocalRig, site: Workloads) -> None:
        _code, said = await sh(
            rig,
            site,
            "id -u",
            "id -un",
            "grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status",
        )
        uid, name, *status = said.splitlines()
        assert int(uid) not in (0, os.getuid())
        assert name == "skerry"
        found = dict(line.split(":\t", 1) for line in status)
        assert {int(value, 16) for key, value in found.items() if key.startswith("Cap")} == {0}
        assert found["NoNewPrivs"] == "1"
        assert found["Seccomp"] == "2"

    async def test_no_two_have_the_same_user(self, rig: LocalRig, site: Workloads) -> None:
        works = [
            workload(rig, Script(), command=("sh", "-c", "id -u; sleep 1000"), tasks=2)
            for _ in range(2)
        ]
        said = set()
        for work in works:
            await site.apply(work, 1)
        for work in works:
            for rank in range(2):
                async for chunk in site.logs(work.id, rank, 0, True):
                    said.add(chunk.data)
                    break
        assert len(said) == 4

    @pytest.mark.parametrize(
        "place", ["/usr/x", "/bin/x", "/etc/x", "/x", "/root/x", "/proc/sys/kernel/domainname"]
    )
    async def test_the_host_can_not_be_written(
        self, rig: LocalRig, site: Workloads, place: str
    ) -> None:
        code, _ = await sh(rig, site, f"echo evil > {place}")
        assert code != 0
        assert place.startswith("/proc") or not Path(place).exists()

    async def test_its_own_places_can_be_written(self, rig: LocalRig, site: Workloads) -> None:
        code, said = await sh(
            rig,
            site,
            "set -e",
            'test "$(pwd)" = /work -a "$HOME" = /work',
            "echo a > a; mkdir -p b/c; echo a > /tmp/a; echo a > /var/tmp/b; echo a > /dev/shm/a",
            "cat a /tmp/a",
        )
        assert (code, said) == (0, "a\na\n")

    @pytest.mark.parametrize(
        "attempt",
        [
            "mount -t tmpfs none /tmp",
            "unshare -U true",
            "unshare -n true",
            "chroot / true",
            "nsenter -t 1 -m true",
            "dmesg",
            "hostname evil",
            "mknod /tmp/disk b 8 0",
            "chown 0 .",
            "python3 -c 'import os; os.setuid(0)'",
            "python3 -c 'import socket; socket.socket(socket.AF_VSOCK)'",
            "python3 -c 'import ctypes; exit(ctypes.CDLL(None).syscall(321, 0, 0, 0) < 0)'",
            "python3 -c 'import fcntl, os; a, b = os.openpty(); fcntl.ioctl(b, 0x5412, b\"x\")'",
        ],
    )
    async def test_what_is_denied(self, rig: LocalRig, site: Workloads, attempt: str) -> None:
        code, _ = await sh(rig, site, attempt)
        assert code not in (0, 127)

    async def test_threads_and_children_are_not_denied(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        program = (
            "import multiprocessing as m, threading as t\n"
            "x = t.Thread(target=print, args=('thread',)); x.start(); x.join()\n"
            "with m.get_context('fork').Pool(2) as p: print(p.map(abs, [-1, -2]))"
        )
        work = workload(rig, Script(), command=("python3", "-c", program))
        [task] = (await run(site, work)).tasks
        assert (task.exit_code, await log(site, work.id)) == (0, "thread\n[1, 2]\n")


class TestNetwork:
    async def test_only_its_own_loopback_is_there(self, rig: LocalRig, site: Workloads) -> None:
        code, said = await sh(
            rig, site, "tail -n +3 /proc/net/dev | cut -d: -f1", "tail -n +2 /proc/net/route"
        )
        assert (code, said.split()) == (0, ["lo"])

    async def test_the_operator_may_refuse_more(self, rig: LocalRig) -> None:
        driver = LocalDriver(read(config(rig.directory / "without", network="none")))
        with pytest.raises(Refused) as refused:
            await driver.apply(workload(rig, Script(), network=True), 1)
        assert refused.value.reason == "Network"
        await driver.close()

    async def test_the_operator_may_give_the_hosts(self, rig: LocalRig) -> None:
        data = rig.directory / "networked"
        engines = rig._more["engines"]
        driver = LocalDriver(read(config(data, engines=engines, network="host")))
        try:
            command = ("sh", "-c", "cat /proc/net/route /etc/resolv.conf")
            work = workload(rig, Script(), command=command, network=True)
            await run(driver, work)
            said = await log(driver, work.id)
            assert said.startswith(Path("/proc/net/route").read_text())
            assert said.endswith(Path("/etc/resolv.conf").read_text())
            await driver.delete(work.id, 1)
        finally:
            await driver.close()


class TestTheTenantsWords:
    """Variables, names and commands are data, whatever they look like."""

    @pytest.mark.parametrize("name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "BASH_ENV"])
    async def test_a_variable_reaches_the_task_alone(
        self, rig: LocalRig, site: Workloads, tmp_path: Path, name: str
    ) -> None:
        """A library that would run wherever the loader meets the variable."""
        mark = f"evil-{uuid.uuid4().hex}"
        source = tmp_path / "evil.c"
        source.write_text(
            "#include <unistd.h>\n#include <fcntl.h>\n"
            "__attribute__((constructor)) static void go(void)\n"
            f'{{ if (getuid() == 0) close(creat("/tmp/{mark}", 0600)); }}\n'
        )
        library = tmp_path / "evil.so"
        assert os.system(f"cc -shared -fPIC -o {library} {source}") == 0
        evil = await put(site, "evil.so", library.read_bytes(), 0o755)
        value = "/proc/self/cwd/evil.so" if name == "LD_PRELOAD" else "/proc/self/cwd"
        code, said = await sh(rig, site, f'echo "${name}"', env={name: value}, files=(evil,))
        assert (code, said) == (0, f"{value}\n")
        assert not Path(f"/tmp/{mark}").exists()

    async def test_odd_names_of_variables(self, rig: LocalRig, site: Workloads) -> None:
        env = {"with-dash": "1", "with.dot": "2", "1": "3", "IFS": "x", "OPTIND": "no number"}
        work = workload(rig, Script(), command=("env",), env=env)
        await run(site, work)
        said = (await log(site, work.id)).splitlines()
        assert {f"{k}={v}" for k, v in env.items()} <= set(said)

    @pytest.mark.parametrize("name", ["exit", "cd", "exec", "A=b", "-c", "a b", "$HOME", "`id`"])
    async def test_a_command_is_no_shell_word(
        self, rig: LocalRig, site: Workloads, name: str
    ) -> None:
        work = workload(rig, Script(), command=(name, "0"))
        [task] = (await run(site, work)).tasks
        assert task.exit_code == 127

    async def test_arguments_arrive_byte_by_byte(self, rig: LocalRig, site: Workloads) -> None:
        words = ("", " ", "*", "$HOME", "a\nb", "'", '"', "\\", "é", "-n", "--")
        command = ("python3", "-c", "import sys; print(sys.argv[1:])", *words)
        work = workload(rig, Script(), command=command)
        await run(site, work)
        assert await log(site, work.id) == f"{list(words)}\n"

    async def test_a_file_of_another_mode_is_not_its_owners_path_out(
        self, rig: LocalRig, site: Workloads
    ) -> None:
        """A mode with setuid bits is taken without them."""
        tool = await put(site, "tool", b"#!/bin/sh\n", 0o4755)
        _code, said = await sh(rig, site, "stat -c '%a %u' tool; id -u", files=(tool,))
        mode, owner, uid = said.split()
        assert (mode, owner) == ("755", uid)


class TestExec:
    async def test_it_has_the_tasks_rights(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(rig, Script().stay(), env={"MINE": "yes"})
        await site.apply(work, 1)
        await running(site, work.id)
        script = (
            "echo $MINE; pwd; id -un; cat /proc/net/dev | wc -l; ls /home;"
            "grep -E '^(CapBnd|NoNewPrivs|Seccomp:)' /proc/self/status;"
            "mount -t tmpfs a /tmp 2>/dev/null"
        )
        session = await site.exec(work.id, 0, ("sh", "-c", script), False)
        said = b""
        while data := await session.read():
            said += data
        lines = said.decode().splitlines()
        assert lines[:4] == ["yes", "/work", "skerry", "3"]
        assert [line.split()[1] for line in lines[4:7]] == ["0" * 16, "1", "2"]
        assert await session.wait() != 0
        await session.close()

    async def test_its_memory_counts_as_the_tasks(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        await running(site, work.id)
        session = await site.exec(work.id, 0, ("python3", "-c", "b'x' * (512 << 20)"), False)
        assert await session.wait() == 137
        await session.close()

    async def test_a_terminal(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        await running(site, work.id)
        script = "test -t 0 && test -t 1 && echo terminal; read x; echo got $x; exit 4"
        session = await site.exec(work.id, 0, ("sh", "-c", script), True)
        await session.write(b"word\n")
        said = b""
        while data := await session.read():
            said += data
        assert b"terminal\r\n" in said
        assert b"got word\r\n" in said
        assert await session.wait() == 4
        await session.close()

    async def test_a_command_that_is_not_there(self, rig: LocalRig, site: Workloads) -> None:
        work = workload(rig, Script().stay())
        await site.apply(work, 1)
        await running(site, work.id)
        session = await site.exec(work.id, 0, ("no-such-program",), False)
        assert await session.read() == b"no-such-program: not found\n"
        assert await session.wait() == 127
        await session.close()


class TestNeverWeaker:
    async def test_without_engines_sandboxes_are_refused(
        self, tmp_path: Path, bare: LocalRig
    ) -> None:
        driver = LocalDriver(read(config(tmp_path / "none", engines=())))
        try:
            assert (await driver.capacity()).isolations == ("process",)
            with pytest.raises(Refused) as refused:
                await driver.apply(workload(bare, Script(), isolation="sandbox"), 1)
            assert refused.value.reason == "Isolation"
        finally:
            await driver.close()

    async def test_an_engine_that_fails_is_not_used(
        self, tmp_path: Path, bare: LocalRig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A runc that is there but can't run anything: the next one is used, and why is said."""
        fake = tmp_path / "bin"
        fake.mkdir()
        (fake / "runc").write_text("#!/bin/sh\ntest $1 = --version && echo runc 9 || exit 3\n")
        (fake / "runc").chmod(0o755)
        monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
        driver = LocalDriver(read(config(tmp_path / "data")))
        try:
            engines = (await driver.capacity()).engines
            assert engines["runc"].startswith(f"{fake}/runc ended with 3")
            work = workload(bare, Script(), isolation="sandbox")
            await driver.apply(work, 1)
            assert (await ended(driver, work.id)).engine == "bubblewrap"
            await driver.delete(work.id, 1)
        finally:
            await driver.close()
