"""Copying with skopeo: from a registry or an archive into an OCI layout with shared blobs.

A registry's credentials go to it in a file in memory, so they are in no argument, variable or disk;
the agent's own (``~/.docker``) are out of its sight. Manifests are checked here, byte by byte,
against the digest that they are asked for by; skopeo checks layers against the manifest, and umoci
once more when it unpacks them.
"""

import base64
import contextlib
import hashlib
import json
import os
import platform
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from skerry.sites.contract import ImageSource, Refused
from skerry.sites.local.images import tools
from skerry.sites.local.images.reference import Reference

TAG = "image"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
_DEEPEST = 3
"""How far an index may point to another one."""
_LONGEST_MANIFEST = 4 << 20
_FAULTS = (
    ("Unauthorized", r"unauthorized|authentication required|denied|forbidden|invalid username"),
    (
        "NoSuchImage",
        r"manifest unknown|name unknown|repository name not known|not found|status 404",
    ),
    ("DigestMismatch", r"did not match|does not match|didn't match|digest mismatch"),
    ("DiskFull", r"no space left|disk quota"),
    ("RegistryUntrusted", r"x509|certificate|server gave HTTP response"),
    (
        "RegistryUnreachable",
        r"refused|no such host|timeout|timed out|unreachable|reset by peer|EOF|status 5\d\d|"
        r"too many requests|server misbehaving|i/o error|network",
    ),
)
"""By what skopeo says, the first that fits."""


class Platform(msgspec.Struct, frozen=True):
    os: str = ""
    architecture: str = ""
    variant: str = ""


class Part(msgspec.Struct, frozen=True):
    """What a manifest or an index names."""

    digest: Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]
    size: Annotated[int, msgspec.Meta(ge=0)]
    media_type: str = msgspec.field(name="mediaType", default="")
    platform: Platform | None = None


class _Document(msgspec.Struct, frozen=True):
    """A manifest or an index."""

    version: int = msgspec.field(name="schemaVersion")
    config: Part | None = None
    layers: list[Part] | None = None
    manifests: list[Part] | None = None


@dataclass(frozen=True)
class Manifest:
    """Of an image for this host."""

    digest: str
    listed: str
    """Of the index that it stands in; its own if there is none."""
    blobs: dict[str, int]
    """Digest and size of its configuration and layers."""


Told = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""
Check = Callable[[], None]
"""Raises ``Refused`` if the host has no room for more."""


