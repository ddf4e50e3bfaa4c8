"""What a task finds in an image, as whoever runs images elsewhere expects it."""

import asyncio
import tarfile
import uuid
from pathlib import Path

import pytest

from skerry.sites.contract import ImageSource, Mount, Refused, Volume, Workload
from skerry.sites.local.driver import LocalDriver
from tests.harness.images import Entry, Image, directory, image, layer
from tests.sites.contract.imaging import brought, refused
from tests.sites.contract.rig import (
    PATIENCE,
    ended,
    log,
    plain,
    put,
    run,
    running,
    upload,
    workload,
)
from tests.sites.contract.script import Script
from tests.sites.local.rigs import LocalRig


async def bring(site: LocalDriver, made: Image) -> str:
    source = ImageSource(archive=await upload(site, made.archive()))
    return (await brought(site, source))[-1].digest


def work(tmp_path: Path, digest: str, *command: str, **more: object) -> Workload:
    return workload(LocalRig(tmp_path), Script(), command=command, image=digest, **more)


async def said(
    site: LocalDriver, tmp_path: Path, digest: str, *command: str, **more: object
) -> list[str]:
    """The lines that it prints, if it ends well."""
    one = work(tmp_path, digest, *command, **more)
    status = await run(site, one)
    text = await log(site, one.id)
    assert status.tasks[0].exit_code == 0, text
    return text.splitlines()


async def test_its_own_words_are_kept(site: LocalDriver, tmp_path: Path) -> None:
    """Entrypoint and Cmd, Env, WorkingDir, User with its groups and home."""
    digest = await bring(
        site,
        image(
            Entrypoint=["/bin/sh", "-c"],
            Cmd=["id -u; id -g; id -G; pwd; echo $HOME $WHO $PATH; echo out > /dev/stdout"],
            Env=["WHO=me", "PATH=/bin:/own"],
            WorkingDir="/srv/deep",
            User="web",
        ),
    )
    found = await said(site, tmp_path, digest)
    assert found == ["33", "34", "34 50", "/srv/deep", "/srv me /bin:/own", "out"]
    found = await said(site, tmp_path, digest, "sh", "-c", "echo $WHO", env={"WHO": "you"})
    assert found == ["you"]
    files = (await put(site, "a/b", b"content\n"),)
    found = await said(site, tmp_path, digest, "sh", "-c", "pwd; cat a/b", files=files)
    assert found == ["/work", "content"]


async def test_a_user_in_all_its_forms(site: LocalDriver, tmp_path: Path) -> None:
    for user, ids in (
        ("", "0 0 0"),
        ("33", "33 34 34 50"),
        ("33:50", "33 50 50"),
        ("web:team", "33 50 50"),
        ("7:8", "7 8 8"),
        ("7", "7 0 0"),
    ):
        digest = await bring(site, image(User=user))
        found = await said(site, tmp_path, digest, "sh", "-c", "echo $(id -u) $(id -g) $(id -G)")
        assert found == [ids]


async def test_bad_settings_are_refused(site: LocalDriver) -> None:
    for config, words in (
        ({"User": "nobody-here"}, "nobody-here"),
        ({"User": "0:no-group"}, "no-group"),
        ({"User": "70000"}, "65535"),
        ({"Env": "x"}, "configuration"),
        ({"Cmd": ["a\0b"]}, "NUL"),
    ):
        archive = await upload(site, image(**config).archive())  # type: ignore[arg-type]
        refusal = await refused(site, ImageSource(archive=archive))
        assert refusal.reason == "BadImage"
        assert words in refusal.message


async def test_no_command_at_all_is_refused(site: LocalDriver, tmp_path: Path) -> None:
    digest = await bring(site, image())
    with pytest.raises(Refused) as told:
        await site.apply(work(tmp_path, digest), 1)
    assert told.value.reason == "NoCommand"
    plain(told.value)


async def test_its_root_is_nobody_elses(site: LocalDriver, tmp_path: Path) -> None:
    """It owns and changes its own files; the image stays as it was, and the host is out of
    reach."""
    digest = await bring(site, image())
    script = (
        "set -e; echo x > /etc/motd; rm /bin/cat; touch /new; chown 5:6 /new; stat -c %u:%g /new;"
        "! touch /proc/sys/kernel/domainname 2>/dev/null; ! ls /.skerry /usr 2>/dev/null"
    )
    assert await said(site, tmp_path, digest, "sh", "-c", script) == ["5:6"]
    assert await said(site, tmp_path, digest, "cat", "/etc/group")
    mark = f"{uuid.uuid4().int % 10**6 + 100}"  # seconds, and how it is found among all others
    one = work(tmp_path, digest, "sleep", mark)
    await site.apply(one, 1)
    async with asyncio.timeout(PATIENCE):
        # A task runs from its shim's word on; the program in it begins a moment later.
        while not (owners := _owners(b"sleep\0%s\0" % mark.encode())):
            await asyncio.sleep(0.02)
    assert min(owners) >= 1_900_000_000
    await site.delete(one.id, 1)


