"""A product and a driver dropped in from outside: everything follows, with no line changed.

A whole cloud is started with two folders it has never seen. Their kinds have routes, OpenAPI,
verbs, guards, quota, billing, a sealed field, an owned job of another product, and their log.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.ledger import price_lists
from tests.e2e.conftest import Cloud, until

DROPPED = Path(__file__).parent / "dropped"
GADGETS = "/providers/acme.gadgets/v1/tenants/operator/workspaces/default/gadgets"
GEARS = "/providers/acme.gadgets/v1beta1/tenants/operator/workspaces/default/gadgets/g/gears"
TOOTH = 500_000_000
"""What a tooth costs, in nano."""


class Bazaar(Cloud):
    """A cloud with both folders."""

    @property
    def env(self) -> dict[str, str]:
        catalogue = self.home / "catalogue.json"
        told = {"SKERRY_CATALOGUE": str(catalogue)} if catalogue.exists() else {}
        return {
            **super().env,
            **told,
            "SKERRY_PRODUCTS": str(DROPPED / "products"),
            "SKERRY_DRIVERS": str(DROPPED / "drivers"),
        }

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        """(status, answer) of one request."""
        url = json.loads((self.data / "server.json").read_text())["url"]
        token = self.token_file.read_text().strip() if token is None else token
        asked = urllib.request.Request(
            url + path, method=method, headers={"authorization": f"Bearer {token}"},
            data=None if body is None else json.dumps(body).encode(),
        )  # fmt: skip
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def gear(self, name: str, phase: str) -> Any:
        """The gear, once it is in a phase."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            status, gear = self.call("GET", f"{GEARS}/{name}")
            if status == 200 and gear["status"].get("phase") == phase:
                return gear
            time.sleep(0.1)
        raise AssertionError(f"gear {name} is not {phase}: {gear}\n{self.tail()}")


@pytest.fixture(scope="module")
def bazaar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    home = tmp_path_factory.mktemp("bazaar")
    prices = home / "prices.toml"
    tooth = '[prices]\ngear-each = "0.50"\n'
    prices.write_text(price_lists.shipped().replace("[prices]\n", tooth, 1))
    cloud = Bazaar(home, "--no-agent", "--prices", str(prices))
    cloud.start()
    status, catalogue = cloud.call("GET", "/catalogue.json")
    assert status == 200
    (home / "catalogue.json").write_text(json.dumps(catalogue))
    spec = {"driver": "shed", "region": "home", "zone": "home-1", "jurisdiction": "SE"}
    status, answer = cloud.call("PUT", "/providers/skerry.site/v1/sites/garden", {"spec": spec})
    assert status == 201, answer
    until(cloud.offers, cloud.tail)
    assert cloud.call("PUT", f"{GADGETS}/g", {"spec": {"colour": "red"}})[0] == 201
    yield cloud
    cloud.stop()


def test_it_is_described_and_has_its_verbs(bazaar: Bazaar) -> None:
    _, described = bazaar.call("GET", "/openapi.json")
    item = GEARS.replace("operator", "{tenant}").replace("default", "{workspace}")
    item = item.replace("/g/", "/{gadget}/") + "/{name}"
    assert {item, f"{item}/polish", f"{item}/drawing", f"{item}/cost"} <= set(described["paths"])
    assert "GearSpec" in described["components"]["schemas"]
    assert "A thing made of gears" in bazaar.skerry("--help").stdout
    assert [g["metadata"]["name"] for g in bazaar.json("gadget", "list")] == ["g"]


def test_a_gear_is_forged_engraved_polished_paid_proved_and_removed(
    bazaar: Bazaar, tmp_path: Path
) -> None:
    sent = {"spec": {"teeth": 7, "pin": "s3cret"}}
    status, made = bazaar.call("PUT", f"{GEARS}/one", sent)
    assert status == 201
    assert "s3cret" not in json.dumps(made)
    gear = bazaar.gear("one", "ready")
    assert gear["status"]["engraved"] == 6
    assert gear["spec"] == {"teeth": 7}
    assert gear["metadata"]["gadget"] == "g"
    assert [c["state"] for c in gear["status"]["conditions"]] == ["active", "creating", "pending"]

    jobs = "/providers/skerry.run/v1/tenants/operator/workspaces/default/jobs"
    assert bazaar.call("GET", f"{jobs}/one-forge")[1]["status"]["phase"] == "succeeded"
    assert bazaar.call("DELETE", f"{jobs}/one-forge")[0] == 409

    _, cost = bazaar.call("GET", f"{GEARS}/one/cost")
    _, forge = bazaar.call("GET", f"{jobs}/one-forge/cost")
    assert cost["amountNano"] == 7 * TOOTH + forge["amountNano"]
    assert bazaar.call("GET", f"{GEARS}/one/drawing")[1] == {"teeth": 7}

    receipt, key = tmp_path / "receipt.json", tmp_path / "key"
    receipt.write_text(json.dumps(bazaar.call("GET", f"{GEARS}/one/receipt")[1]))
    key.write_text(bazaar.skerry("key").stdout)
    assert "receipt OK" in bazaar.skerry("verify", str(receipt), "--key", str(key)).stdout

    assert bazaar.call("POST", f"{GEARS}/one/polish")[0] == 202
    bazaar.gear("one", "polished")
    assert bazaar.call("PUT", f"{GEARS}/one", {"spec": {"teeth": 8}})[0] == 422
    assert bazaar.call("DELETE", f"{GEARS}/one")[0] == 202
    until(lambda: bazaar.call("GET", f"{GEARS}/one")[0] == 404, bazaar.tail)
    assert bazaar.call("GET", f"{jobs}/one-forge")[0] == 404


def test_it_is_guarded_and_counted(bazaar: Bazaar) -> None:
    assert bazaar.call("GET", GEARS, token="nobody")[0] == 401
    identity = "/providers/skerry.identity/v1/tenants/other"
    assert bazaar.call("PUT", identity, {})[0] == 201
    _, token = bazaar.call("PUT", f"{identity}/tokens/t", {"spec": {"subject": "admin"}})
    stranger = token["status"]["secret"]
    assert bazaar.call("GET", GEARS, token=stranger)[0] == 404
    assert bazaar.call("PUT", f"{GEARS}/x", {"spec": {"teeth": 1}}, token=stranger)[0] == 404
    statuses = [
        bazaar.call("PUT", f"{GADGETS}/more-{i}", {"spec": {"colour": "blue"}})[0] for i in range(3)
    ]
    assert statuses == [201, 201, 409]


def test_every_change_of_it_is_in_the_log(bazaar: Bazaar) -> None:
    audited = bazaar.audit()
    assert audited.returncode == 0, audited.stdout
