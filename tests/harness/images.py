"""Images made by hand: layers, configuration, manifest; as archives, or put into a registry.

What runs in them is busybox, a program that needs nothing else.
"""

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

BUSYBOX = Path("/bin/busybox")
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PASSWD = "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n"
GROUP = "root:x:0:\nweb:x:34:\nteam:x:50:web\n"
_TOOLS = ("sh", "ls", "id", "cat", "env", "pwd", "rm", "touch", "sleep", "stat", "true", "chown")


class Entry(NamedTuple):
    """A member of a layer, as tar has it."""

    name: str
    content: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    mode: int = 0o755
    uid: int = 0


def directory(name: str, **more: Any) -> Entry:
    return Entry(name, kind=tarfile.DIRTYPE, **more)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(*entries: Entry) -> bytes:
    """A tar file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for entry in entries:
            member = tarfile.TarInfo(entry.name)
            member.type, member.linkname, member.mode = entry.kind, entry.link, entry.mode
            member.uid = member.gid = entry.uid
            member.size = len(entry.content)
            tar.addfile(member, io.BytesIO(entry.content))
    return packed.getvalue()


@cache
def base() -> bytes:
    """A small userland."""
    return layer(
        *map(directory, ("bin", "etc", "root", "srv")),
        Entry("bin/busybox", BUSYBOX.read_bytes()),
        *(Entry(f"bin/{name}", kind=tarfile.SYMTYPE, link="busybox") for name in _TOOLS),
        Entry("etc/passwd", PASSWD.encode(), mode=0o644),
        Entry("etc/group", GROUP.encode(), mode=0o644),
    )


class Image(NamedTuple):
    """A manifest or an index, and all that it names."""

    text: bytes
    kind: str
    blobs: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        return digest_of(self.text)

    @property
    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.kind, "digest": self.digest, "size": len(self.text)}

    def files(self) -> dict[str, bytes]:
        """An OCI layout."""
        listed = {"schemaVersion": 2, "manifests": [self.descriptor]}
        return {
            "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
            "index.json": json.dumps(listed).encode(),
            **{f"blobs/{d.replace(':', '/')}": content for d, content in self.blobs.items()},
            f"blobs/{self.digest.replace(':', '/')}": self.text,
        }

    def archive(self) -> bytes:
        """The layout as a tar file."""
        return layer(*(Entry(name, text, mode=0o644) for name, text in self.files().items()))

    def unpack(self, folder: Path) -> None:
        """The layout as a folder."""
        for name, content in self.files().items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)


@cache
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=1, mtime=0)


def image(
    layers: Sequence[bytes] = (),
    *,
    architecture: str = ARCHITECTURE,
    with_base: bool = True,
    compressed: bool = True,
    **config: Any,
) -> Image:
    """``config``: ``Cmd``, ``Env`` … as Docker names them."""
    tars = [base(), *layers] if with_base else list(layers)
    stored = list(map(_packed, tars)) if compressed else tars
    blobs = {digest_of(content): content for content in stored}
    settings = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in tars]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest_of(settings), "size": len(settings)},
        "layers": [
            {
                "mediaType": LAYER if compressed else LAYER.removesuffix("+gzip"),
                "digest": digest_of(content),
                "size": len(content),
            }
            for content in stored
        ],
    }
    blobs[digest_of(settings)] = settings
    return Image(json.dumps(manifest).encode(), MANIFEST, blobs)


def index(images: Iterable[tuple[str, Image]]) -> Image:
    """Of images for several architectures."""
    entries, blobs = [], {}
    for architecture, one in images:
        where = {"os": "linux", "architecture": architecture}
        entries.append({**one.descriptor, "platform": where})
        blobs |= {**one.blobs, one.digest: one.text}
    text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    return Image(text, INDEX, blobs)
