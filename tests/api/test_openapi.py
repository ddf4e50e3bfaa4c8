"""The description of the API: whole, sound, and the committed one."""

from collections.abc import Iterator
from typing import Any

import msgspec
import schemathesis

from skerry.api import openapi
from skerry.api.metered import all_views
from skerry.kernel.kinds import Registry

REGISTRY = Registry.discover()
DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi.render(REGISTRY))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


def test_the_committed_description_is_the_registrys() -> None:
    assert openapi.FILE.read_bytes() == openapi.render(REGISTRY), "run make generate"


def test_it_is_openapi() -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.validate()
    assert [found.ok() for found in schema.get_all_operations()]


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))


def test_each_reference_leads_somewhere() -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for reference in references(DOCUMENT):
        found = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_each_parameter_of_a_path_is_described() -> None:
    for path, _, _ in operations():
        described = [p["name"] for p in DOCUMENT["paths"][path].get("parameters", [])]
        assert [p[1:-1] for p in path.split("/") if p.startswith("{")] == described


def test_each_operation_says_what_can_go_wrong() -> None:
    for path, method, operation in operations():
        responses = operation["responses"]
        assert "default" in responses, (path, method)
        if operation.get("security") != []:
            assert "401" in responses, (path, method)
        if "name" in path or method == "put":
            assert {"403", "404"} <= set(responses), (path, method)


def test_what_is_sealed_is_only_written() -> None:
    for kind in REGISTRY.kinds:
        for secret in kind.secrets:
            name = kind.spec.__name__
            assert DOCUMENT["components"]["schemas"][name]["properties"][secret]["writeOnly"]


def test_every_view_and_action_has_its_path() -> None:
    for kind in REGISTRY.kinds:
        item = f"/providers/{kind.route}/{{name}}"
        for action in kind.actions:
            assert "post" in DOCUMENT["paths"][f"{item}/{action.name}"]
        for view in all_views(kind):
            assert "get" in DOCUMENT["paths"][f"{item}/{view.name}"]
