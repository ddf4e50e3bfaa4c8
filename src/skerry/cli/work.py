"""The flags of everything that runs: ``run``, and ``create`` of a job, a pod and so on.

Each sets a field of the spec (``flags.FieldOption``), in the words that a person uses where the
field itself is a number of millicores or a list of objects. A command takes those whose field its
kind has, and ``flags.gathered`` makes the spec of what was given.
"""

from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

import click

from skerry.cli import flags, formats
from skerry.cli.common import Session
from skerry.cli.flags import FieldOption
from skerry.cli.sealed import SealedPair
from skerry.client.errors import BadSetting
from skerry.client.images import put_image
from skerry.client.units import parse_bytes, parse_millicores
from skerry.client.upload import Sent, upload

FOLDER = "+folder"
"""Where a spec holds the folder that is still to be brought."""


class Word(click.ParamType[Any]):
    """One word, read by a function that raises ``BadSetting`` where it can't."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except BadSetting as error:
            self.fail(f"{error.message}. {error.hint}", param, ctx)


def volume(text: str) -> dict[str, Any]:
    """``NAME:/PATH``, and ``:ro`` where it is only read."""
    name, _, rest = text.partition(":")
    path, _, mode = rest.partition(":")
    if not name or not path.startswith("/") or mode not in ("", "ro", "rw"):
        raise BadSetting(f"{text[:80]!r} is not NAME:/PATH", hint="Write data:/data or data:/x:ro.")
    return {"name": name, "path": path, **({"readOnly": True} if mode == "ro" else {})}


def scratch(text: str) -> dict[str, Any]:
    """``SIZE:/PATH``."""
    size, _, path = text.partition(":")
    if not path.startswith("/"):
        raise BadSetting(f"{text[:80]!r} is not SIZE:/PATH", hint="Write 10GiB:/scratch.")
    return {"size": parse_bytes(size), "path": path}


def secret(text: str) -> dict[str, Any]:
    """``NAME/KEY``, ``NAME/KEY=VARIABLE`` or ``NAME/KEY=/PATH``."""
    where, _, what = text.partition("=")
    name, slash, key = where.partition("/")
    if not name or not slash or not key:
        raise BadSetting(
            f"{text[:80]!r} is not SECRET/KEY",
            hint="Write db/password, db/password=PGPASSWORD or tls/key=/run/key.pem.",
        )
    given = {"path": what} if what.startswith("/") else {"env": what or key}
    return {"secret": name, "key": key, **given}


def _content(text: str) -> str:
    try:
        return Path(text).expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{text} can't be read: {error}", hint="Name a text file.") from None


def health(text: str) -> dict[str, Any]:
    """``/PATH``, ``:PORT`` or ``:PORT/PATH``."""
    before, slash, path = text.partition("/")
    port = before.removeprefix(":")
    if (before and (not before.startswith(":") or not port.isdecimal())) or not text:
        raise BadSetting(f"{text[:80]!r} is no health check", hint="Write /ready or :8080/ready.")
    return {**({"port": int(port)} if port else {}), **({"path": slash + path} if slash else {})}


class Health(FieldOption):
    """Beside what else is said of the health check."""

    def apply(self, spec: dict[str, Any], value: Any) -> None:
        spec["health"] = {**(spec.get("health") or {}), **value}


class Folder(FieldOption):
    """A folder here; ``brought`` makes files of the cloud of it."""

    def apply(self, spec: dict[str, Any], value: Path) -> None:
        spec[FOLDER] = value


def brought(session: Session, noun: str, spec: dict[str, Any]) -> dict[str, Any]:
    """The spec of a ``noun``, whose files here were brought to the cloud: its folder, and its image
    where that is a file or a folder. Raises ``BadSetting``."""
    folder, image = spec.pop(FOLDER, None), spec.get("image")
    local = isinstance(image, str) and image.startswith((".", "/", "~"))
    if not local and folder is None:
        return spec
    target = session.client.target(noun, "", "", {})
    with session.progress() as progress:

        def told(sent: Sent) -> None:
            if sent.done % max(1, sent.total // 10) == 0 or sent.done == sent.total:
                size = formats.size(sent.bytes_sent)
                progress.update(f"upload: {sent.done} of {sent.total} files, {size} sent")

        if local:
            progress.update(f"upload: {image}")
            op = put_image(Path(str(image)).expanduser(), target.scope, target.policy)
            spec = {**spec, "image": session.client.take(op)}
        if folder is not None:
            files = session.client.take(upload(folder, target.scope, target.policy, told))
            spec = {**spec, "inputs": [*spec.get("inputs", []), *files]}
    return spec


def options(has: Container[str]) -> list[FieldOption]:
    """Those whose field a kind has."""
    found = [
        _option("millicores", "--cpus", "-c", type=Word("cores", parse_millicores),
                help="Cores of each copy: 2, 0.5"),
        _option("memory", "--memory", "-m", type=Word("size", parse_bytes),
                help="Memory of each copy: 2GiB"),
        _option("disk", "--disk", type=Word("size", parse_bytes),
                help="Disk space each copy may fill: 10GiB"),
        _option("gpus", "--gpus", "-g", type=click.IntRange(0), help="GPUs of each copy"),
        _option("gpuModel", "--gpu-model", help="Only this model of GPU"),
        _option("image", "--image", metavar="IMAGE",
                help="Run in this image: of a registry, or ./FILE.tar or ./FOLDER"),
        _option("imageSecret", "--image-secret", metavar="NAME",
                help="Secret with username and password for the registry"),
        _option("requirements", "--requirements", metavar="FILE", type=Word("file", _content),
                help="Python packages it needs, as pip's requirements.txt"),
        _option("volumes", "--volume", metavar="NAME:/PATH[:ro]", multiple=True,
                type=Word("volume", volume), help="Mount a volume there"),
        _option("scratch", "--scratch", metavar="SIZE:/PATH", type=Word("scratch", scratch),
                help="Space for checkpoints there, kept until the job is deleted: 10GiB:/scratch"),
        _option("secrets", "--secret", metavar="NAME/KEY[=VARIABLE|=/PATH]", multiple=True,
                type=Word("secret", secret), help="Give it a value of a secret"),
        _option("env", "--env", "-e", metavar="KEY=VALUE", multiple=True, type=flags.Pair({}),
                help="Environment variable"),
        _option("secretEnv", "--secret-env", metavar="KEY[=@FILE]", multiple=True,
                type=SealedPair(),
                help="Environment variable never shown again: yours of that name, or a file"),
        _option("isolation", "--isolation", type=click.Choice(["sandbox", "vm", "process"]),
                help="What separates it from others"),
        _option("network", "--network/--no-network", help="Let it reach the outside"),
        _option("region", "--region", help="Only in this region"),
        _option("site", "--site", help="Only at this site"),
        _option("inputs", "--dir", metavar="FOLDER", type=click.Path(path_type=Path), of=Folder,
                help="Take this folder along, less what .gitignore names"),
        _option("health", "--health", metavar="[:PORT][/PATH]", type=Word("check", health),
                of=Health, help="Ready once this answers"),
    ]  # fmt: skip
    return [option for option in found if option.field.path[0] in has]


def _option(
    field: str, *names: str, of: type[FieldOption] = FieldOption, **how: Any
) -> FieldOption:
    made = flags.Field((field,), {}, False, False)
    how = {"metavar": "TEXT", **how} if "type" not in how and "/" not in names[0] else how
    return of(made, [*names, f"work_{field}"], default=None, **how)
