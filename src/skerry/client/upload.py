"""Folders by content: what a job takes along, sent once.

A folder is walked honouring every ``.gitignore`` in it, and those above it in its repository; each
file is named by the SHA-256 of its bytes, and only blobs that the cloud lacks are sent. Links
inside the folder are followed as files; one that leads out of it is refused, since nobody who says
"this folder" means another.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from skerry.client.catalogue import Scope, segment
from skerry.client.errors import BadSetting, NotFound
from skerry.client.steps import Op, Policy, Request, Together, Work, send

PROVIDER = "skerry.run/v1"
Rules = list[tuple[Path, Any]]
"""Folders and what their .gitignore says, outer ones first."""
MOST_FILES = 20_000
_BLOCK = 1 << 20


class LocalFile(NamedTuple):
    """A file to take along: its place in the folder and what it holds."""

    path: str
    source: Path
    size: int
    mode: int
    digest: str = ""

    def entry(self) -> dict[str, Any]:
        """As in a job's ``inputs``."""
        return {"path": self.path, "digest": self.digest, "size": self.size, "mode": self.mode}


class Sent(NamedTuple):
    """How far an upload is: distinct files looked at, of how many, sent, bytes sent."""

    done: int
    total: int
    files_sent: int
    bytes_sent: int


def scan(root: Path) -> list[LocalFile]:
    """The files of a folder that git would not ignore, sorted by path. ``.git`` is left out.

    Raises ``BadSetting`` if it is no folder, can't be read, holds more than 20,000 files or a link
    that leads out of it.
    """
    top = root.resolve()
    if not top.is_dir():
        raise BadSetting(f"{root} is not a folder")
    try:
        found = sorted(_walk(top, top, _above(top)), key=lambda file: file.path)
    except OSError as error:
        raise BadSetting(f"{error.filename} can't be read", detail=str(error.strerror)) from None
    if len(found) > MOST_FILES:
        raise BadSetting(
            f"{root} holds {len(found)} files; at most {MOST_FILES} can be taken along",
            hint="Name what is not needed in a .gitignore, or pack it into one file.",
        )
    return found


def _above(top: Path) -> Rules:
    """What the repository's folders above say. A folder that they ignore was named on purpose."""
    rules: Rules = []
    for folder in (top, *top.parents):
        if folder != top:
            rules = [*_own(folder), *rules]
        if (folder / ".git").exists():
            return [] if _ignored(top, True, rules) else rules
    return []


def _own(folder: Path) -> Rules:
    """What the folder's own .gitignore says."""
    import pathspec

    ignore = folder / ".gitignore"
    if not ignore.is_file():
        return []
    lines = ignore.read_text("utf-8", "replace").splitlines()
    return [(folder, pathspec.GitIgnoreSpec.from_lines(lines))]


def _walk(top: Path, folder: Path, rules: Rules) -> Iterator[LocalFile]:
    rules = [*rules, *_own(folder)]
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        path = Path(entry.path)
        is_dir = entry.is_dir(follow_symlinks=False)
        if entry.name == ".git" or _ignored(path, is_dir, rules):
            continue
        if is_dir:
            yield from _walk(top, path, rules)
            continue
        real = path.resolve()
        if entry.is_symlink() and (not real.is_relative_to(top) or not real.is_file()):
            raise BadSetting(
                f"{path.relative_to(top)} is a link to {os.readlink(path)}, not to a file in {top}",
                hint="Put the file itself there, or name the link in a .gitignore.",
            )
        if real.is_file():
            facts = real.stat()
            mode = 0o755 if facts.st_mode & 0o100 else 0o644
            yield LocalFile(path.relative_to(top).as_posix(), real, facts.st_size, mode)


def _ignored(path: Path, is_dir: bool, rules: Rules) -> bool:
    """Git's rule: the deepest .gitignore that says anything about a path decides."""
    for base, spec in reversed(rules):
        name = path.relative_to(base).as_posix() + ("/" if is_dir else "")
        verdict = spec.check_file(name).include
        if verdict is not None:
            return bool(verdict)
    return False


def digest_of(path: Path) -> str:
    """``sha256:<hex>`` of a file's bytes."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return f"sha256:{found.hexdigest()}"


def blob_path(scope: Scope, digest: str) -> str:
    tenant = segment(scope.tenant, "tenant")
    workspace = segment(scope.workspace, "workspace")
    return f"/providers/{PROVIDER}/tenants/{tenant}/workspaces/{workspace}/blobs/{digest}"


def put_blob(scope: Scope, source: Path, digest: str, policy: Policy) -> Op[bool]:
    """Bring a file to the cloud unless it is there. Says whether it was sent."""
    path = blob_path(scope, digest)
    try:
        yield from send(Request("HEAD", path), policy)
    except NotFound:
        headers = {"content-type": "application/octet-stream"}
        yield from send(Request("PUT", path, headers=headers, file=source), policy)
        return True
    return False


def upload(
    root: Path, scope: Scope, policy: Policy, told: Callable[[Sent], object] | None = None
) -> Op[list[Mapping[str, Any]]]:
    """Bring a folder's files to the cloud, equal ones once; the result is a job's ``inputs``."""
    files: list[LocalFile] = yield Work(lambda: scan(root))
    named: list[LocalFile] = yield Together([_named(file) for file in files])
    distinct = list({file.digest: file for file in named}.values())
    state = Sent(0, len(distinct), 0, 0)
    turn = Lock()

    def bring(file: LocalFile) -> Op[None]:
        nonlocal state
        sent = yield from put_blob(scope, file.source, file.digest, policy)
        with turn:
            state = Sent(
                state.done + 1,
                state.total,
                state.files_sent + sent,
                state.bytes_sent + (file.size if sent else 0),
            )
            if told is not None:
                told(state)

    yield Together([bring(file) for file in distinct])
    return [file.entry() for file in named]


def _named(file: LocalFile) -> Op[LocalFile]:
    digest: str = yield Work(lambda: digest_of(file.source))
    return file._replace(digest=digest)
