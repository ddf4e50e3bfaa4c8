"""Images of this machine: ``bring`` one, ``use`` it."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec

from skerry.sites.checks import check_digest
from skerry.sites.contract import ImageSource, Progress, Refused
from skerry.sites.local.blobs import Blobs
from skerry.sites.local.config import Config
from skerry.sites.local.images import archives, image, tools
from skerry.sites.local.images.copy import TAG, Copier, Manifest
from skerry.sites.local.images.facts import ROOTFS, Image
from skerry.sites.local.images.reference import Reference
from skerry.sites.local.images.sharing import Report, Sharing
from skerry.sites.local.images.shelf import Shelf, Tidier
from skerry.sites.local.shim.watch import used
from skerry.sites.local.sweep import remove_tree

_AT_ONCE = 3
"""Images brought at the same time; more wait."""


class Images:
    def __init__(self, directory: Path, blobs: Blobs, config: Config) -> None:
        self._uploads, self._limit = blobs, config.cache_bytes
        scratch = directory / "scratch"
        self.roots = Shelf(directory / "roots", scratch)
        self.blobs = Shelf(directory / "blobs" / "sha256", scratch)
        self._archives = directory / "archives"
        self._archives.mkdir(mode=0o700, exist_ok=True)
        self._copier = Copier(self.blobs.directory, config.plain_registries, config.stall)
        self._stall = config.stall
        self._sharing = Sharing()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._secret = os.urandom(32)
        self._proven: set[bytes] = set()
        """Who has shown to a registry that they may have which image."""
        self._pulling: list[str] = []
        self.tidier: Tidier

    def use(self, digest: str) -> Image:
        """The image, marked as used now. Raises ``Refused`` (``MissingImage``)."""
        found = image.load_image(self.roots.path(digest)) if self.roots.has(digest) else None
        if found is None:
            raise Refused("MissingImage", f"the image {digest} is not at this site: prepare it")
        return found

    def rootfs(self, digest: str) -> Path:
        return self.roots.path(digest) / ROOTFS

    async def bring(self, source: ImageSource) -> AsyncGenerator[Progress, None]:
        """See ``contract.Images.prepare_image``."""
        if bool(source.reference) == bool(source.archive):
            raise Refused("BadReference", "an image is named by a reference or by an archive")
        if source.digest:
            check_digest(source.digest)
        for name in ("skopeo", "umoci"):
            tools.program(name)
        steps = self._archived(source) if source.archive else self._referred(source)
        async for progress in steps:
            yield progress

    async def _referred(self, source: ImageSource) -> AsyncGenerator[Progress, None]:
        wanted = Reference.parse(source.reference)
        known = self._proof(wanted, source, source.digest)
        if source.digest and known in self._proven and self.roots.has(source.digest):
            yield Progress(stage="ready", digest=source.digest)
            return
        asked = self._proof(wanted, source, source.digest, wanted.tag, wanted.digest)

        async def refer(report: Report) -> str:
            report(Progress(stage="resolving"))
            return await self._refer(source, wanted, report)

        async for progress in self._sharing.follow(asked.hex(), refer):
            yield progress

    async def _refer(self, source: ImageSource, wanted: Reference, report: Report) -> str:
        """Ask the registry what it is, and bring that unless it is here. Its digest."""
        async with self._scratch() as scratch:
            try:
                manifest = await self._copier.resolve(source, wanted, scratch)
            except Refused as refused:
                if source.digest and refused.reason == "NoSuchImage":
                    raise Refused(
                        "ImageChanged",
                        f"{wanted.repository} has no image {source.digest} (any more)",
                    ) from refused
                raise
        self._proven |= {self._proof(wanted, source, d) for d in (manifest.digest, manifest.listed)}
        if self.roots.has(manifest.digest):
            return manifest.digest

        async def pull(report: Report) -> str:
            async with self._slots, self._scratch() as scratch:
                with self._marked(manifest):
                    await asyncio.to_thread(self.tidier.tidy)
                    layout, told = scratch / "layout", _bytes(report, "pulling")
                    told(0, sum(manifest.blobs.values()))
                    await self._copier.pull(
                        source, wanted, manifest, layout, told, self.tidier.check
                    )
                    return await self._finish(scratch, manifest.digest, manifest, report)

        async for progress in self._sharing.follow(manifest.digest, pull):
            report(progress)
        return manifest.digest

    async def _archived(self, source: ImageSource) -> AsyncGenerator[Progress, None]:
        archive = self._uploads.use(source.archive)
        note = self._archives / check_digest(source.archive)
        known = note.read_text() if note.exists() else ""
        if known and self.roots.has(known):
            digest = known
        else:

            async def take(report: Report) -> str:
                async with self._slots, self._scratch() as scratch:
                    await asyncio.to_thread(self.tidier.tidy)
                    report(Progress(stage="unpacking", total=archive.stat().st_size))
                    most, check = 2 * self._limit, self.tidier.check
                    kind = await asyncio.to_thread(archives.kind_of, archive, most)
                    layout, told = scratch / "layout", _bytes(report, "unpacking")
                    await self._copier.unpack_archive(archive, kind, layout, told, check, most)
                    digest = await self._finish(scratch, "", None, report)
                    (scratch / "note").write_text(digest)
                    (scratch / "note").rename(note)
                    return digest

            digest = ""
            async for progress in self._sharing.follow(source.archive, take):
                if progress.stage == "ready":
                    digest = progress.digest
                else:
                    yield progress
        if source.digest and digest != source.digest:
            raise Refused("ImageChanged", f"the archive holds {digest}, not {source.digest}")
        yield Progress(stage="ready", digest=digest)

    async def _finish(
        self, scratch: Path, digest: str, manifest: Manifest | None, report: Report
    ) -> str:
        """Unpack the layout that was copied, and keep it. Its digest."""
        entry, layout = scratch / "entry", scratch / "layout"
        entry.mkdir(mode=0o755)
        (layout / "blobs").mkdir(exist_ok=True)
        (layout / "blobs" / "sha256").symlink_to(self.blobs.directory)
        found, config = await asyncio.to_thread(self._read_layout, layout, manifest)
        digest = digest or found.digest
        if not self.roots.has(digest):
            await self._unpack(layout, entry / ROOTFS, found, report)
            size = int(await asyncio.to_thread(used, str(entry)))
            if size > self._limit:
                limit = self._limit >> 20
                raise Refused("ImageTooLarge", f"it takes {size >> 20} MiB; {limit} are allowed")
            (entry / ROOTFS).chmod(0o755)
            made = await asyncio.to_thread(image.read, config, entry / ROOTFS, digest)
            image.keep(made, entry)
            try:
                await asyncio.to_thread(self.roots.keep, entry, digest, size)
            except OSError as error:
                raise Refused("DiskFull", f"the image can't be kept: {error}") from error
        return digest

    def _read_layout(self, layout: Path, manifest: Manifest | None) -> tuple[Manifest, bytes]:
        """The manifest that skopeo wrote, which must name what the registry's named."""
        index = msgspec.json.decode((layout / "index.json").read_bytes())
        [descriptor] = index["manifests"]
        text = self.blobs.path(descriptor["digest"]).read_bytes()
        found = msgspec.json.decode(text)
        parts = [found["config"], *found["layers"]]
        blobs = {part["digest"]: part["size"] for part in parts}
        if manifest is not None and set(blobs) != set(manifest.blobs):
            raise Refused("DigestMismatch", "what was copied is not what the manifest names")
        config = self.blobs.path(found["config"]["digest"]).read_bytes()
        if f"sha256:{hashlib.sha256(config).hexdigest()}" != found["config"]["digest"]:
            raise Refused("DigestMismatch", "its configuration is not what the manifest names")
        image.check_machine(config)
        return Manifest(descriptor["digest"], descriptor["digest"], blobs), config

    async def _unpack(self, layout: Path, rootfs: Path, found: Manifest, report: Report) -> None:
        total = sum(found.blobs.values())
        written = 0

        def position(pid: int) -> int:
            nonlocal written
            read, written = tools.transferred(pid)
            report(Progress(stage="unpacking", done=min(read, total), total=total))
            return read + written

        def check() -> None:
            self.tidier.check()
            if written > 2 * self._limit:
                limit = self._limit >> 20
                raise Refused("ImageTooLarge", f"it takes more than the {limit} MiB allowed")

        report(Progress(stage="unpacking", total=total))
        rootless = () if os.geteuid() == 0 else ("--rootless",)
        argv = (tools.program("umoci"), "raw", "unpack", *rootless)
        argv = (*argv, "--image", f"{layout}:{TAG}", str(rootfs))
        try:
            ended = await tools.run(
                argv, layout.parent, stall=self._stall, position=position, check=check
            )
        except TimeoutError as error:
            raise Refused("Stalled", f"unpacking stands still: {error}; try again") from error
        if ended.code != 0:
            await asyncio.to_thread(self._drop_liars, found)
            if "no space left" in ended.said:
                await asyncio.to_thread(self.tidier.tidy, hard=True)
                raise Refused("DiskFull", "the host's disk was full before it was unpacked")
            raise Refused("BadImage", f"it can't be unpacked: {_last(ended.said)}")

    def _drop_liars(self, found: Manifest) -> None:
        """Blobs that are not what they are named, after a fault of the disk."""
        for digest in found.blobs:
            path = self.blobs.path(digest)
            if path.exists():
                with path.open("rb") as file:
                    if f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" != digest:
                        path.unlink()

    @asynccontextmanager
    async def _scratch(self) -> AsyncIterator[Path]:
        try:
            self.tidier.check()
            path = self.roots.work()
        except OSError as error:
            raise Refused("DiskFull", f"the host can't write: {error}") from error
        try:
            yield path
        finally:
            await asyncio.shield(asyncio.to_thread(remove_tree, path))

    @contextmanager
    def _marked(self, manifest: Manifest) -> Iterator[None]:
        """Its blobs stay while it is brought."""
        names = [d.removeprefix("sha256:") for d in manifest.blobs]
        self._pulling += names
        try:
            yield
        finally:
            for name in names:
                self._pulling.remove(name)

    @property
    def pulling(self) -> set[str]:
        """Hex digits of the blobs of what is being brought."""
        return set(self._pulling)

    def _proof(self, wanted: Reference, source: ImageSource, *digest: str) -> bytes:
        words = (wanted.repository, source.username, source.password, *digest)
        return hashlib.blake2b(msgspec.json.encode(words), key=self._secret).digest()

    async def close(self) -> None:
        await self._sharing.close()


def _bytes(report: Report, stage: str) -> Callable[[int, int], None]:
    def told(done: int, total: int) -> None:
        report(Progress(stage=stage, done=done, total=total))  # type: ignore[arg-type]

    return told


def _last(said: str) -> str:
    lines = [line.strip(" ⨯•") for line in said.splitlines() if line.strip()]
    return lines[-1][-500:] if lines else "umoci has said nothing"
