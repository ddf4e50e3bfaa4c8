"""Places where a test can end the agent's process without a word, as a power cut would."""

import os
import signal

DIES_AT = "SKERRY_AGENT_DIES_AT"


def step(name: str) -> None:
    """Die here if the environment says so."""
    if os.environ.get(DIES_AT) == name:
        os.kill(os.getpid(), signal.SIGKILL)
