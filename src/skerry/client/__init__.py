"""The Python client: Skerry's public API over HTTP, and nothing of the server.

``Client`` blocks, ``AsyncClient`` awaits; both are generic over the *catalogue*, the API's kinds as
a file, so a product added to a cloud needs no line here. Everything either can do is written once,
as a generator of steps without input or output (``steps``, ``operations``, ``streams``,
``upload``, ``jobs``); ``blocking`` and ``asynchronous`` take those steps. ``config`` says where the
cloud is, ``errors`` what can go wrong.

Names are imported when first used: httpx2 costs more than all the rest of a command's start.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skerry.client.aio import AsyncClient
    from skerry.client.errors import (
        BadSetting,
        Conflict,
        Forbidden,
        Gone,
        InvalidRequest,
        NoCapacity,
        NotFound,
        PreconditionFailed,
        ProblemError,
        ServerError,
        SkerryError,
        TooManyRequests,
        Unauthenticated,
        Unreachable,
        WaitTimeout,
    )
    from skerry.client.resource import Event, LogChunk, Resource
    from skerry.client.sync import Client

_HOMES = {
    "AsyncClient": "aio",
    "Client": "sync",
    "Event": "resource",
    "LogChunk": "resource",
    "Resource": "resource",
}

__all__ = [
    "AsyncClient",
    "BadSetting",
    "Client",
    "Conflict",
    "Event",
    "Forbidden",
    "Gone",
    "InvalidRequest",
    "LogChunk",
    "NoCapacity",
    "NotFound",
    "PreconditionFailed",
    "ProblemError",
    "Resource",
    "ServerError",
    "SkerryError",
    "TooManyRequests",
    "Unauthenticated",
    "Unreachable",
    "WaitTimeout",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
