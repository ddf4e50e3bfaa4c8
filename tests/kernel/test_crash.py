"""Killed at any moment of any step, a resource's life goes on as if nothing had been."""

import pytest

from skerry.kernel.flows import Services
from skerry.kernel.resources import Resource
from tests.harness.crash import Life, Rig, flows, killed_everywhere
from tests.kernel.conftest import Cloud
from tests.kernel.widgets import REGISTRY, WIDGET, World

LIVES = {
    "widget": Life(WIDGET, {"size": 1, "pin": "1234"}, {"size": 2}, ("polish",)),
    "box": Life(REGISTRY["box"], {}, {}),
}


class Outside:
    """A new world for each life, and what is left of the last."""

    def __init__(self) -> None:
        self.world = World()

    def open(self) -> Services:
        self.world = World()
        return Services(self.world)

    async def left(self, root: Resource) -> dict[str, int]:
        return self.world.made


@pytest.mark.parametrize("noun", [kind.noun for kind in flows(REGISTRY)])
async def test_killed_at_every_moment(cloud: Cloud, noun: str) -> None:
    outside = Outside()
    rig = Rig(cloud.db, cloud.resources, outside.open, left=outside.left)
    moments = await killed_everywhere(rig, LIVES[noun])
    assert outside.world.made == {}
    assert {what for _, _, what in moments} == {"claimed", "ran", "written", "committed"}
    assert {"start", "update", "remove"} <= {step for _, step, _ in moments}
