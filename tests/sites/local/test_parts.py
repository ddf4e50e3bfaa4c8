"""The driver's parts that can be tried by themselves."""

import asyncio
import ctypes
import ctypes.util
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.sites.contract import CursorExpired, Event, Gpu, NoRoom, Refused, Resources
from skerry.sites.local import cgroups, gpus, seccomp
from skerry.sites.local.engines.base import Unusable, find
from skerry.sites.local.held import free_uid
from skerry.sites.local.journal import Journal
from skerry.sites.local.room import Room, of_host
from skerry.sites.local.shim.cgroup import Group
from skerry.sites.local.shim.plan import Plan
from skerry.sites.local.state import Fences
from skerry.sites.local.sweep import remove_tree
from skerry.sites.local.view import View, accounts

H100 = [Gpu(uuid=f"GPU-{n}", model="H100", memory=80 << 30) for n in range(4)]
T4 = [Gpu(uuid=f"GPU-t{n}", model="T4", memory=16 << 30) for n in range(2)]


class TestSeccomp:
    @pytest.mark.parametrize(
        ("machine", "token", "column"), [("x86_64", 0xC000003E, 0), ("aarch64", 0xC00000B7, 1)]
    )
    def test_the_numbers_are_the_kernels(self, machine: str, token: int, column: int) -> None:
        """As libseccomp, which comes with runc, has them."""
        library = ctypes.CDLL("libseccomp.so.2")
        special = {"clone": seccomp._CLONE, "clone3": seccomp._CLONE3}
        special |= {"socket": seccomp._SOCKET, "ioctl": seccomp._IOCTL}
        for name, numbers in {**seccomp._CALLS, **special}.items():
            known = library.seccomp_syscall_resolve_name_arch(token, name.encode())
            assert numbers[column] == max(known, -1), name

    @pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
    def test_the_filter_denies_what_the_list_says(self, machine: str) -> None:
        column, architecture, _ = seccomp._ARCHITECTURES[machine]
        code = seccomp.for_bubblewrap(machine)
        allow, eperm, enosys = 0x7FFF0000, 0x50001, 0x50026
        for numbers in seccomp._CALLS.values():
            if numbers[column] >= 0:
                assert judged(code, architecture, numbers[column]) == eperm
        assert judged(code, architecture, seccomp._CLONE3[column]) == enosys
        clone = seccomp._CLONE[column]
        assert judged(code, architecture, clone, 0x01200011) == allow
        assert judged(code, architecture, clone, 0x3D0F00) == allow
        for bit in (17, 25, 26, 27, 28, 29, 30):
            assert judged(code, architecture, clone, 1 << bit | 17) == eperm
        assert judged(code, architecture, seccomp._IOCTL[column], 0, 0x5412) == eperm
        assert judged(code, architecture, seccomp._IOCTL[column], 0, 0x5413) == allow
        assert judged(code, architecture, seccomp._SOCKET[column], 40) == eperm
        assert judged(code, architecture, seccomp._SOCKET[column], 2) == allow
        assert judged(code, 0x40000003, 1) == 0x80000000

    @given(number=st.integers(0, 460))
    def test_the_rest_is_allowed(self, number: int) -> None:
        column, architecture, _ = seccomp._ARCHITECTURES["x86_64"]
        listed = {numbers[column] for numbers in seccomp._CALLS.values()}
        if number not in listed | {435}:
            assert judged(seccomp.for_bubblewrap("x86_64"), architecture, number) == 0x7FFF0000

    def test_an_unknown_processor_is_told(self) -> None:
        with pytest.raises(seccomp.UnknownArchitecture, match="vax"):
            seccomp.for_runc("vax")


