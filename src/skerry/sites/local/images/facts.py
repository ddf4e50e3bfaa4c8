"""What is known of an image that is here."""

import msgspec

RECORD = "image.json"
ROOTFS = "rootfs"


class Image(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """An image that is here."""

    digest: str
    """Of its manifest, as its registry has it."""
    command: tuple[str, ...] = ()
    """Entrypoint and its arguments."""
    env: dict[str, str] = {}
    directory: str = ""
    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    home: str = "/"
