"""Python environments: built by uv from wheels alone, so that nothing of them runs while built.

An environment is named by what it is to be: its requirements in their plainest form, the Python and
the platform. It is resolved to exact versions with hashes first, and then installed some packages
at a time, which tells how far it is.
"""

import asyncio
import hashlib
import os
import platform
import re
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import msgspec

from skerry.sites.contract import EnvironmentSource, Progress, Refused
from skerry.sites.local.config import Config
from skerry.sites.local.images import tools
from skerry.sites.local.images.sharing import Report, Sharing
from skerry.sites.local.images.shelf import Shelf, Tidier
from skerry.sites.local.shim.watch import used
from skerry.sites.local.state import load, save
from skerry.sites.local.sweep import remove_tree

VENV, RECORD = "venv", "environment.json"
_BATCH = 8
"""Packages installed by one call; uv fetches them at the same time."""
_LONGEST = 1 << 20
_ITEM = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<extras>\[[A-Za-z0-9._,\s-]*\])?\s*"
    r"(?P<versions>\(?[<>=!~](?:(?!--)[A-Za-z0-9.*+!,<>=~()\s_-])*)?(?P<marker>;[^@/\\]*)?"
    r"(?P<hashes>(?:\s--hash[= ]sha(?:256|384|512):[0-9a-f]+)*)\s*\Z"
)
_FAULTS = (
    ("NoWheel", r"no (?:usable )?wheels|no wheel|building source distributions|only-binary"),
    ("IndexUnreachable", r"error sending request|failed to fetch|timed out|connection|dns error"),
    ("DiskFull", r"no space left|disk quota"),
    ("NoSuchPackage", r"not found in the package registry|was not found"),
    ("BadRequirements", r"unsatisfiable|no solution|couldn't parse|expected|invalid"),
)


class _Record(msgspec.Struct):
    requirements: str
    packages: list[str]


class Environments:
    def __init__(self, directory: Path, config: Config) -> None:
        self._limit, self._stall, self._index = config.cache_bytes, config.stall, config.index
        self.made = Shelf(directory / "made", directory / "scratch")
        self._cache = directory / "cache"
        self._sharing = Sharing()
        self._slots = asyncio.Semaphore(2)
        self.tidier: Tidier

    def use(self, digest: str) -> Path:
        """Where it is, marked as used now. Raises ``Refused`` (``MissingEnvironment``)."""
        if not self.made.has(digest):
            words = f"the Python environment {digest} is not at this site: prepare it"
            raise Refused("MissingEnvironment", words)
        return self.made.path(digest) / VENV

    async def bring(self, source: EnvironmentSource) -> AsyncGenerator[Progress, None]:
        """See ``contract.Images.prepare_environment``."""
        lines = plain(source.requirements)
        digest = digest_of(lines, self._index)
        if self.made.has(digest):
            yield Progress(stage="ready", digest=digest)
            return

        async def build(report: Report) -> str:
            async with self._slots:
                await asyncio.to_thread(self.tidier.tidy)
                self.tidier.check()
                scratch = self.made.work()
                try:
                    return await self._build(scratch, lines, digest, report)
                except OSError as error:
                    raise Refused("DiskFull", f"it can't be built: {error}") from error
                finally:
                    await asyncio.shield(asyncio.to_thread(remove_tree, scratch))

        async for progress in self._sharing.follow(digest, build):
            yield progress

    async def _build(self, scratch: Path, lines: list[str], digest: str, report: Report) -> str:
        report(Progress(stage="resolving"))
        entry = scratch / "entry"
        entry.mkdir(mode=0o755)
        venv, wanted, exact = entry / VENV, scratch / "wanted", scratch / "exact"
        wanted.write_text("\n".join(lines) + "\n")
        python = os.path.realpath(sys.executable)
        await self._uv(scratch, "venv", "--relocatable", "--no-project", "-p", python, str(venv))
        aim = ("--python", str(venv / "bin" / "python"))
        await self._uv(
            scratch, "pip", "compile", *aim, "--generate-hashes", "--no-header",
            "--no-annotate", *self._wheels(), "--output-file", str(exact), str(wanted),
        )  # fmt: skip
        packages = _packages(exact.read_text(), lines)
        report(Progress(stage="installing", total=len(packages)))
        for start in range(0, len(packages), _BATCH):
            batch = scratch / "batch"
            batch.write_text("\n".join(packages[start : start + _BATCH]) + "\n")
            await self._uv(
                scratch, "pip", "install", *aim, "--no-deps", "--require-hashes", *self._wheels(),
                *(["--compile-bytecode"] if start + _BATCH >= len(packages) else []),
                "--requirements", str(batch),
            )  # fmt: skip
            done = min(start + _BATCH, len(packages))
            report(Progress(stage="installing", done=done, total=len(packages)))
        size = int(await asyncio.to_thread(used, str(entry)))
        names = [package.split()[0] for package in packages]
        save(entry / RECORD, _Record(requirements="\n".join(lines), packages=names))
        await asyncio.to_thread(self.made.keep, entry, digest, size)
        return digest

    def _wheels(self) -> tuple[str, ...]:
        return ("--no-build", *(("--default-index", self._index) if self._index else ()))

    async def _uv(self, scratch: Path, *words: str) -> None:
        """Raises ``Refused``."""
        env = {
            "UV_CACHE_DIR": str(self._cache),
            "UV_HTTP_TIMEOUT": str(max(int(self._stall), 1)),
            "UV_HTTP_RETRIES": "1",
            "UV_NO_CONFIG": "1",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "NO_COLOR": "1",
        }

        def position(pid: int) -> int:
            return sum(tools.transferred(pid))

        try:
            ended = await tools.run(
                (_uv(), *words),
                scratch,
                stall=3 * self._stall,
                position=position,
                env=env,
                check=self.tidier.check,
            )
        except TimeoutError as error:
            raise Refused("Stalled", f"the package index stands still: {error}") from error
        if ended.code != 0:
            raise _fault(ended.said)

    def find(self, digest: str) -> list[str]:
        """The packages of one that is here, with versions."""
        record = load(self.made.path(digest) / RECORD, _Record)
        return record.packages if record else []

    async def close(self) -> None:
        await self._sharing.close()


