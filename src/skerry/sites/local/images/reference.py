"""How images are named: ``registry.example:5000/team/app:tag``, ``…@sha256:<hex>``, ``alpine``."""

import re
from dataclasses import dataclass

from skerry.sites.contract import Refused

_HOST = (
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::\d+)?"
)
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?:(?P<host>{_HOST})/)?(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?\Z"
)
_DOCKER = "docker.io"
_LONGEST = 1024


@dataclass(frozen=True)
class Reference:
    host: str
    """Registry, with its port if it has one."""
    path: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Names without a registry are Docker Hub's, as everywhere. Raises ``Refused``."""
        found = _NAME.match(text) if len(text) <= _LONGEST else None
        if found is None:
            raise Refused("BadReference", f"{text[:200]!r} is not the name of an image")
        host, path = found["host"] or "", found["path"]
        if host and not ("." in host or ":" in host or host == "localhost"):
            host, path = "", f"{host}/{path}"
        if path != path.lower():
            raise Refused("BadReference", f"{text[:200]!r}: names of images are in lower case")
        if not host:
            host, path = _DOCKER, path if "/" in path else f"library/{path}"
        return cls(host, path, found["tag"] or "", found["digest"] or "")

    @property
    def repository(self) -> str:
        return f"{self.host}/{self.path}"

    def at(self, digest: str) -> str:
        """For skopeo: the image of that digest there, or what its own words stand for."""
        exact = digest or self.digest
        return f"docker://{self.repository}" + (
            f"@{exact}" if exact else f":{self.tag or 'latest'}"
        )

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")
