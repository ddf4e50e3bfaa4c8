"""The command and the call that a page shows for what it does, run as they stand there."""

import asyncio
import os
import re
import shlex
import sys
from pathlib import Path

from playwright.async_api import Page as Tab

from tests.console.seeded import Seeded

NOT_HERE = {"--tty", "MONTH", "NAME"}
"""A shell wants a terminal (tests/e2e/test_shells.py opens one); what stands in capitals is to be
filled in."""


async def shown(tab: Tab) -> list[str]:
    for button in await tab.get_by_role("button", name="Command line and API").all():
        await button.click()
    texts = await tab.locator("code:visible").all_inner_texts()
    return [text for text in texts if text.startswith(("skerry ", "curl "))]


class Equivalents:
    """Runs each line once, whichever pages show it."""

    def __init__(self, cloud: Seeded) -> None:
        self._cloud = cloud
        self._run: set[tuple[str, str]] = set()

    async def complaints(self, lines: list[str], who: str) -> list[str]:
        fresh = [
            line
            for line in dict.fromkeys(lines)
            if (who, line) not in self._run and not NOT_HERE & set(shlex.split(line))
        ]
        self._run |= {(who, line) for line in fresh}
        # One after the other: what one makes, the next finds.
        said = [await self._complaint(line, who) for line in fresh]
        return [text for text in said if text]

    async def _complaint(self, line: str, who: str) -> str:
        text = re.sub("^curl ", "curl -sS --fail-with-body ", line)
        env = {k: v for k, v in os.environ.items() if not k.startswith("SKERRY_")}
        told = {
            "SKERRY_URL": self._cloud.url,
            "SKERRY_TOKEN": self._cloud.tokens[who],
            "SKERRY_NO_CONTEXT": "1",
            "PATH": f"{Path(sys.executable).parent}:{env['PATH']}",
        }
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", text, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={**env, **told}, cwd=self._cloud.cloud.home,
        )  # fmt: skip
        said, _ = await process.communicate()
        told_so = said.decode(errors="replace")[-600:]
        return "" if process.returncode == 0 else f"{line}\n{process.returncode} {told_so}"
