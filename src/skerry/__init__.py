"""Skerry: a cloud in a box.

One loop, six verbs: ask, match, run, meter, bill, prove. Each verb is a package, and
imports only go up the ladder ``store < kernel < proof < identity < ledger < market <
sites < gateway < products < api``; ``client`` speaks HTTP only and ``cli`` stands on it.

``skerry.Client`` and ``skerry.AsyncClient`` are the Python client, imported when first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skerry.client import AsyncClient as AsyncClient
    from skerry.client import Client as Client
    from skerry.client import SkerryError as SkerryError

__version__ = "0.1.0"

_CLIENT = ("AsyncClient", "Client", "SkerryError")


def __getattr__(name: str) -> Any:
    if name not in _CLIENT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from skerry import client

    return getattr(client, name)
