"""What is refused of anything that runs, in its own request, beyond what its schema says."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from skerry.kernel import uploads
from skerry.kernel.errors import Forbidden, Source, ValidationError
from skerry.kernel.hooks import Caller
from skerry.kernel.paths import Path, ref_of
from skerry.kernel.resources import Resources
from skerry.kernel.rows import Resource
from skerry.products.run.work import UPLOADED, WorkSpec
from skerry.store import Tx
from skerry.store.blobs import parse_digest

_OF_THE_SYSTEM = ("/dev", "/proc", "/sys")


async def check_work(
    tx: Tx,
    resources: Resources,
    resource: Resource,
    old: Resource | None,
    spec: WorkSpec,
    by: Caller,
    *,
    mounted: Iterable[tuple[str, str]] = (),
) -> None:
    """Refuse what can't be run as asked. ``mounted`` are more fields with paths in its file system,
    each with where it stands. What a spec names is looked up where it differs from that
    of ``old``: volumes, secrets and uploads that went away since are no reason to refuse a
    label."""
    if spec.isolation == "process" and not by.operator:
        raise Forbidden(
            "isolation 'process' is the host's own process, for the operator only",
            hint="Leave isolation out: a sandbox is the default.",
        )
    _check_command(spec)
    _check_inputs(spec)
    _check_secrets(spec)
    _check_mounts(spec, mounted)
    _once("ports", ((_at(f"ports/{n}"), str(p)) for n, p in enumerate(spec.ports)))
    if old is None or old.spec != resource.spec:
        await _check_named(tx, resources, resource, spec)
        await _check_blobs(tx, resource, spec)


def _at(field: str) -> str:
    """Where a field of the spec stands in the document."""
    return f"/spec/{field}"


def _check_command(spec: WorkSpec) -> None:
    if not spec.command and not spec.image:
        raise ValidationError(
            "there is nothing to run: no command is given, and no image that has one",
            hint="Give a command, or an image.",
            sources=[Source(pointer=_at("command"))],
        )
    if spec.image_secret and not spec.image:
        raise ValidationError.at(
            _at("imageSecret"), "imageSecret is for an image, and none is given"
        )
    if spec.image and spec.requirements:
        raise ValidationError(
            "requirements are for the host's own Python, and an image is given",
            hint="Put the packages into the image, or leave one of the two out.",
            sources=[Source(pointer=_at("requirements"))],
        )
    if spec.image.startswith(UPLOADED):
        try:
            parse_digest(spec.image.removeprefix(UPLOADED))
        except ValueError as bad:
            raise ValidationError.at(_at("image"), f"image: {bad}") from None


def _check_inputs(spec: WorkSpec) -> None:
    paths = []
    for index, given in enumerate(spec.inputs):
        pointer = _at(f"inputs/{index}/path")
        path = PurePosixPath(given.path)
        if path.is_absolute() or ".." in path.parts or str(path) in (".", ""):
            raise ValidationError(
                f"inputs: {given.path[:100]!r} leads out of its directory",
                hint="Give a path below it, without '..'.",
                sources=[Source(pointer=pointer)],
            )
        paths.append((pointer, str(path)))
    _once("inputs", paths)


def _check_secrets(spec: WorkSpec) -> None:
    names = [(_at("env"), name) for name in spec.env]
    for index, use in enumerate(spec.secrets):
        pointer = _at(f"secrets/{index}")
        if bool(use.env) == bool(use.path):
            raise ValidationError(
                f"secrets: {use.key[:100]!r} of {use.secret[:100]!r} has "
                + ("both env and path" if use.env else "neither env nor path"),
                hint="Give one of them: env for a variable, path for a file.",
                sources=[Source(pointer=pointer)],
            )
        if use.env:
            names.append((f"{pointer}/env", use.env))
    _once("variables", names)


def _check_mounts(spec: WorkSpec, more: Iterable[tuple[str, str]]) -> None:
    """Volumes and files of secrets each have a place of their own."""
    paths = []
    for pointer, text in (*_mounted(spec), *more):
        path = PurePosixPath(text)
        if not path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
            raise ValidationError(
                f"{text[:100]!r} is no place for a volume or a secret",
                hint="Give an absolute path below /, without '..'.",
                sources=[Source(pointer=pointer)],
            )
        if any(path.is_relative_to(taken) for taken in _OF_THE_SYSTEM):
            raise ValidationError.at(pointer, f"{text[:100]!r} belongs to the system")
        paths.append((pointer, str(path)))
    _once("paths", paths)
    _once("volumes", ((_at(f"volumes/{n}/name"), v.name) for n, v in enumerate(spec.volumes)))


def _mounted(spec: WorkSpec) -> Iterator[tuple[str, str]]:
    for index, volume in enumerate(spec.volumes):
        yield _at(f"volumes/{index}/path"), volume.path
    for index, use in enumerate(spec.secrets):
        if use.path:
            yield _at(f"secrets/{index}/path"), use.path


def _once(what: str, given: Iterable[tuple[str, str]]) -> None:
    seen: set[str] = set()
    for pointer, value in given:
        if value in seen:
            raise ValidationError.at(pointer, f"{what}: {value[:100]!r} is given twice")
        seen.add(value)


async def _check_named(tx: Tx, resources: Resources, resource: Resource, spec: WorkSpec) -> None:
    """Volumes and secrets exist in its workspace."""
    named = [("volume", v.name, _at(f"volumes/{n}/name")) for n, v in enumerate(spec.volumes)]
    named += [("secret", u.secret, _at(f"secrets/{n}/secret")) for n, u in enumerate(spec.secrets)]
    if spec.image_secret:
        named.append(("secret", spec.image_secret, _at("imageSecret")))
    for noun, name, pointer in named:
        kind = resources.registry.by_noun.get(noun)
        if kind is None:
            raise ValidationError.at(pointer, f"this cloud keeps no {noun}s")
        found = await resources.find(
            tx, ref_of(kind, Path(resource.tenant, resource.workspace, (), name))
        )
        if found is None or found.state == "deleting":
            raise ValidationError(
                f"there is no {noun} {name[:100]!r} in workspace {resource.workspace!r}",
                hint=f"Create it first: skerry {noun} create {name[:100]}",
                sources=[Source(pointer=pointer)],
            )


async def _check_blobs(tx: Tx, resource: Resource, spec: WorkSpec) -> None:
    wanted = {
        given.digest: (f"inputs: {given.path[:100]!r}", _at(f"inputs/{index}/digest"))
        for index, given in reversed(list(enumerate(spec.inputs)))
    }
    if spec.image.startswith(UPLOADED):
        wanted[spec.image.removeprefix(UPLOADED)] = ("image: the archive", _at("image"))
    if not wanted:
        return
    there = await uploads.use(tx, resource.tenant, resource.workspace, list(wanted))
    for digest, (what, pointer) in wanted.items():
        if digest not in there:
            raise ValidationError(
                f"{what} has not been uploaded",
                hint="PUT its bytes to the workspace's blobs first; `skerry run --dir` does.",
                sources=[Source(pointer=pointer)],
            )
