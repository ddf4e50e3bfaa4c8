"""Made-up requests against a running cloud: none breaks it, and each answer is as described.

For each kind, what can be put is put, then read, listed and acted on, with examples that fit the
schema and with examples that do not; last of all it is deleted. A usual run makes a few, where they
tell most (``few``), and always the same; ``make test-long`` makes many new ones of everything.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from skerry.api import openapi
from skerry.kernel.kinds import Registry
from tests.harness.samples import sample
from tests.harness.served import Served, served

REGISTRY = Registry.discover()
SCHEMA = schemathesis.openapi.from_dict(msgspec.json.decode(openapi.render(REGISTRY)))
SCHEMA.config.generation.update(with_security_parameters=False)
OPERATIONS = {
    (op.method.upper(), op.path): op for op in (r.ok() for r in SCHEMA.get_all_operations())
}

SESSION = requests.Session()
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
    checks.allow_header_conformance,
]
ORDER = ("PUT", "GET", "HEAD", "POST", "DELETE")
NAMES = ("one", "two", "main", "job")
"""Two for anybody; the others are the only ones that some kinds take."""
ENDLESS = ("watch", "follow")
"""Query parameters that make an answer go on for ever."""


@pytest.fixture(scope="module")
def cloud(_postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(_postgres, tmp_path_factory.mktemp("fuzzed")) as cloud:
        cloud.put("/providers/skerry.identity/v1/tenants/fuzz")
        cloud.put("/providers/seca.workspace/v1/tenants/fuzz/workspaces/fuzz")
        for kind in REGISTRY.kinds:
            if "put" in kind.ops and not kind.parents:
                path = kind.route.replace("{tenant}", "fuzz").replace("{workspace}", "fuzz")
                cloud.call("PUT", f"/providers/{path}/one", {"spec": sample(kind)})
        yield cloud


GROUPS = [f"/providers/{kind.route}" for kind in REGISTRY.kinds]


def group(path: str) -> str:
    """The collection that a path is about; "" for what no kind declares."""
    return max((base for base in GROUPS if f"{path}/".startswith(f"{base}/")), key=len, default="")


def exercise(cloud: Served, operation: Any, mode: GenerationMode, some: settings) -> None:
    @some
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        fitted(case, mode)
        headers = {"authorization": f"Bearer {cloud.token}"}
        answer = case.call(base_url=cloud.url, headers=headers, session=SESSION)
        # Not the present version, or far too much: refused before the content is looked at.
        looked = mode is GenerationMode.NEGATIVE and answer.status_code not in (412, 413)
        wanted = [*CHECKS, checks.negative_data_rejection] if looked else CHECKS
        case.validate_response(answer, checks=wanted)

    ask()


def fitted(case: Any, mode: GenerationMode) -> None:
    """Lead an example to something that is there, and keep it from waiting for ever."""
    for name in ENDLESS:
        if isinstance(case.query, dict):
            case.query.pop(name, None)
    if mode is GenerationMode.POSITIVE:
        parameters = case.path_parameters or {}
        parameters.update({n: "fuzz" for n in ("tenant", "workspace") if n in parameters})
        if "name" in parameters:
            parameters["name"] = NAMES[len(parameters["name"]) % len(NAMES)]
        if isinstance(case.query, dict):
            case.query.pop("skipToken", None)
        if case.headers is not None:
            case.headers.pop("if-unmodified-since", None)


Sized = Callable[[str, str, GenerationMode], settings | None]


def run(cloud: Served, base: str, sized: Sized) -> None:
    found = [key for key in OPERATIONS if group(key[1]) == base]
    for method, path in sorted(found, key=lambda key: (ORDER.index(key[0]), key[1])):
        if "events" in path:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            some = sized(method, path, mode)
            # Where anything fits, there is nothing that does not.
            with contextlib.suppress(Unsatisfiable):
                if some is not None:
                    exercise(cloud, OPERATIONS[method, path], mode, some)


def examples(count: int, *, fresh: bool) -> settings:
    return settings(
        max_examples=count, derandomize=not fresh, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def few() -> Sized:
    """Bodies are each kind's own; all else is the same for all kinds, so that what is wrong is
    tried once for each last word of a path."""
    seen = set()

    def sized(method: str, path: str, mode: GenerationMode) -> settings | None:
        word = method, path.rpartition("/")[2]
        if mode is GenerationMode.NEGATIVE and method not in ("PUT", "POST"):
            if word in seen:
                return None
            seen.add(word)
        return examples(2 if method == "PUT" else 1, fresh=False)

    return sized


def test_every_answer_is_as_described(cloud: Served) -> None:
    """One test, so that one worker of a run starts one cloud for all of it."""
    sized = few()
    for base in (*GROUPS, ""):
        run(cloud, base, sized)


@pytest.mark.long
@pytest.mark.parametrize("base", [*GROUPS, ""])
def test_many_answers_are_as_described(cloud: Served, base: str) -> None:
    run(cloud, base, lambda method, path, mode: examples(30, fresh=True))


def test_the_cloud_has_lived_through_it(cloud: Served) -> None:
    assert cloud.http.get("/readyz").text == "ready\n"
    assert "request failed" not in (cloud.home / "log").read_text(errors="replace")


def test_each_path_of_the_description_is_asked(cloud: Served) -> None:
    assert {group(path) for _, path in OPERATIONS} == {*GROUPS, ""}
    assert Path(openapi.FILE).exists()
