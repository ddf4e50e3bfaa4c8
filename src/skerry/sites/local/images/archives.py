"""What kind of archive a tenant has uploaded."""

import tarfile
from pathlib import Path
from typing import Literal

from skerry.sites.contract import Refused

Kind = Literal["oci-archive", "docker-archive"]
_MOST = 200_000
"""Entries that are looked at."""


def kind_of(path: Path, most: int) -> Kind:
    """An OCI archive is a layout as a tar file; Docker's has a ``manifest.json``; one that is both,
    as Docker writes nowadays, is taken for the former. ``most`` bytes may lie in it, unpacked, so
    that a small file of packed nothing does not keep this host busy. Raises ``Refused``."""
    names = set()
    try:
        with tarfile.open(path, "r:*") as tar:
            for number, member in enumerate(tar):
                name = member.name.removeprefix("./").rstrip("/")
                if name in ("oci-layout", "index.json", "manifest.json"):
                    names.add(name)
                if {"oci-layout", "index.json"} <= names:
                    return "oci-archive"
                if number > _MOST:
                    break
                if tar.offset > most:  # where the next entry begins, which is yet to be read
                    raise Refused(
                        "ImageTooLarge", f"the archive holds more than the {most >> 20} MiB allowed"
                    )
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Refused("BadImage", f"the archive is no tar file: {error}") from error
    if "manifest.json" in names:
        return "docker-archive"
    raise Refused(
        "BadImage",
        "the archive holds no image: expected is what `docker save`, `podman save` or "
        "`skopeo copy … oci-archive:` writes, or an OCI layout as a tar file",
    )
