"""What happens when the cloud falters: tried again where that does no harm, and only there."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request as Asked
from starlette.responses import JSONResponse, Response

from skerry.client import Client, ServerError, TooManyRequests, Unreachable
from skerry.client import operations as ops
from skerry.client.operations import Target
from skerry.client.steps import Policy, Request, Sleep, send
from skerry.client.steps import Response as Answer
from tests.client.standin import TOKEN, Cloud


def falter(status: int, **headers: str) -> Callable[[Asked], Response]:
    body = {"title": "Trouble", "status": status, "detail": "for a moment"}
    return lambda _: JSONResponse(body, status_code=status, headers=headers)


@pytest.fixture
def quick(url: str) -> Client:
    client = Client(url, TOKEN, tenant="acme", workspace="w")
    client.policy = Policy(retries=3, first=0.001)
    return client


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_get_is_tried_again(quick: Client, cloud: Cloud, status: int) -> None:
    cloud.faults = [falter(status), falter(status)]
    assert quick.whoami()["tenant"] == "acme"
    assert len(cloud.requests) == 3


def test_at_last_the_problem_is_told(quick: Client, cloud: Cloud) -> None:
    cloud.faults = [falter(503)] * 9
    with pytest.raises(ServerError, match="for a moment"):
        quick.whoami()
    assert len(cloud.requests) == 4


def test_an_action_is_repeated_only_if_nothing_was_done(quick: Client, cloud: Cloud) -> None:
    quick.kind("cipher").put("k", {})
    cloud.faults = [falter(429), falter(503)]
    quick.kind("cipher").act("k", "rotate")
    assert [event["verb"] for event in cloud.events] == ["put", "rotate"]
    cloud.faults = [falter(500)]
    with pytest.raises(ServerError):
        quick.kind("cipher").act("k", "rotate")
    assert cloud.faults == []


def test_nobody_there_says_so() -> None:
    with (
        Client("http://127.0.0.1:9", "t", tenant="acme", await_start=False) as client,
        pytest.raises(Unreachable, match="no cloud answers") as caught,
    ):
        client.whoami()
    assert not caught.value.sent


class Script:
    """Drives an operation: answers are responses or exceptions; notes the pauses."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []
        self.pauses: list[float] = []

    def run(self, op: Any) -> Any:
        step = next(op)
        try:
            while True:
                if isinstance(step, Sleep):
                    self.pauses.append(step.seconds)
                    step = op.send(None)
                    continue
                self.requests.append(step)
                answer = self.answers.pop(0)
                step = op.throw(answer) if isinstance(answer, Exception) else op.send(answer)
        except StopIteration as end:
            return end.value


LOST = Unreachable("gone", sent=True, known=True)
REFUSED = Unreachable("gone", sent=False, known=True)
OK = Answer(200, {}, b"{}")


@pytest.fixture
def keys(client: Client) -> Target:
    return client.target("cipher", "", "", {})._replace(policy=Policy(retries=2))


def test_pauses_double_and_obey_retry_after() -> None:
    slow = Answer(429, {"retry-after": "7"}, b"{}")
    script = Script(Answer(503, {}, b""), Answer(503, {}, b""), slow, OK)
    script.run(send(Request("GET", "/x"), Policy(retries=5, first=1)))
    first, second, asked = script.pauses
    assert 0.5 <= first <= 1 <= second <= 2
    assert asked == 7


def test_a_lost_delete_that_is_gone_was_ours(keys: Target) -> None:
    Script(LOST, Answer(404, {}, b"{}")).run(ops.delete(keys, "k", None))


def test_a_lost_put_with_a_version_is_not_repeated(keys: Target) -> None:
    with pytest.raises(Unreachable):
        Script(LOST).run(ops.put(keys, "k", {}, if_version=3))
    assert Script(REFUSED, OK).run(ops.put(keys, "k", {}, if_version=3)) == {}
    assert Script(LOST, OK).run(ops.put(keys, "k", {})) == {}


def test_a_lost_action_is_not_repeated(keys: Target) -> None:
    with pytest.raises(Unreachable):
        Script(LOST).run(ops.act(keys, "k", "rotate", None, None))


def test_a_refusal_that_is_no_problem_document_is_quoted() -> None:
    with pytest.raises(TooManyRequests, match="slow down, said the proxy"):
        Script(Answer(429, {}, b"slow down, said the proxy")).run(
            send(Request("GET", "/x"), Policy(retries=0))
        )