def _owners(command: bytes) -> set[int]:
    """Whose processes they are that have this command line."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and (entry / "cmdline").read_bytes() == command:
                found.add(entry.stat().st_uid)
        except OSError:  # it ended meanwhile
            continue
    return found


async def test_a_command_beside_it_is_in_the_image(site: LocalDriver, tmp_path: Path) -> None:
    digest = await bring(site, image(User="web", Env=["WHO=me"], WorkingDir="/srv"))
    one = work(tmp_path, digest, "sleep", "100")
    await site.apply(one, 1)
    await running(site, one.id)
    session = await site.exec(one.id, 0, ("sh", "-c", "id -u; pwd; echo $WHO; ls /"), False)
    text = b""
    async with asyncio.timeout(60):
        while piece := await session.read():
            text += piece
        assert await session.wait() == 0
    await session.close()
    assert text.decode().split()[:3] == ["33", "/srv", "me"]
    assert "bin" in text.decode().split()
    assert "usr" not in text.decode().split()
    await site.delete(one.id, 1)


async def test_a_volume_in_an_image(site: LocalDriver, tmp_path: Path) -> None:
    digest = await bring(site, image(User="web"))
    await site.create_volume(Volume(id="kept", tenant="acme", size=64 << 20), 1)
    mounts = (Mount(volume="kept", path="/usr/share/data"),)
    script = "stat -c %u /usr/share/data; echo hello > /usr/share/data/file"
    assert await said(site, tmp_path, digest, "sh", "-c", script, mounts=mounts) == ["33"]
    other = await bring(site, image())
    read = ("cat", "/usr/share/data/file")
    assert await said(site, tmp_path, other, *read, mounts=mounts) == ["hello"]


async def test_a_secret_file_in_an_image(site: LocalDriver, tmp_path: Path) -> None:
    digest = await bring(site, image(User="7:8"))
    files = {"/run/secrets/key": "in memory\n", "/etc/app.key": "where it likes\n"}
    script = "cat /run/secrets/key /etc/app.key; stat -c '%a %u %g' /etc/app.key"
    found = await said(site, tmp_path, digest, "sh", "-c", script, secret_files=files)
    assert found == ["in memory", "where it likes", "400 7 7"]


async def test_files_of_secrets_in_an_image(site: LocalDriver, tmp_path: Path) -> None:
    """Its user reads them, wherever they are to be."""
    digest = await bring(site, image(User="web"))
    files = {"/run/secrets/key": "hunter2", "/etc/app/token": "swordfish"}
    script = "cat /run/secrets/key /etc/app/token; id -u"
    command = ("sh", "-c", script)
    found = await said(site, tmp_path, digest, *command, secret_files=files)
    assert found == ["hunter2swordfish33"]


async def test_layers_stand_on_each_other(site: LocalDriver, tmp_path: Path) -> None:
    upper = layer(
        Entry("etc/.wh.group"),
        directory("opaque"),
        Entry("opaque/.wh..wh..opq"),
        Entry("opaque/new", b"new", mode=0o644),
        Entry("hard", kind=tarfile.LNKTYPE, link="srv/kept"),
        Entry("both", kind=tarfile.SYMTYPE, link="/srv/kept"),
    )
    lower = layer(
        directory("opaque"), Entry("opaque/old", b"old"), Entry("srv/kept", b"kept\n", mode=0o644)
    )
    digest = await bring(site, image([lower, upper]))
    script = "ls /opaque; cat /hard /both; stat -c %h /hard; ls /etc"
    found = await said(site, tmp_path, digest, "sh", "-c", script)
    assert found[:4] == ["new", "kept", "kept", "2"]
    assert "group" not in found


EVIL = (
    (Entry("../../../../../../evil", b"evil"),),
    (Entry("/evil", b"evil"),),
    (Entry("out", kind=tarfile.SYMTYPE, link="/"), Entry("out/evil", b"evil")),
    (Entry("up", kind=tarfile.SYMTYPE, link="../../../../.."), Entry("up/evil", b"evil")),
    (Entry("passwd", kind=tarfile.LNKTYPE, link="../../../../../../../etc/hostname"),),
    (Entry("etc", kind=tarfile.SYMTYPE, link="/etc"), Entry("etc/evil", b"evil")),
    (Entry("work", kind=tarfile.SYMTYPE, link="/etc"),),
    (Entry("proc", kind=tarfile.SYMTYPE, link="/etc"), Entry("dev", b"a file")),
    (Entry("etc/passwd", kind=tarfile.SYMTYPE, link="/etc/shadow"),),
)


async def test_what_leads_out_of_it_does_not(site: LocalDriver, tmp_path: Path) -> None:
    """Either it is refused, or the host is as it was and the task is not outside."""
    shadow = Path("/etc/shadow").read_text().splitlines()[0]
    hostname = Path("/etc/hostname").read_text().strip()
    for entries in EVIL:
        try:
            digest = await bring(site, image([layer(*entries)]))
            one = work(tmp_path, digest, "/bin/sh", "-c", "cat /passwd /etc/passwd; ls / /work")
            await site.apply(one, 1)
            await ended(site, one.id)
            text = await log(site, one.id)
            assert shadow not in text
            assert hostname not in text.splitlines()
        except Refused as refusal:
            plain(refusal)
        assert not Path("/evil").exists()
        assert not Path("/etc/evil").exists()
        assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", ["oci", "docker"])
async def test_archives_of_both_kinds(site: LocalDriver, tmp_path: Path, kind: str) -> None:
    made = image(Cmd=["sh", "-c", "echo from an archive"])
    content = made.archive()
    if kind == "docker":
        (tmp_path / "oci.tar").write_bytes(content)
        process = await asyncio.create_subprocess_exec(
            "skopeo", "--insecure-policy", "copy", "-q", f"oci-archive:{tmp_path}/oci.tar",
            f"docker-archive:{tmp_path}/docker.tar:app:latest",
        )  # fmt: skip
        assert await process.wait() == 0
        content = (tmp_path / "docker.tar").read_bytes()
    source = ImageSource(archive=await upload(site, content))
    digest = (await brought(site, source))[-1].digest
    assert await said(site, tmp_path, digest) == ["from an archive"]
