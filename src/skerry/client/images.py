"""Images in files: an archive as it is, an OCI layout in a folder as a tar file of it."""

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skerry.client.catalogue import Scope
from skerry.client.errors import BadSetting
from skerry.client.steps import Op, Policy, Work
from skerry.client.upload import digest_of, put_blob

UPLOADED = "blob:"
"""How a spec names an image that was brought as an archive."""


def put_image(path: Path, scope: Scope, policy: Policy) -> Op[str]:
    """Bring an image to the cloud unless it is there; its name for a spec. Raises
    ``BadSetting``."""
    with _archive(path) as archive:
        digest: str = yield Work(lambda: digest_of(archive))
        yield from put_blob(scope, archive, digest, policy)
    return f"{UPLOADED}{digest}"


@contextmanager
def _archive(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif (path / "oci-layout").is_file() and (path / "index.json").is_file():
        with tempfile.TemporaryDirectory(prefix="skerry-") as folder:
            packed = Path(folder) / "image.tar"
            with tarfile.open(packed, "w") as tar:
                for file in sorted(file for file in path.rglob("*") if file.is_file()):
                    tar.add(file, file.relative_to(path).as_posix(), filter=_plain)
            yield packed
    else:
        raise BadSetting(
            f"{path} is neither an image's archive nor a folder with an OCI layout",
            hint="`podman save --format oci-dir` and `skopeo copy … oci:FOLDER` write such folders;"
            " an image of a registry is named without ./ before it.",
        )


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same each time, so that it is brought once."""
    member.mtime = member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member