def judged(code: bytes, architecture: int, number: int, *args: int) -> int:
    """Run the filter as the kernel would."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *args, *[0] * (6 - len(args)))
    program = list(struct.iter_unpack("=HBBI", code))
    place = value = 0
    while True:
        operation, if_true, if_false, operand = program[place]
        place += 1
        if operation == 0x20:
            [value] = struct.unpack_from("=I", data, operand)
        elif operation == 0x06:
            return operand
        else:
            holds = {
                0x15: value == operand,
                0x35: value >= operand,
                0x45: bool(value & operand),
            }[operation]
            place += if_true if holds else if_false


MOUNTS_1 = """\
30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct
32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""


class TestCgroups:
    def test_mounts_are_read(self) -> None:
        found = cgroups.mounts(MOUNTS_1)
        assert [(str(m.directory), m.version) for m in found] == [
            ("/sys/fs/cgroup/cpu,cpuacct", 1),
            ("/sys/fs/cgroup/memory", 1),
            ("/sys/fs/cgroup/unified", 2),
        ]
        assert {"cpu", "cpuacct"} <= found[0].options

    def test_a_host_without_a_controller_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cgroups, "_mountinfo", lambda: "")
        found = cgroups.find("x")
        assert "'cpu'" in found.reason
        assert found.directories("w.0") == {}

    def test_version_2_limits(self, tmp_path: Path) -> None:
        """Written as the kernel's files want them, to a directory that stands for one."""
        files = ("cpu.max", "memory.max", "memory.swap.max", "pids.max")
        for name in files:
            (tmp_path / name).touch()
        Group({"": str(tmp_path)}).limit(1500, 64 << 20, 10)
        assert [(tmp_path / name).read_text() for name in files] == [
            "150000 100000",
            str(64 << 20),
            "0",
            "10",
        ]
        (tmp_path / "memory.swap.max").unlink()
        Group({"": str(tmp_path)}).limit(1, 64 << 20, 10)
        assert (tmp_path / "cpu.max").read_text().startswith("1000 ")

    def test_version_2_use(self, tmp_path: Path) -> None:
        (tmp_path / "cpu.stat").write_text("usage_usec 2500\nuser_usec 1000\n")
        (tmp_path / "memory.current").write_text("4096\n")
        (tmp_path / "pids.current").write_text("3\n")
        (tmp_path / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
        group = Group({"": str(tmp_path)})
        assert group.use() == {"cpu": 2_500_000, "memory": 4096, "peak": 0, "pids": 3}
        assert group.out_of_memory()

    def test_version_2_parents_get_their_controllers(self, tmp_path: Path) -> None:
        (tmp_path / "cgroup.controllers").write_text("cpu memory pids io")
        for level in ("", "skerry", "skerry/i"):
            (tmp_path / level).mkdir(exist_ok=True)
            (tmp_path / level / "cgroup.subtree_control").touch()
        assert cgroups._has(tmp_path)
        assert cgroups._unified(tmp_path, "i") == tmp_path / "skerry"
        written = (tmp_path / "skerry/i/cgroup.subtree_control").read_text()
        assert written == "+cpu +memory +pids"

    def test_version_2_kills_all_at_once(self) -> None:
        """On a real hierarchy, which hosts with version 1 have beside it."""
        mounted = cgroups.mounts(Path("/proc/self/mountinfo").read_text())
        [top] = [mount.directory for mount in mounted if mount.version == 2]
        group = Group({"": str(top / f"skerry-test-{os.getpid()}")})
        group.make()
        script = "sleep 1000 & setsid sleep 1000 & wait"
        process = subprocess.Popen(["sh", "-c", script], preexec_fn=group.join)
        try:
            while len(group.processes()) < 3:
                time.sleep(0.01)
            group.kill()
            assert process.wait() == -9
            assert group.processes() == []
        finally:
            group.remove()

    def test_no_group_is_no_limit(self) -> None:
        group = Group({})
        group.make()
        group.limit(1, 1, 1)
        group.kill()
        group.remove()
        assert not group.out_of_memory()
        assert group.use()["cpu"] == 0


class TestRoom:
    whole = Room(8000, 32 << 30, tuple(H100 + T4))

    @given(
        asks=st.lists(
            st.tuples(st.integers(1, 4000), st.integers(1, 16 << 30), st.integers(0, 3)),
            max_size=12,
        )
    )
    def test_what_is_given_is_there_and_no_device_twice(
        self, asks: list[tuple[int, int, int]]
    ) -> None:
        held: list[tuple[Resources, tuple[str, ...]]] = []
        for millicores, memory, count in asks:
            ask = Resources(millicores=millicores, memory=memory, gpus=count)
            free = self.whole.without(held)
            try:
                [given] = free.give(ask, 1, self.whole)
            except NoRoom:
                assert (
                    millicores > free.millicores or memory > free.memory or count > len(free.gpus)
                )
                continue
            assert len(given) == count
            held.append((ask, given))
        taken = [uuid for _, devices in held for uuid in devices]
        assert len(taken) == len(set(taken))
        assert sum(resources.millicores for resources, _ in held) <= 8000
        assert sum(resources.memory for resources, _ in held) <= 32 << 30

    def test_a_gang_gets_its_devices_by_the_model(self) -> None:
        ask = Resources(millicores=1, memory=1, gpus=2, gpu_model="H100")
        assert self.whole.give(ask, 2, self.whole) == (("GPU-0", "GPU-1"), ("GPU-2", "GPU-3"))
        with pytest.raises(NoRoom, match=r"6 pieces of GPUs \(H100\) wanted, 4 are here in all"):
            self.whole.give(ask, 3, self.whole)

    def test_what_is_missing_is_told(self) -> None:
        ask = Resources(millicores=3000, memory=1)
        free = self.whole.without([(ask, ()), (ask, ())])
        with pytest.raises(NoRoom, match="3000 thousandths of cores wanted, 2000 is free just now"):
            free.give(ask, 1, self.whole)

    def test_the_hosts_own_share_is_kept(self) -> None:
        by_default, none, much = (of_host(0, m, ()) for m in (-1, 0, 1 << 60))
        assert by_default.memory < none.memory
        assert much.memory == 0
        assert of_host(10**9, 0, ()).millicores == 0


class TestGpus:
    def test_a_host_without_is_told_why(self) -> None:
        found = gpus.find()
        assert found.devices or "no GPUs: " in found.driver


class TestJournal:
    async def test_a_watcher_gets_what_comes(self) -> None:
        journal = Journal(10)
        start = journal.cursor
        seen: list[Event] = []

        async def watch() -> None:
            async for event in journal.watch(start):
                seen.append(event)
                if len(seen) == 5:
                    return

        task = asyncio.create_task(watch())
        for n in range(5):
            journal.append(f"w-{n}", None)
            await asyncio.sleep(0)
        await task
        assert [event.id for event in seen] == [f"w-{n}" for n in range(5)]

    @pytest.mark.parametrize("behind", [11, 1000, -1])
    async def test_what_is_not_kept_has_expired(self, behind: int) -> None:
        journal = Journal(10)
        for n in range(20):
            journal.append(f"w-{n}", None)
        watch = journal.watch(journal.cursor - behind)
        with pytest.raises(CursorExpired):
            await anext(aiter(watch))

    async def test_a_watcher_left_behind_is_told(self) -> None:
        journal = Journal(3)
        journal.append("a", None)
        watch = aiter(journal.watch(journal.cursor - 1))
        await anext(watch)
        for n in range(10):
            journal.append(f"w-{n}", None)
        with pytest.raises(CursorExpired):
            await anext(watch)


class TestState:
    @given(
        taken=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 5))), count=st.integers(1, 9)
    )
    def test_numbers_of_users_are_nobody_elses(
        self, taken: list[tuple[int, int]], count: int
    ) -> None:
        ranges = [range(start, start + length) for start, length in taken]
        first = free_uid(10, ranges, count)
        assert first >= 10
        mine = set(range(first, first + count))
        assert all(mine.isdisjoint(theirs) for theirs in ranges)

    def test_fences_only_rise(self, tmp_path: Path) -> None:
        (tmp_path / "f").mkdir()
        fences = Fences(tmp_path / "f", tmp_path / "reserve")
        assert fences.raise_to("w", 3).fence == -1
        assert fences.raise_to("w", 3, deleted=True).deleted is False
        assert fences.raise_to("w", 5).deleted is True
        with pytest.raises(Refused):
            fences.raise_to("w", 4)

    def test_fences_long_unused_are_dropped(self, tmp_path: Path) -> None:
        (tmp_path / "f").mkdir()
        fences = Fences(tmp_path / "f", tmp_path / "reserve")
        for id in ("old", "kept", "new"):
            fences.raise_to(id, 1)
        for id in ("old", "kept"):
            os.utime(tmp_path / "f" / id, (0, 0))
        fences.drop_old({"kept"})
        assert sorted(path.name for path in (tmp_path / "f").iterdir()) == ["kept", "new"]

    def test_a_plan_is_whole(self) -> None:
        with pytest.raises(ValueError, match="workload"):
            Plan({"rank": 1})

    def test_a_plan_of_the_version_before_is_taken(self) -> None:
        """And one of the version after is not: what it asks for would not be done."""
        added = {"watched": [], "network": -1}
        old = dict.fromkeys(set(Plan.__annotations__) - set(added), 1)
        plan = Plan(dict(old))
        assert {name: getattr(plan, name) for name in added} == added
        with pytest.raises(ValueError, match="soon"):
            Plan({**old, **added, "soon": 1})

    def test_a_tree_is_removed_whatever_is_in_it(self, tmp_path: Path) -> None:
        tree, outside = tmp_path / "tree", tmp_path / "outside"
        outside.write_text("stays")
        (tree / "closed" / "below").mkdir(parents=True)
        (tree / "closed").chmod(0)
        (tree / "link").symlink_to(outside)
        (tree / "up").symlink_to(tmp_path)
        os.mkfifo(tree / "pipe")
        remove_tree(tree)
        assert outside.read_text() == "stays"
        assert not tree.exists()
        remove_tree(tree)


