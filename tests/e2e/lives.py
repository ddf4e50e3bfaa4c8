"""Resources that live their lives over HTTP, whatever happens to the cloud meanwhile.

A life is that of ``tests.harness.crash``: made, changed, told to act, removed. Each request is
repeated until it is answered: whoever asks a cloud that dies learns nothing of what came of it, and
asks again.
"""

import json
import re
import threading
import time
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from skerry.kernel.kinds import Kind
from tests.e2e.conftest import Cloud
from tests.e2e.load import SERVER
from tests.harness.crash import Life, life_of
from tests.harness.mortal import Fate
from tests.harness.samples import sample

SMALL = {"millicores": 100, "memory": 64 << 20}
REAL: dict[str, Mapping[str, Any]] = {
    "job": {"command": ["sh", "-c", "sleep 2.{mark}"], **SMALL},
    "pod": {"command": ["sh", "-c", "trap 'exit 0' TERM; sleep 1000.{mark} & wait"], **SMALL},
    "service": {"command": ["python3", "-c", SERVER], "port": 8000, **SMALL},
}
"""Where the least spec is nothing that runs; a kind that is not here lives with its least spec.
What ``sleep`` sleeps is a mark, and no two of one mark may ever run at once."""


class Late(AssertionError):
    """A state that should have come did not."""


class Lives:
    """The lives of one kind, one after the other, until ``over``."""

    def __init__(
        self, cloud: Cloud, kind: Kind, above: tuple[str, ...], fate: Fate, over: threading.Event
    ) -> None:
        self._cloud = cloud
        self._fate = fate
        self._above = above
        self._over = over
        self.number = 0
        self.kind = kind
        self.steps: set[tuple[str, ...]] = set()
        """Those of the first life."""
        self.ends: list[str] = []
        """State and phase after each stage."""

    def mark(self, number: int) -> str:
        """What the command of a life has in it and no other."""
        return f"{hash((self._cloud.home, self.kind.noun)) % 10**6:06d}{number:03d}"

    def run(self) -> None:
        """A life that goes wrong is the end of all."""
        while not self._over.is_set():
            self.number += 1
            self._fate.note("lives", self.kind.noun, str(self.number))
            try:
                self.live(self.number)
            except BaseException as error:
                print(f"{self.kind.noun}: {error}", flush=True)
                raise
            if self.number == 1 and self._fate.armed.exists():
                met = {words[:2] for words in self._fate.noted("met")}
                self.steps = {at for at in met if at[0] == self.kind.noun}

    def begin(self, name: str) -> None:
        """One that is only there to have others in it."""
        self._put(name, sample(self.kind))

    def end(self, name: str) -> None:
        self._ask("DELETE", name)
        self._until(name, "removed", lambda found: found is None)

    def live(self, number: int) -> None:
        life, name = self._life(number), f"{self.kind.noun}-{number}"
        self._put(name, life.spec)
        self._settle(name, "made")
        if life.changed is not None:
            self._put(name, life.changed)
            self._settle(name, "changed")
        for action in life.actions:
            self._ask("POST", f"{name}/{action}")
            self._settle(name, action)
        self.end(name)

    def _life(self, number: int) -> Life:
        life = life_of(self.kind, self._above)
        text = json.dumps(REAL.get(self.kind.noun, life.spec))
        spec = json.loads(text.replace("{mark}", self.mark(number)))
        return Life(self.kind, spec, spec, life.actions, self._above)

    def _put(self, name: str, spec: Mapping[str, Any]) -> None:
        self._ask("PUT", name, {"spec": dict(spec)})

    def _settle(self, name: str, stage: str) -> None:
        """Wait until it is as it was wanted, or says why not."""
        found = self._until(name, stage, lambda one: one is not None and _settled(one))
        status = found["status"]
        if status["state"] == "error":
            told = status["conditions"][0]
            assert told.get("message") or told.get("reason"), f"an error without a word: {found}"
        self.ends.append(f"{stage}: {status['state']} {status.get('phase', '')}")

    def _until(self, name: str, stage: str, wanted: Any, seconds: float = 240) -> Any:
        """Wait as long as blows fall; then it must come."""
        end = time.monotonic() + seconds
        while True:
            found = self._ask("GET", name)
            if wanted(found):
                return found
            if self._fate.armed.exists():
                end = time.monotonic() + seconds
            elif time.monotonic() > end:
                raise Late(f"{self.kind.noun} {name} {stage}: {json.dumps(found)[:3000]}")
            time.sleep(0.2)

    def _ask(self, method: str, tail: str, body: Any = None, seconds: float = 300) -> Any:
        """The answer; None for what is not there, and for what is refused in its state."""
        values = {"tenant": "operator", "workspace": "default"}
        parents = [n for n in self.kind.path_parameters if n not in values]
        values |= dict(zip(parents, self._above, strict=True))
        path = f"/providers/{self.kind.route.format(**values)}/{tail}"
        end = time.monotonic() + seconds
        while True:
            try:
                return once(self._cloud, method, path, body)
            except HTTPError as error:
                if error.code in (404, 409) and method != "PUT":
                    return None
                said = f"{error.code} {error.read().decode(errors='replace')[:1000]}"
                if error.code not in (500, 503) or time.monotonic() > end:
                    raise AssertionError(f"{method} {path}: {said}") from None
            except (OSError, HTTPException, ValueError) as error:
                if time.monotonic() > end:
                    raise Late(f"{method} {path}: {error!r}") from None
            time.sleep(0.2)


def once(cloud: Cloud, method: str, path: str, body: Any) -> Any:
    told = cloud.told()
    data = None if body is None else json.dumps(body).encode()
    headers = {
        "authorization": f"Bearer {told['SKERRY_TOKEN']}",
        "content-type": "application/json",
    }
    request = Request(told["SKERRY_URL"] + path, data, headers, method=method)
    with urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or b"{}")


def _settled(found: Any) -> bool:
    return found["status"]["state"] in ("active", "error")


def marks(line: str) -> str | None:
    """The mark in a command line of ``sleep``."""
    found = re.fullmatch(r"sleep \d+\.(\d{9})", line)
    return found[1] if found else None


def left_to_strike(fate: Fate, victims: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Steps that were met, and victims that were not struck there."""
    steps = {words[:2] for words in fate.noted("met")}
    return {(*at, v) for at in steps for v in victims} - set(fate.noted("struck"))
