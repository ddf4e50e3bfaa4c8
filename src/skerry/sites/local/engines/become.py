"""Inside bubblewrap's sandbox: become the task's user for good, then the task's first process.

Run by the host's Python on its own, without the package around it; the descriptors hold this
program and its order. It exists because the task's variables are the tenant's words: bubblewrap
and whatever else runs before the task's user is reached must not see them (``LD_PRELOAD``).
"""

import ctypes
import json
import os

_FIRST, _ORDER = 5, 7
_PR_CAPBSET_DROP = 24


def main() -> None:
    with open(_ORDER) as file:
        order = json.load(file)
    os.closerange(_FIRST, _ORDER)
    if order["uid"]:
        os.setgroups([])
        os.setresgid(*[order["uid"]] * 3)
        for capability in range(64):
            ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
        os.setresuid(*[order["uid"]] * 3)
    os.execve(order["argv"][0], order["argv"], order["env"])  # noqa: S606


if __name__ == "__main__":
    main()
