"""Ports for servers that have to come back on the same one.

A port that the system hands out may be handed to anybody's connection while the server is away; so
these lie below the range that it hands out from.
"""

import os
import random
import socket

_FIRST, _LAST = 10_000, 32_000


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    chance = random.Random(os.urandom(8))
    while True:
        port = chance.randrange(_FIRST, _LAST)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