class Copier:
    def __init__(self, blobs: Path, plain: tuple[str, ...], stall: float) -> None:
        """``plain``: registries (``host:port``) without TLS. ``stall``: seconds."""
        self._blobs, self._plain, self._stall = blobs, plain, stall

    async def resolve(self, source: ImageSource, wanted: Reference, scratch: Path) -> Manifest:
        """What the registry has under the name for this host. Raises ``Refused``."""
        asked = source.digest or wanted.digest
        listed = ""
        for _ in range(_DEEPEST):
            text = await self._manifest(source, wanted, asked, scratch)
            digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
            if asked and digest != asked:
                raise Refused("DigestMismatch", f"{wanted.host} sent something else than {asked}")
            listed = listed or digest
            found = _decoded(text)
            if found.manifests is None:
                return Manifest(digest, listed, _blobs(found))
            asked = _fitting(found.manifests).digest
        raise Refused("BadImage", "its index leads to another index, and that to another")

    async def _manifest(
        self, source: ImageSource, wanted: Reference, digest: str, scratch: Path
    ) -> bytes:
        with _login(wanted.host, source) as login:
            ended = await self._skopeo(
                scratch,
                ("inspect", "--raw", "--authfile", _path(login), *self._tls(wanted, "--")),
                wanted.at(digest),
                descriptors=(login,),
                position=lambda pid: 0,
                of=wanted.host,
            )
        if len(ended.output) > _LONGEST_MANIFEST:
            raise Refused("BadImage", f"its manifest has more than {_LONGEST_MANIFEST >> 20} MiB")
        return ended.output

    async def pull(
        self,
        source: ImageSource,
        wanted: Reference,
        manifest: Manifest,
        layout: Path,
        told: Told,
        check: Check,
    ) -> None:
        """Copy it into ``layout``. What is there of it is taken as it is. Raises ``Refused``."""
        total = sum(manifest.blobs.values())

        def position(pid: int) -> int:
            done = sum(size for blob, size in manifest.blobs.items() if self._path(blob).exists())
            with contextlib.suppress(FileNotFoundError):
                done += sum(p.stat().st_size for p in layout.glob("oci-put-blob*"))
            told(min(done, total), total)
            return done

        with _login(wanted.host, source) as login:
            await self._skopeo(
                layout.parent,
                ("copy", "--src-authfile", _path(login), *self._tls(wanted, "--src-")),
                wanted.at(manifest.digest),
                *self._target(layout),
                descriptors=(login,),
                position=position,
                check=check,
                of=wanted.host,
            )
        told(total, total)

    async def unpack_archive(
        self, archive: Path, kind: str, layout: Path, told: Told, check: Check, most: int
    ) -> None:
        """Copy what an archive holds for this host into ``layout``, writing ``most`` bytes on the
        way: a packed one is unpacked as a whole. Raises ``Refused``."""
        total = archive.stat().st_size

        def position(pid: int) -> int:
            read, written = tools.transferred(pid)
            if written > most:
                raise Refused("ImageTooLarge", f"it takes more than {most >> 20} MiB to unpack")
            told(min(read // 2, total), total)
            return read + written

        await self._skopeo(
            layout.parent,
            ("copy",),
            f"{kind}:{archive}",
            *self._target(layout),
            position=position,
            check=check,
            of="the archive",
        )
        told(total, total)

    def _target(self, layout: Path) -> tuple[str, ...]:
        shared = ("--dest-shared-blob-dir", str(self._blobs.parent))
        return (f"oci:{layout}:{TAG}", *shared)

    def _path(self, digest: str) -> Path:
        return self._blobs / digest.removeprefix("sha256:")

    def _tls(self, wanted: Reference, prefix: str) -> tuple[str, ...]:
        return (f"{prefix}tls-verify=false",) if wanted.host in self._plain else ()

    async def _skopeo(
        self, scratch: Path, words: tuple[str, ...], *places: str, of: str, **more: Any
    ) -> tools.Ended:
        here = ("--override-os", "linux", "--override-arch", machine())
        argv = (tools.program("skopeo"), "--insecure-policy", "--tmpdir", str(scratch), *here)
        try:
            ended = await tools.run((*argv, *words, *places), scratch, stall=self._stall, **more)
        except TimeoutError as error:
            raise Refused("Stalled", f"{of} stands still: {error}; try again") from error
        if ended.code != 0:
            raise _fault(ended.said, of)
        return ended


def machine() -> str:
    """This host's architecture, as images name it."""
    return _MACHINES.get(platform.machine(), platform.machine())


def check_platform(os_name: str, architecture: str) -> None:
    """Refuse an image for another kind of machine (``NoPlatform``); it may say nothing."""
    if (os_name or "linux", architecture or machine()) != ("linux", machine()):
        raise _foreign([f"{os_name}/{architecture}"])


def _fitting(entries: list[Part]) -> Part:
    """The entry of an index that is for this host. Raises ``Refused``, saying what there is."""
    said = [(entry.platform or Platform(), entry) for entry in entries]
    found = [(p, e) for p, e in said if (p.os, p.architecture) == ("linux", machine())]
    if not found and len(entries) == 1 and entries[0].platform is None:
        return entries[0]
    if not found:
        raise _foreign(f"{p.os or '?'}/{p.architecture or '?'}" for p, _ in said)
    # A variant (v8, v3) may ask for more than this processor has; the plain one runs everywhere.
    return min(found, key=lambda pair: pair[0].variant not in ("", "v8"))[1]


def _foreign(there: Iterable[str]) -> Refused:
    text = ", ".join(sorted({*there} - {"unknown/unknown"})) or "nothing"
    return Refused("NoPlatform", f"the image is for {text}; this host is linux/{machine()}")


def _decoded(text: bytes) -> _Document:
    try:
        found = msgspec.json.decode(text, type=_Document)
    except msgspec.MsgspecError as error:
        raise Refused("BadImage", f"its manifest can't be read: {error}") from error
    if found.version != 2 or (found.manifests is None and found.layers is None):
        raise Refused("BadImage", "its manifest is neither an OCI image nor Docker's version 2")
    return found


def _blobs(manifest: _Document) -> dict[str, int]:
    if manifest.config is None or manifest.layers is None:
        raise Refused("BadImage", "its manifest names no configuration")
    parts = [manifest.config, *manifest.layers]
    if any(part.media_type.endswith("zstd") for part in parts):
        raise Refused("Unsupported", "its layers are packed with zstd: pack them with gzip")
    return {part.digest: part.size for part in parts}


@contextlib.contextmanager
def _login(host: str, source: ImageSource) -> Iterator[int]:
    """A file in memory as ``docker login`` would write it; without a login, an empty one."""
    auths = {}
    if source.username or source.password:
        pair = f"{source.username}:{source.password}".encode()
        auths[host] = {"auth": base64.b64encode(pair).decode()}
    descriptor = os.memfd_create("login", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, json.dumps({"auths": auths}).encode())
        yield descriptor
    finally:
        os.close(descriptor)


def _path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _fault(said: str, of: str) -> Refused:
    """What skopeo said, as a reason and words for a person."""
    messages = re.findall(r'level=(?:fatal|error) msg="((?:[^"\\]|\\.)*)"', said)
    text = re.sub(r"\\(.)", r"\1", messages[-1]) if messages else said.strip()[-500:]
    reason = next((r for r, words in _FAULTS if re.search(words, text, re.IGNORECASE)), "")
    advice = {
        "Unauthorized": "it is not there, or it needs a login: name a secret with username and "
        "password as its imageSecret",
        "NoSuchImage": "there is no such image",
        "DigestMismatch": "what came is not what its digest says; nothing of it is used",
        "DiskFull": "the host's disk is full",
        "RegistryUntrusted": "its certificate is not trusted, or it has none; the operator of the "
        "site can name it in plainRegistries",
        "RegistryUnreachable": "it does not answer as a registry should; try again",
    }.get(reason, "the image can't be had")
    return Refused(reason or "BadImage", f"{of}: {advice} ({text[-500:]})")
