"""What a service does next: as a model, from any state, to the end."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from skerry.products.run.services.rolling import Pod, plan

pods = st.lists(
    st.builds(
        Pod,
        name=st.just(""),
        number=st.just(0),
        revision=st.integers(1, 3),
        ready=st.booleans(),
        unheard=st.booleans(),
        over=st.booleans(),
        leaving=st.booleans(),
        retiring=st.booleans(),
    ),
    max_size=8,
).map(
    lambda found: [
        replace(p, name=f"p{n}", number=n, ready=p.ready and not p.over)
        for n, p in enumerate(found)
    ]
)


def alive(found: list[Pod]) -> list[Pod]:
    return [pod for pod in found if not pod.over and not pod.retiring]


def ready(found: list[Pod]) -> int:
    return sum(pod.ready for pod in alive(found))


@given(pods, st.integers(0, 4), st.integers(1, 3))
@settings(max_examples=500)
def test_no_step_takes_away_what_is_needed(found: list[Pod], wanted: int, surge: int) -> None:
    step = plan(found, wanted=wanted, revision=3, surge=surge)
    left = [pod for pod in found if pod.name not in step.retire]
    assert ready(left) >= min(ready(found), wanted)
    if step.create:
        assert len(alive(left)) + step.create <= wanted + surge
    # The route leads to what is ready and stays, and to nothing else while there is any.
    stays = {pod.name for pod in alive(left) if pod.ready}
    assert set(step.serve) == stays or (
        not stays and all(p.unheard for p in left if p.name in step.serve)
    )
    assert not set(step.retire) & {pod.name for pod in found if pod.retiring}


@given(pods, st.integers(0, 4), st.integers(1, 3), st.booleans())
@settings(max_examples=300)
def test_it_comes_to_what_is_wanted(found: list[Pod], wanted: int, surge: int, alone: bool) -> None:
    """Each new pod gets ready, each that leaves goes, and every site is heard."""
    found = [replace(pod, unheard=False) for pod in found]
    wanted = min(wanted, 1) if alone else wanted
    number = len(found)
    for _ in range(40):
        step = plan(found, wanted=wanted, revision=3, surge=surge, alone=alone)
        waiting = any(p.retiring or not (p.ready or p.over or p.unheard) for p in found)
        if not step.create and not step.retire and not waiting:
            break
        before = found
        found = [replace(p, retiring=True) if p.name in step.retire else p for p in found]
        # Those that are on their way already are gone by now, and the new ones are ready.
        found = [p for p in found if not (p.retiring and p in before)]
        found = [replace(p, ready=not p.over and not p.unheard) for p in found]
        for _ in range(step.create):
            found.append(Pod(f"p{number}", number, 3))
            number += 1
        if alone:
            assert len([p for p in found if not p.over]) <= max(1, len(before))
    assert len(found) == wanted
    assert all(pod.revision == 3 for pod in found)


def test_a_revision_that_never_gets_ready_takes_nothing_away() -> None:
    old = [Pod(f"old{n}", n, 1, ready=True) for n in range(3)]
    new = Pod("new", 3, 2)
    step = plan([*old, new], wanted=3, revision=2)
    assert (step.create, step.retire) == (0, ())
    assert step.serve == ("old0", "old1", "old2")
    # The next revision takes its place at once.
    step = plan([*old, new], wanted=3, revision=3)
    assert (step.create, step.retire) == (1, ("new",))


def test_one_for_one() -> None:
    old = [Pod("old0", 0, 1, ready=True), Pod("old1", 1, 1, ready=True)]
    assert plan(old, wanted=2, revision=2).create == 1
    new = Pod("new", 2, 2, ready=True)
    step = plan([*old, new], wanted=2, revision=2)
    assert (step.create, step.retire, step.serve) == (1, ("old0",), ("old1", "new"))


def test_a_host_that_is_emptied() -> None:
    pods = [Pod("a", 0, 1, ready=True, leaving=True), Pod("b", 1, 1, ready=True)]
    assert plan(pods, wanted=2, revision=1) == plan(pods[::-1], wanted=2, revision=1)
    step = plan(pods, wanted=2, revision=1)
    assert (step.create, step.retire) == (1, ())
    step = plan([*pods, Pod("c", 2, 1, ready=True)], wanted=2, revision=1)
    assert (step.create, step.retire) == (0, ("a",))


def test_out_of_contact_serves_only_where_nothing_else_does() -> None:
    pods = [Pod("a", 0, 1, unheard=True), Pod("b", 1, 1, ready=True)]
    assert plan(pods, wanted=2, revision=1).serve == ("b",)
    assert plan(pods[:1], wanted=1, revision=1).serve == ("a",)


def test_one_that_writes_to_a_volume_is_never_two() -> None:
    old = Pod("old", 0, 1, ready=True)
    step = plan([old], wanted=1, revision=2, alone=True)
    assert (step.create, step.retire) == (0, ("old",))
    gone = replace(old, retiring=True)
    assert plan([gone], wanted=1, revision=2, alone=True).create == 0
    assert plan([], wanted=1, revision=2, alone=True).create == 1
