"""What a kind declares is whole: every part described, every name resolved, every wait bounded."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import click
import msgspec
import pytest

from skerry.api import catalogue, openapi
from skerry.api.metered import all_views
from skerry.cli.verbs.noun import STANDARD, NounGroup
from skerry.client import catalogue as read_catalogue
from skerry.kernel.flows import FOR_EVER
from skerry.kernel.kinds import Kind
from skerry.ledger.meters import meter
from tests.coverage.conftest import EXCEPTIONS, KINDS, REGISTRY, each_kind, excepted

DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi.render(REGISTRY))
# Fields that every resource has beside what its kind declares.
METADATA = DOCUMENT["components"]["schemas"]["Metadata"]["properties"]
KERNEL_STATUS = {"state": {}, "conditions": {"type": "array", "items": {}}}

Schema = dict[str, Any]


def schema(struct: Any) -> tuple[Schema, dict[str, Schema]]:
    (found,), parts = msgspec.json.schema_components([struct], ref_template="{name}")
    return found, parts


def structs(kind: Kind) -> Iterator[tuple[str, Any]]:
    yield "spec", kind.spec
    yield "status", kind.status
    for action in kind.actions:
        if action.spec is not None:
            yield action.name, action.spec


def step_into(found: Schema, name: str, parts: dict[str, Schema]) -> Schema | None:
    """The schema of a field, or None if there is none of that name."""
    if "$ref" in found:
        return step_into(parts[found["$ref"]], name, parts)
    for choice in itertools.chain(found.get("anyOf", ()), found.get("oneOf", ())):
        if (inner := step_into(choice, name, parts)) is not None:
            return inner
    if name == "*" and "items" in found:
        return dict(found["items"]) if isinstance(found["items"], dict) else {}
    if name in found.get("properties", {}):
        return dict(found["properties"][name])
    if found.get("type") == "object" and "properties" not in found:
        rest = found.get("additionalProperties", {})
        return rest if isinstance(rest, dict) else {}
    return None


def resolves(struct: Any, path: str) -> bool:
    found: Schema | None
    found, parts = schema(struct)
    for name in path.split("."):
        if found == {}:
            return True  # anything may stand there
        found = step_into(found, name, parts)
        if found is None:
            return False
    return True


@each_kind
def test_every_field_is_described(kind: Kind) -> None:
    missing = []
    for what, struct in structs(kind):
        _, parts = schema(struct)
        for name, part in parts.items():
            for field, described in part.get("properties", {}).items():
                if not described.get("description"):
                    missing.append(f"{what}: {name}.{field}")
    assert not missing


@each_kind
def test_every_name_in_the_declaration_means_something(kind: Kind) -> None:
    for field in (*kind.immutable, *(ref.field for ref in kind.refs), *kind.secrets):
        assert resolves(kind.spec, field), field
    for secret in kind.secrets:
        assert "." not in secret, "sealed fields are at the top of the spec"
    for ref in kind.refs:
        assert ref.kind in REGISTRY.by_noun, ref.kind
    for name in kind.meters:
        assert meter(name)


@each_kind
def test_every_column_shows_something(kind: Kind) -> None:
    if excepted("columns", kind.noun, fails=not kind.columns):
        return
    assert kind.columns
    titles = [column.title for column in kind.columns]
    assert len(set(titles)) == len(titles)
    for column in kind.columns:
        part, _, rest = column.path.partition(".")
        if part == "metadata":
            assert rest in METADATA, column.path
        elif part == "status" and rest.split(".")[0] in KERNEL_STATUS:
            assert kind.history
        else:
            assert part in ("spec", "status"), column.path
            assert resolves(getattr(kind, part), rest), column.path


@each_kind
def test_what_tenants_can_make_is_counted(kind: Kind) -> None:
    made = "put" in kind.ops and not kind.operator_only and kind.scope != "global"
    if made and not excepted("quota", kind.noun, fails=kind.quota is None):
        assert kind.quota is not None
        assert kind.quota > 0


@each_kind
def test_every_wait_has_an_end_and_a_remedy(kind: Kind) -> None:
    if kind.flow is None:
        return
    for step in kind.flow.steps.values():
        if step.steady:
            continue
        assert step.deadline < FOR_EVER, f"step {step.name!r} can wait unseen"
        name = f"{kind.noun}.{step.name}"
        if not excepted("remedy", name, fails=not step.remedy):
            assert step.remedy, f"step {step.name!r} has no remedy for its alert"


@each_kind
def test_every_word_for_people_is_one(kind: Kind) -> None:
    spoken = [
        kind.summary,
        *(a.summary for a in kind.actions),
        *(v.summary for v in all_views(kind)),
    ]
    for text in spoken:
        assert 0 < len(text) <= 100, text
        assert text[0].isupper(), text
        assert not text.endswith("."), text
    for name in (kind.noun, *(a.name for a in kind.actions), *(v.name for v in all_views(kind))):
        assert re.fullmatch(r"[a-z][a-z0-9-]*", name), name
    for view in all_views(kind):
        assert all(view.query.values()), f"a query parameter of {view.name} is not described"


@each_kind
def test_no_action_or_view_takes_a_name_that_is_taken(kind: Kind) -> None:
    below = [child.collection for child in REGISTRY.children(kind)]
    names = [*(a.name for a in kind.actions), *(v.name for v in all_views(kind)), *below, *STANDARD]
    assert len(set(names)) == len(names), names


@pytest.fixture(scope="module")
def served_catalogue(tmp_path_factory: pytest.TempPathFactory) -> read_catalogue.Catalogue:
    file = tmp_path_factory.mktemp("catalogue") / "catalogue.json"
    file.write_bytes(catalogue.render(REGISTRY))
    return read_catalogue.load(file)


@each_kind
def test_every_operation_has_its_verb(
    kind: Kind, served_catalogue: read_catalogue.Catalogue
) -> None:
    group = NounGroup(served_catalogue[kind.noun], served_catalogue)
    wanted = {
        "list": ("list",),
        "get": ("get",),
        "put": ("create", "update"),
        "delete": ("delete",),
    }
    verbs = [verb for op in kind.ops for verb in wanted[op]]
    verbs += [a.name for a in kind.actions] + [v.name for v in all_views(kind)]
    context = click.Context(group)
    for verb in verbs:
        command = group.get_command(context, verb)
        assert command is not None, verb
        assert command.get_short_help_str(), verb


@each_kind
def test_every_operation_has_its_path(kind: Kind) -> None:
    base = f"/providers/{kind.route}"
    item = f"{base}/{{name}}"
    wanted = {"list": (base, "get"), "get": (item, "get"), "put": (item, "put"),
              "delete": (item, "delete")}  # fmt: skip
    for op in kind.ops:
        path, method = wanted[op]
        assert method in DOCUMENT["paths"][path], op
    for action in kind.actions:
        assert "post" in DOCUMENT["paths"][f"{item}/{action.name}"]
    for view in all_views(kind):
        assert "get" in DOCUMENT["paths"][f"{item}/{view.name}"]


def test_every_exception_is_of_something_that_is_there() -> None:
    for what, granted in EXCEPTIONS.items():
        for name, reason in granted.items():
            assert name.split(".")[0] in REGISTRY.by_noun, f"[{what}] {name}"
            assert len(reason) > 10, f"[{what}] {name}: say why"


def test_the_registry_is_not_empty() -> None:
    assert {"tenant", "workspace", "job", "region", "lease", "invoice"} <= {k.noun for k in KINDS}