def plain(requirements: str) -> list[str]:
    """Requirements in their plainest form, sorted, each once: names, versions, hashes.

    Anything else that pip takes (options, other files, addresses, folders) would reach beyond the
    package index. Raises ``Refused`` (``BadRequirements``).
    """
    if len(requirements) > _LONGEST:
        raise Refused("BadRequirements", f"they have more than {_LONGEST >> 20} MiB")
    joined = re.sub(r"\\\r?\n", " ", requirements)
    found = set()
    for line in joined.splitlines():
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if not text:
            continue
        match = _ITEM.match(text)
        if match is None:
            raise Refused(
                "BadRequirements",
                f"{text[:200]!r} is no package's name with versions; options, addresses and files "
                "can't be used here",
            )
        name = re.sub(r"[-_.]+", "-", match["name"]).lower()
        rest = ((match[part] or "").strip() for part in ("extras", "versions", "marker"))
        hashes = " ".join(sorted((match["hashes"] or "").split()))
        found.add(
            " ".join(filter(None, (name + "".join(re.sub(r"\s+", " ", r) for r in rest), hashes)))
        )
    return sorted(found)


def digest_of(lines: list[str], index: str) -> str:
    """What names the environment: its requirements, index, Python and platform."""
    about = (*sys.version_info[:3], sys.implementation.name, os.path.realpath(sys.executable))
    where = (platform.machine(), *platform.libc_ver())
    text = msgspec.json.encode((1, lines, index, about, where))
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def _uv() -> str:
    """Its path. Raises ``Refused``."""
    try:
        import uv

        return os.fsdecode(uv.find_uv_bin())
    except (ImportError, FileNotFoundError) as error:
        raise Refused(
            "Unsupported",
            "this host can't build Python environments: uv is not installed; its operator can "
            "install it (pip install uv)",
        ) from error


def _packages(text: str, lines: list[str]) -> list[str]:
    """Of a compiled file: one line each, with its hashes, or those that were asked for."""
    wanted = {name: hashes for name, _, hashes in map(_hashed, lines) if hashes}
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    found = []
    for line in joined.splitlines():
        if line.strip() and not line.startswith("#"):
            name, words, hashes = _hashed(line)
            found.append(f"{words} {wanted.get(name, hashes)}")
    return found


def _hashed(line: str) -> tuple[str, str, str]:
    """Name, the words up to the hashes, and these."""
    words, mark, hashes = line.partition(" --hash=")
    name = re.match(r"[A-Za-z0-9._-]+", words)
    return name[0] if name else "", words, f"{mark.strip()}{hashes}"


def _fault(said: str) -> Refused:
    text = re.sub(r"\s+", " ", re.sub(r"^\s*[×╰─▶│├hint:]+\s*", "", said, flags=re.MULTILINE))
    text = text.strip()[-1000:]
    reason = next((r for r, words in _FAULTS if re.search(words, text, re.IGNORECASE)), "")
    advice = {
        "NoWheel": "a package has no wheel for this host, and building one would run its code",
        "IndexUnreachable": "the package index does not answer; try again",
        "DiskFull": "the host's disk is full",
        "NoSuchPackage": "a package is not in the index",
    }.get(reason, "they can't be installed")
    return Refused(reason or "BadRequirements", f"{advice}: {text}")