class TestView:
    def test_the_skeleton_can_be_built_again(self, tmp_path: Path) -> None:
        for _ in range(2):
            View(tmp_path / "root", ()).build()
        assert (tmp_path / "root/usr").is_dir()
        assert os.listdir(tmp_path / "root/home") == []
        assert oct((tmp_path / "root/tmp").stat().st_mode)[-4:] == "1777"

    def test_the_running_python_is_seen(self, tmp_path: Path) -> None:
        view = View(tmp_path, ())
        assert view.shows(os.path.realpath(sys.executable))
        assert not view.shows(str(Path.home() / ".ssh"))

    def test_commands_are_looked_for_where_they_can_be_seen(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:{Path.home()}")
        places = View(tmp_path / "root", ()).path.split(":")
        assert places[0] == "/usr/bin"
        assert str(tmp_path) not in places
        assert str(Path.home()) not in places

    def test_accounts_have_a_name_for_the_task(self) -> None:
        passwd, group = accounts(1_900_000_007)
        assert "skerry:x:1900000007:1900000007::/work:/bin/sh\n" in passwd
        assert "skerry:x:1900000007:\n" in group


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(Unusable, match="no-such-program is not installed"):
        find("no-such-program")


def test_the_shim_needs_the_standard_library_alone(tmp_path: Path) -> None:
    """And is small; the agent takes 50 MiB."""
    package = Path(seccomp.__file__).parent
    program = (
        f"import sys; sys.path.insert(0, {str(package)!r}); from shim.main import main\n"
        "print([l for l in open('/proc/self/status') if l.startswith('VmRSS')][0].split()[1])"
    )
    done = subprocess.run(
        [os.path.realpath(sys.executable), "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 16 * 1024
