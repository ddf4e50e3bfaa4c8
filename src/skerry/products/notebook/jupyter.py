"""The JupyterLab of a notebook, as the spec of its pod."""

from importlib.resources import files
from typing import Any

from skerry.products.notebook.specs import NotebookSpec

PORT = 8888
HOME = "/home/notebook"
"""Where its volume is mounted."""
SCRATCH = "/work"
"""Its files without a volume: its pod's own directory."""
KEY_HEADER = "X-Skerry-Key"
KEY = "SKERRY_NOTEBOOK_KEY"
GRACE = 15
"""Seconds that kernels have to end."""
_AS_THE_POD = (
    "millicores", "memory", "disk", "gpus", "gpuModel", "image", "imageSecret", "secrets",
    "isolation", "network", "region", "site",
)  # fmt: skip
_ROOM = files("skerry.products.notebook")


def pod(spec: NotebookSpec, given: dict[str, Any]) -> dict[str, Any]:
    """The spec of the pod, without what is sealed. ``given`` is the notebook's own document, in
    which defaults stay defaults."""
    home = HOME if spec.volume else SCRATCH
    own = [{"name": spec.volume, "path": HOME}] if spec.volume else []
    made = {
        "command": ["python3", "-c", program()],
        "requirements": "" if spec.image else requirements(spec.requirements),
        "env": {
            **({"HOME": HOME} if spec.volume else {}),
            **spec.env,
            "SKERRY_NOTEBOOK_HOME": home,
            "SKERRY_NOTEBOOK_PORT": str(PORT),
        },
        "volumes": [*own, *given.get("volumes", ())],
        "ports": [PORT],
        "health": {"port": PORT},
        "grace": GRACE,
        **{name: given[name] for name in _AS_THE_POD if name in given},
        "memory": spec.memory,
    }
    return {name: value for name, value in made.items() if value not in ("", [], {})}


def program() -> str:
    """What starts JupyterLab."""
    return _ROOM.joinpath("inside.py").read_text("utf-8")


def requirements(more: str) -> str:
    """JupyterLab with all that it needs, at versions known to work together, and ``more``."""
    return f"{_ROOM.joinpath('requirements.txt').read_text('utf-8')}{more}"
