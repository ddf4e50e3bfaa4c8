"""The pure parts: selectors, paths, references, the registry's own checks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry.kernel.errors import InvalidRequest, ValidationError
from skerry.kernel.flows import Context, Flow, Next, Services, done, step
from skerry.kernel.history import condition
from skerry.kernel.kinds import Kind, Reference, Registry, singular
from skerry.kernel.paths import Path, can_exist, path_of, ref_of, relative, resolve
from skerry.kernel.selectors import matches, parse, to_sql
from skerry.store import Database
from tests.kernel.widgets import LABEL, REGISTRY, SHELF, TENANT, WIDGET, WORKSPACE, Free

word = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)
AT = Path("acme", "prod", (), "w")


@given(word, word, word, word)
def test_a_ref_and_its_path_are_inverse(tenant: str, workspace: str, above: str, name: str) -> None:
    for kind, path in (
        (TENANT, Path(name=name)),
        (WORKSPACE, Path(tenant, name=name)),
        (WIDGET, Path(tenant, workspace, (), name)),
        (LABEL, Path(tenant, workspace, (above,), name)),
    ):
        assert path_of(kind, ref_of(kind, path)) == path


def test_the_path_below_the_scope() -> None:
    assert relative(LABEL, Path("t", "w", ("x",), "l")) == "widgets/x/tags/l"
    assert relative(LABEL, Path("t", "w", ("x",))) == "widgets/x/tags"


@pytest.mark.parametrize(
    ("reference", "ref"),
    [
        ("shelves/s", "t.goods/v1/tenants/acme/workspaces/prod/shelves/s"),
        ("s", "t.goods/v1/tenants/acme/workspaces/prod/shelves/s"),
        ("workspaces/b/shelves/s", "t.goods/v1/tenants/acme/workspaces/b/shelves/s"),
        ("tenants/x/workspaces/b/shelves/s", "t.goods/v1/tenants/x/workspaces/b/shelves/s"),
        (
            "t.goods/v1/tenants/x/workspaces/b/shelves/s",
            "t.goods/v1/tenants/x/workspaces/b/shelves/s",
        ),
        (
            Reference(resource="s", workspace="b"),
            "t.goods/v1/tenants/acme/workspaces/b/shelves/s",
        ),
        (
            Reference(resource="s", tenant="x"),
            "t.goods/v1/tenants/x/workspaces/prod/shelves/s",
        ),
    ],
)
def test_references_take_what_is_missing_from_the_referrer(
    reference: Reference | str, ref: str
) -> None:
    assert resolve(reference, SHELF, AT, REGISTRY) == ref


def test_a_reference_into_a_parent() -> None:
    nested = resolve("widgets/w/tags/l", LABEL, AT, REGISTRY)
    assert nested == "t.goods/v1beta1/tenants/acme/workspaces/prod/widgets/w/tags/l"
    with pytest.raises(ValidationError):
        resolve("tags/l", LABEL, AT, REGISTRY)


@pytest.mark.parametrize("text", ["widgets/s", "a/b/c", "t.other/v1/shelves/s", "t.goods/v1/x"])
def test_a_reference_to_something_else_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="does not name a shelf"):
        resolve(text, SHELF, AT, REGISTRY)


@pytest.mark.parametrize("name", ["A", "", "a\x00", "a" * 65, "..", "a/b"])
def test_nothing_is_where_no_name_can_be(name: str) -> None:
    assert can_exist(WIDGET, AT)
    assert can_exist(LABEL, Path("a", "b", ("c" * 128,)))
    assert not can_exist(WIDGET, Path("a", "b", (), name * 2 or "A"))
    assert not can_exist(WIDGET, Path(name, "b"))
    assert not can_exist(WIDGET, Path("a", name))
    assert not can_exist(LABEL, Path("a", "b", (name * 2,)))


labels = st.dictionaries(
    st.sampled_from(["env", "tier", "size", "a_b", "x:y"]),
    st.sampled_from(["dev", "prod", "3", "10", "-2.5", "a_b", "a%b", "a\\b", "*"]),
)
term = st.tuples(
    st.sampled_from(["env", "size", "*", "e*", "a_b", "x:y", "t*r"]),
    st.sampled_from(["=", "!=", ">", "<", ">=", "<="]),
    st.sampled_from(["dev", "*", "p*d", "3", "-2.5", "a_b", "a%b", "a\\b"]),
).filter(lambda t: t[1] in ("=", "!=") or t[2] in ("3", "-2.5"))


async def test_python_and_sql_select_the_same(db: Database) -> None:
    """Checked over a sample made by hypothesis, in one connection."""
    cases: list[tuple[dict[str, str], list[tuple[str, str, str]]]] = []

    @given(labels, st.lists(term, max_size=3))
    def collect(have: dict[str, str], terms: list[tuple[str, str, str]]) -> None:
        cases.append((have, terms))

    collect()
    async with db.transaction() as tx:
        for have, terms in cases:
            parsed = parse(",".join("".join(t) for t in terms))
            condition, values = to_sql(parsed, 2)
            sql = f"select {condition} from (select $1::jsonb as labels) x"
            assert await tx.fetchval(sql, have, *values) == matches(parsed, have), (have, terms)


def test_too_many_terms_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="at most 50"):
        parse(",".join(f"k{i}=v" for i in range(51)))


def test_a_registry_refuses_what_can_not_be() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        Registry((SHELF, SHELF))
    lost = Kind(
        provider="t", collection="c", noun="c", parent="workspace/nowhere", summary="", spec=Free
    )
    with pytest.raises(ValueError, match="is not a kind"):
        Registry((lost,))
    tags = Kind(provider="t.goods", collection="tags", noun="tag", parent="tenant/widgets",
                summary="", spec=Free)  # fmt: skip
    with pytest.raises(ValueError, match="is in no tenant"):
        Registry((WIDGET, tags))
    with pytest.raises(ValueError, match="must start with"):
        Kind(provider="t", collection="c", noun="c", parent="moon", summary="", spec=Free)


def test_names_of_path_parameters() -> None:
    assert LABEL.route == (
        "t.goods/v1beta1/tenants/{tenant}/workspaces/{workspace}/widgets/{widget}/tags"
    )
    assert singular("policies") == "policy"
    assert REGISTRY.children(WIDGET) == (LABEL,)
    assert ("t.goods", "v1") in REGISTRY.providers


def test_a_flow_without_its_steps_is_refused() -> None:
    with pytest.raises(TypeError, match="has no step 'update'"):

        class Half(Flow):
            @step(deadline=1)
            async def start(self, ctx: Context) -> Next:
                return done()

            @step(deadline=1)
            async def remove(self, ctx: Context) -> Next:
                return done()


def test_a_service_that_is_not_offered_is_named() -> None:
    services = Services("text")
    assert services[str] == "text"
    with pytest.raises(LookupError, match="offers no int"):
        services[int]


def test_reasons_are_one_word() -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert condition("error", at, "OutOfMemory", "m")["message"] == "m"
    with pytest.raises(ValueError, match="reason"):
        condition("error", at, "two words")
