"""No sandbox: the host's own process, as the agent's own user, for the operator alone.

It has the task's limits and log, but sees the whole host.
"""

import os
import platform

from skerry.sites.contract import Isolation
from skerry.sites.local.engines.base import Launch, Order, last


class Process:
    name = "process"
    isolation: Isolation = "process"

    def version(self) -> str:
        return f"Linux {platform.release()}"

    def launch(self, order: Order) -> Launch:
        path = os.environ.get("PATH", os.defpath)
        return Launch(argv=last(), directory=order.work, path=path, home=str(order.work))

    def sweep(self, name: str) -> list[str]:
        return []
