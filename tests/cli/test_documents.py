"""``apply``, ``diff``, ``quote`` and ``explain``: what is written, and what would come of it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Skerry
from tests.client.standin import Cloud

NETWORKS = """
kind: subnet
metadata: {name: s1, network: n1}
spec: {cidr: {ipv4: 10.0.0.0/24}}
---
kind: network
metadata: {name: n1}
labels: {tier: web}
spec:
  cidr: {ipv4: 10.0.0.0/16}
"""
JOBS = "providers/skerry.run/v1/tenants/acme/workspaces/w/jobs"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "documents" / "net.yaml"
    path.parent.mkdir()
    path.write_text(NETWORKS)
    return str(path)


def test_apply_makes_it_so_and_then_leaves_it_alone(skerry: Skerry, file: str) -> None:
    said = skerry("apply", "-q", "-f", file)
    assert said == (0, "network/n1 created\nsubnet/s1 created\n", "")
    assert skerry("apply", "-q", "-f", file).out == "network/n1 unchanged\nsubnet/s1 unchanged\n"
    Path(file).write_text(NETWORKS.replace("tier: web", "tier: db"))
    assert skerry("apply", "-q", "-f", file).out == "network/n1 updated\nsubnet/s1 unchanged\n"
    found = json.loads(skerry("network", "get", "n1", "-o", "json").out)
    assert (found["metadata"]["resourceVersion"], found["labels"]) == (2, {"tier": "db"})


def test_what_get_prints_can_be_applied(skerry: Skerry, file: str, tmp_path: Path) -> None:
    skerry("apply", "-q", "-f", file)
    again = tmp_path / "again.yaml"
    again.write_text(skerry("network", "get", "n1", "-o", "yaml").out)
    assert skerry("apply", "-f", str(again)) == (0, "network/n1 unchanged\n", "")


def test_apply_takes_folders_and_tells_documents(skerry: Skerry, file: str) -> None:
    folder = Path(file).parent
    (folder / "secret.json").write_text(
        json.dumps({"kind": "cipher", "metadata": {"name": "k"}, "spec": {"password": "p"}})
    )
    (folder / "notes.txt").write_text("not a document")
    said = skerry("apply", "-q", "-f", str(folder), "-o", "json")
    assert [(r["kind"], r["name"], r["result"]) for r in json.loads(said.out)] == [
        ("network", "n1", "created"),
        ("cipher", "k", "created"),
        ("subnet", "s1", "created"),
    ]
    # The cloud compares what is sealed too.
    said = skerry("apply", "-q", "-f", str(folder), "-o", "json")
    assert [r["result"] for r in json.loads(said.out)] == ["unchanged"] * 3
    (folder / "secret.json").write_text(
        json.dumps({"kind": "cipher", "metadata": {"name": "k"}, "spec": {"password": "q"}})
    )
    assert "+  password: (sealed)\n" in skerry("diff", "-f", str(folder)).out
    said = skerry("apply", "-q", "-f", str(folder), "-o", "json")
    assert [r["result"] for r in json.loads(said.out)] == ["unchanged", "updated", "unchanged"]


def test_a_dry_run_changes_nothing(skerry: Skerry, file: str) -> None:
    said = skerry("apply", "--dry-run", "-f", file)
    assert said.out == "network/n1 created (dry run)\nsubnet/s1 created (dry run)\n"
    assert skerry("network", "list", "-o", "json").out == "[]\n"


def test_one_refusal_and_nothing_is_applied(skerry: Skerry, file: str) -> None:
    Path(file).write_text(NETWORKS + "  bad: 1\n")
    said = skerry("apply", "-q", "-f", file)
    assert (said.code, said.out) == (2, "")
    # The line of the field, as an editor opens it.
    assert said.err.startswith(f"Error: {file}:11: Validation error")
    assert "unknown field `bad`" in said.err
    assert said.err.endswith("Nothing was applied.\n")
    assert "subnet" not in said.err
    assert skerry("network", "list", "-o", "json").out == "[]\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: [", "is not YAML"),
        ("kind: network", "metadata.name is missing"),
        ("metadata: {name: x}", "kind is missing"),
        ("kind: netwrok\nmetadata: {name: x}", "there is no kind 'netwrok'"),
        ("kind: network\nspecs: {}", "unknown field 'specs'"),
        ("- 1", "a document must be an object"),
    ],
)
def test_documents_that_are_none(skerry: Skerry, file: str, text: str, told: str) -> None:
    Path(file).write_text(text)
    said = skerry("apply", "-f", file)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert file in said.err


def test_diff_shows_what_apply_would_change(skerry: Skerry, file: str) -> None:
    skerry("apply", "-q", "-f", file)
    assert skerry("diff", "-f", file, "--exit-code") == (0, "", "")
    text = NETWORKS.replace("tier: web", "tier: db").replace("name: s1", "name: s2")
    Path(file).write_text(text)
    said = skerry("diff", "-f", file)
    assert said == (
        0,
        "--- network/n1 (now)\n"
        "+++ network/n1 (then)\n"
        "@@ -1,5 +1,5 @@\n"
        " labels:\n"
        "-  tier: web\n"
        "+  tier: db\n"
        " spec:\n"
        "   cidr:\n"
        "     ipv4: 10.0.0.0/16\n"
        "--- (nothing)\n"
        "+++ subnet/s2 (then)\n"
        "@@ -0,0 +1,3 @@\n"
        "+spec:\n"
        "+  cidr:\n"
        "+    ipv4: 10.0.0.0/24\n",
        "",
    )
    assert skerry("diff", "-f", file, "--exit-code").code == 1


def test_diff_does_not_show_what_is_sealed(skerry: Skerry, file: str) -> None:
    Path(file).write_text("kind: cipher\nmetadata: {name: k}\nspec: {password: hunter2}\n")
    said = skerry("diff", "-f", file)
    assert "hunter2" not in said.out
    assert "+  password: (sealed)\n" in said.out


def test_a_quote_tells_price_and_place(standin: Skerry, cloud: Cloud) -> None:
    said = standin(
        "quote", "job", "--name", "sum", "--gpus", "1", "--secret-env", "HOME", "--", "true"
    )
    name = said.out.split("\n")[0].split()[1]
    assert said.out == (
        f"Quote:   {name}\n"
        "Price:   0.042 EUR per hour\n"
        "At most: 0.063 EUR\n"
        "Place:   attic (home, DE)\n"
        "Policy:  only in the EU\n"
        "Valid:   until 2026-11-21 08:15:00 UTC\n"
        "Refused: 5 for gpus\n"
        "Refused: 2 for jurisdiction\n"
        f"Accept:  skerry quote accept {name} --name sum\n"
    )
    (quote,) = (d for key, d in cloud.documents.items() if "/quotes/" in key)
    assert quote["spec"] == {"kind": "job", "spec": {"command": ["true"], "gpus": 1}}
    assert standin("quote", "list", "-o", "columns=price/h,site").out == (
        "PRICE/H     SITE\n0.042 EUR   attic\n"
    )
    assert standin("quote", "accept", name, "--name", "sum").code == 0


def test_no_offer_is_exit_code_six(standin: Skerry, cloud: Cloud, file: str) -> None:
    cloud.quoted = {
        "phase": "refused", "hint": "Ask for fewer.",
        "refused": {"gpus": 2}, "nearest": [{"offer": "attic", "why": ["lacks 8 GPUs"]}],
    }  # fmt: skip
    Path(file).write_text("kind: job\nmetadata: {name: j}\nspec: {command: [x], gpus: 9}\n")
    assert standin("quote", "-f", file) == (
        6,
        "",
        "Error: no offer serves this job: 2 for gpus; attic: lacks 8 GPUs\nHint: Ask for fewer.\n",
    )


def test_explain_tells_a_kind_field_by_field(bare: Skerry) -> None:
    assert bare("explain", "network") == (
        0,
        "network: A private network\n"
        "  seca.network/v1, collection networks, in a workspace\n"
        "\n"
        "Spec:\n"
        "  cidr  (Cidr, required, can't be changed)\n"
        "      Its addresses.\n"
        "  skuRef  (Reference, points at a network-sku)\n"
        "      Its SKU.\n",
        "",
    )
    assert (
        bare("explain", "network.cidr.ipv4").out
        == "network.cidr.ipv4  text\n  Such as 10.0.0.0/16.\n"
    )
    assert bare("job", "explain").out.count("\n    ") > 10
    said = bare("explain", "network.x")
    assert said.code == 2
    assert "Hint: Fields: cidr, skuRef." in said.err


def test_explain_tells_why_it_is_there(standin: Skerry, cloud: Cloud) -> None:
    standin("job", "create", "j", "-d", "--command", "true")
    standin("job", "wait", "j", "--for", "ended")
    place = {"site": "attic", "jurisdiction": "DE", "operator": "ann"}
    cloud.views[f"/{JOBS}/j/decision"] = {
        "policyInWords": "only in the EU", "considered": 4, "eligible": 2,
        "refused": {"jurisdiction": 2},
        "chosen": {"offer": "o1", "place": place, "isolation": "sandbox",
                   "price": {"currency": "EUR", "perHour": 42_000_000}},
        "runnerUp": {"offer": "o2", "place": {"site": "cellar"},
                     "price": {"currency": "EUR", "perHour": 50_000_000}},
        "nearest": [{"offer": "o3", "place": {"site": "far", "jurisdiction": "US"},
                     "failures": [{"reason": "jurisdiction", "words": "US is not in the EU"}]}],
    }  # fmt: skip
    assert standin("explain", "job", "j").out == (
        "job j: succeeded\n"
        "Here:  attic (DE; operated by ann), 0.042 EUR/h, sandbox, offer o1\n"
        "Rules: only in the EU\n"
        "Next:  cellar, 0.05 EUR/h, offer o2\n"
        "Seen:  4 offers, of which 2 would do\n"
        "Refused:\n"
        "      2  jurisdiction\n"
        "Nearest that were refused:\n"
        "  far (US)\n"
        "    - US is not in the EU\n"
    )
    assert standin("explain", "network", "n").code == 3
