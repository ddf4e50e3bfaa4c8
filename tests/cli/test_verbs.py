"""Every verb, for any kind: exactly what it prints and how it exits."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skerry.cli.verbs.billing import invoice_text
from tests.cli.conftest import Skerry
from tests.client.standin import WHY, Cloud, problem

JOBS = "providers/skerry.run/v1/tenants/acme/workspaces/w/jobs"


def test_an_empty_list_is_an_empty_array(skerry: Skerry) -> None:
    assert skerry("job", "list", "-o", "json") == (0, "[]\n", "")
    assert skerry("job", "list", "--json") == (0, "[]\n", "")
    assert skerry("job", "list", "-o", "yaml") == (0, "[]\n", "")
    assert skerry("job", "list", "-o", "name") == (0, "", "")
    assert skerry("job", "list") == (0, "NAME   PHASE   EXIT   SITE   COST   AGE\n", "")
    assert skerry("job", "list", "-o", "noheader") == (0, "", "")


def test_lists_are_searched_and_sorted_by_the_server(skerry: Skerry) -> None:
    for name in ("n1", "n2", "m1"):
        skerry("network", "create", name, "--cidr.ipv4", "10.0.0.0/16", "--label", f"of={name}")
    chosen = ("network", "list", "-o", "name")
    assert skerry(*chosen, "--sort", "-created").out == "m1\nn2\nn1\n"
    assert skerry(*chosen, "--search", "N", "--state", "active,error").out == "n1\nn2\n"
    assert skerry(*chosen, "--phase", "running").out == ""
    assert skerry(*chosen, "--sort", "size").code == 2
    assert "no state" in skerry(*chosen, "--state", "fine").err


def test_create_waits_and_says_so(skerry: Skerry) -> None:
    said = skerry("network", "create", "n1", "--cidr.ipv4", "10.0.0.0/16", "--sku-ref", "small")
    assert said == (0, "network n1 created\n", "network n1: active\n")
    found = json.loads(skerry("network", "get", "n1", "-o", "json").out)
    assert found["spec"] == {
        "cidr": {"ipv4": "10.0.0.0/16"},
        "skuRef": {"resource": "small"},
    }


def test_create_refuses_what_exists(skerry: Skerry) -> None:
    skerry("network", "create", "n1", "--cidr.ipv4", "10.0.0.0/16")
    assert skerry("network", "create", "n1") == (
        5,
        "",
        "Error: network n1 exists already\nHint: Change it with: skerry network update n1\n",
    )


def test_flags_come_on_top_of_a_file(skerry: Skerry, tmp_path: Path) -> None:
    file = tmp_path / "job.yaml"
    file.write_text("labels: {tier: web}\nspec: {command: [sh], env: {A: b}, count: 2}\n")
    said = skerry(
        "job", "create", "j", "-f", str(file), "--env", "C=d=e", "--memory", "2GiB",
        "--time-limit", "10m", "--set", "gpus=1", "--set", "artifacts.0=out/*", "--label", "a=b",
        "--network", "--dry-run", "--", "python3", "-c", "print(1)",
    )  # fmt: skip
    assert said.code == 0, said.err
    document = json.loads(said.out)
    assert document["spec"] == {
        "command": ["python3", "-c", "print(1)"],
        "env": {"A": "b", "C": "d=e"},
        "count": 2,
        "memory": 2 << 30,
        "timeLimit": 600,
        "gpus": 1,
        "artifacts": ["out/*"],
        "network": True,
    }
    assert document["labels"] == {"tier": "web", "a": "b"}
    assert skerry("job", "list", "-o", "name").out == ""


def test_update_changes_only_what_is_said(skerry: Skerry, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    sealed = f"@{tmp_path}/password"
    skerry("cipher", "create", "k", "-q", "--password", sealed, "--rotate-days", "3")
    said = skerry("cipher", "update", "k", "-q", "--rotate-days", "5", "--label", "a=b")
    assert said == (0, "cipher k updated\n", "")
    found = json.loads(skerry("cipher", "get", "k", "-q", "-o", "json").out)
    assert (found["spec"], found["labels"]) == ({"rotateDays": 5}, {"a": "b"})
    said = skerry("cipher", "update", "k", "-q", "--if-version", "1")
    assert said == (
        5,
        "",
        "Error: Precondition failed: skerry.vault/v1beta1/tenants/acme/workspaces/w/ciphers/k "
        "is not at version 1: it is at version 2\n"
        "Hint: Read it again, apply your change to what is there now, and repeat.\nRequest: ID\n",
    )


def test_tables_choose_columns(standin: Skerry) -> None:
    for name in ("b", "a"):
        standin("job", "create", name, "--detach", "--command", "true")
        standin("job", "wait", name, "--for", "ended")
    assert standin("job", "list", "-o", "columns=name,cost,place,status.engine").out == (
        "NAME   COST           PLACE   STATUS.ENGINE\n"
        "a      0.001234 EUR   attic   bubblewrap\n"
        "b      0.001234 EUR   attic   bubblewrap\n"
    )
    said = standin("job", "list", "-o", "columns=name,phase", "-o", "noheader", "--limit", "1")
    assert said.out == "a   succeeded\n"
    assert standin("job", "ls", "-o", "name").out == "a\nb\n"
    wide = standin("job", "list", "-o", "wide").out.splitlines()
    assert wide[0].split() == ["NAME", "PHASE", "EXIT", "COST", "PLACE", "AGE", "REF"]
    assert wide[1].split()[-1] == "skerry.run/v1/tenants/acme/workspaces/w/jobs/a"


def test_an_unknown_form_is_told(skerry: Skerry) -> None:
    said = skerry("job", "list", "-o", "xml")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "Error: Invalid value for '-o' / '--output': 'xml' is not one of table, wide, json, yaml, "
        "name, columns=NAME,…, noheader\nDocs: skerry job list --help\n"
    )


def test_get_shows_it_whole(skerry: Skerry) -> None:
    skerry("network", "create", "n1", "--cidr.ipv4", "10.0.0.0/16", "--label", "tier=web")
    assert skerry("network", "get", "n1").out == (
        "Name:    n1\n"
        "Kind:    network (seca.network/v1)\n"
        "Ref:     seca.network/v1/tenants/acme/workspaces/w/networks/n1\n"
        "Region:  home\n"
        "Version: 1\n"
        "Created: TIME\n"
        "Changed: TIME\n"
        "Labels:\n"
        "  tier: web\n"
        "Spec:\n"
        "  cidr:\n"
        "    ipv4: 10.0.0.0/16\n"
        "Status:\n"
        "  state: active\n"
        "History:\n"
        "  active    TIME\n"
        "  creating  TIME\n"
        "  pending   TIME\n"
    )
    assert skerry("network", "describe", "n1", "-o", "yaml").out.startswith("labels:\n")


def test_what_is_not_there(skerry: Skerry) -> None:
    assert skerry("network", "get", "nope") == (
        3,
        "",
        "Error: Resource not found: "
        "seca.network/v1/tenants/acme/workspaces/w/networks/nope does not exist\n"
        "Request: ID\n",
    )


def test_errors_are_json_when_json_was_asked_for(standin: Skerry) -> None:
    said = standin("network", "create", "n", "--set", "bad=1", "-o", "json")
    assert (said.code, said.out) == (2, "")
    assert json.loads(said.err) == {
        "error": {
            "message": "Validation error",
            "detail": "spec: unknown field `bad`",
            "hint": "See skerry explain.",
            "docs": "skerry explain network",
            "requestId": "req-1",
            "exitCode": 2,
            "status": 422,
            "type": "http://secapi.cloud/errors/validation-error",
            "sources": [{"pointer": "/spec/bad"}, {"pointer": "/spec/command"}],
        }
    }


def test_field_errors_have_a_line_each(standin: Skerry) -> None:
    assert standin("network", "create", "n", "--set", "bad=1").err == (
        "Error: Validation error: spec: unknown field `bad`\n"
        "- spec.bad\n"
        "- spec.command\n"
        "Hint: See skerry explain.\n"
        "Docs: skerry explain network\n"
        "Request: req-1\n"
    )


def test_delete_takes_many_and_reports_each(skerry: Skerry) -> None:
    for name in ("a", "b"):
        skerry("cipher", "create", name, "-d")
    said = skerry("cipher", "delete", "a", "nope", "b", "--yes", "-q")
    assert said.code == 3
    assert said.out == "cipher a deleted\ncipher b deleted\n"
    assert said.err.startswith("Error: cipher nope: Resource not found: ")
    assert skerry("cipher", "list", "-o", "json").out == "[]\n"


def test_delete_never_asks_without_a_terminal(skerry: Skerry) -> None:
    for name in ("a", "b"):
        skerry("cipher", "create", name, "-d")
    assert skerry("cipher", "rm", "a", "b", "-q") == (
        2,
        "",
        "Error: Delete 2 ciphers (a, b)? needs a yes\n"
        "Hint: Run it again with --yes.\n"
        "Docs: skerry --help\n",
    )
    assert skerry("cipher", "list", "-o", "name").out == "a\nb\n"


def test_a_nested_kind_takes_its_parent_as_a_flag(
    skerry: Skerry, monkeypatch: pytest.MonkeyPatch
) -> None:
    skerry("network", "create", "n", "--cidr.ipv4", "10.0.0.0/16", "-q")
    subnet = ("subnet", "create", "s", "--network", "n", "--cidr.ipv4", "10.0.0.0/24")
    said = skerry(*subnet, "--spec-url", "x", "-q")
    assert said == (0, "subnet s created\n", "")
    monkeypatch.setenv("SKERRY_NETWORK", "n")
    assert (
        skerry("subnet", "list", "-o", "columns=network,name").out
        == "NETWORK   NAME\nn         s\n"
    )
    monkeypatch.delenv("SKERRY_NETWORK")
    assert skerry("subnet", "list") == (
        2,
        "",
        "Error: no network is given\nHint: Use --network, SKERRY_NETWORK or a context.\n"
        "Docs: skerry --help\n",
    )


def test_waiting_too_long_says_which_flag_to_raise(standin: Skerry, cloud: Cloud) -> None:
    cloud.hold = True
    standin("job", "create", "j", "-d", "--command", "true")
    said = standin("job", "wait", "j", "--for", "ended", "--wait-timeout", "0")
    assert said.code == 6
    assert said.err == (
        f"job j: queued: {WHY}\n"
        f"Error: job j is queued after 0 s: {WHY}\n"
        "Hint: Raise --wait-timeout, or look again with: skerry job get j\n"
    )
    cloud.documents[f"{JOBS}/j"]["status"]["phase"] = "running"
    assert standin("job", "wait", "j", "--for", "ended", "--wait-timeout", "0", "-q").code == 124


def test_a_wait_that_ends_badly_fails(standin: Skerry) -> None:
    standin("job", "create", "j", "-d", "--command", "false")
    said = standin("job", "wait", "j", "--for", "ended", "-q")
    assert (said.code, said.out) == (1, "job j failed\n")
    assert said.err == "Error: job j is failed\nHint: Look closer with: skerry job get j\n"


def test_actions_have_their_own_flags(standin: Skerry, cloud: Cloud) -> None:
    standin("cipher", "create", "k", "-q")
    said = standin("cipher", "rotate", "k", "--grace", "60", "-q")
    assert said == (0, "cipher k: rotate asked\n", "")
    assert cloud.events[-1]["verb"] == "rotate"


def test_what_may_change_is_marked_and_warned_of(skerry: Skerry) -> None:
    assert "(v1beta1, may change)" in skerry("cipher", "--help").out
    said = skerry("cipher", "list", "-o", "json")
    assert said == (
        0,
        "[]\n",
        "Note: cipher is v1beta1: its form may still change (-q hides this)\n",
    )


def test_read_only_kinds_have_no_verbs_that_write(skerry: Skerry) -> None:
    verbs = skerry("network-sku", "--help").out.split("Verbs:\n")[1]
    assert [line.split()[0] for line in verbs.splitlines()] == ["list", "get", "explain"]
    assert skerry("network-sku", "create", "x").code == 2


def test_views_print_what_they_are(standin: Skerry, cloud: Cloud) -> None:
    standin("job", "create", "j", "-d", "--command", "true")
    cloud.views[f"/{JOBS}/j/cost"] = {
        "currency": "EUR", "amountNano": 1_500_000_000, "settledNano": 1_500_000_000,
        "runningNano": 0, "heldNano": 12_000_000_000, "perHourNano": 50_000_000,
    }  # fmt: skip
    assert standin("job", "cost", "j").out == (
        "1.50 EUR\n  set aside: 12.00 EUR\n  per hour:  0.05 EUR\n"
    )
    assert json.loads(standin("job", "cost", "j", "-o", "json").out)["currency"] == "EUR"
    cloud.views[f"/{JOBS}/j/page"] = b"<html>\xff"
    assert standin("job", "page", "j", "--to", "page.html").code == 0
    assert Path("page.html").read_bytes() == b"<html>\xff"


def test_an_invoice_is_a_table() -> None:
    line = {
        "workspace": "maps", "resource": "skerry.run/v1/tenants/acme/workspaces/maps/jobs/m",
        "meter": "cpu-hour", "site": "attic", "quantity": "0.026565", "unit": "core-hour",
        "unitPrice": "36.00", "exact": "0.95634", "amount": "0.96", "adjusts": "2026-10",
    }  # fmt: skip
    told = invoice_text(
        {
            "number": "acme-2026-11", "state": "draft", "issuer": "Ann", "tenant": "acme",
            "period": "2026-11", "asOf": "2026-11-21T10:13:25.376981Z", "lines": [line],
            "currency": "EUR", "exact": "0.95634", "rounding": "0.00366", "total": "0.96",
        }
    )  # fmt: skip
    assert told.splitlines() == [
        "number: acme-2026-11",
        "state:  draft",
        "issuer: Ann",
        "tenant: acme",
        "period: 2026-11",
        "asOf:   2026-11-21 10:13:25 UTC",
        "",
        "WORKSPACE   RESOURCE               METER      SITE    QUANTITY             UNIT PRICE"
        "   EXACT     AMOUNT",
        "maps        jobs/m (for 2026-10)   cpu-hour   attic   0.026565 core-hour   36.00     "
        "   0.95634   0.96",
        "",
        "exact:    0.95634 EUR",
        "rounding: 0.00366 EUR",
        "total:    0.96 EUR",
    ]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def test_artifacts_are_listed_and_fetched(standin: Skerry, cloud: Cloud) -> None:
    standin("job", "create", "j", "-d", "--command", "true")
    item = {"rank": 0, "path": "out/a.txt", "size": 2048, "mode": 420, "modifiedAt": "x"}
    cloud.views[f"/{JOBS}/j/files"] = {"items": [item]}
    cloud.views[f"/{JOBS}/j/files/0/out/a.txt"] = b"result"
    assert (
        standin("job", "files", "j").out == "FILE          SIZE    AGE\n0/out/a.txt   2 KiB   -\n"
    )
    assert standin("job", "files", "j", "out/a.txt").out == "result"
    assert standin("job", "files", "j", "--to", "got").out == "got/out/a.txt\n"
    assert Path("got/out/a.txt").read_text() == "result"
    cloud.views[f"/{JOBS}/j/files"] = {"items": [{**item, "path": "../../evil"}]}
    said = standin("job", "files", "j", "--to", "got")
    assert (said.code, said.out) == (2, "")
    assert "would be written outside got" in said.err


def test_json_can_be_piped_into_a_json_tool(skerry: Skerry) -> None:
    skerry("job", "create", "j", "-d", "--command", "true")
    run = [sys.executable, "-m", "skerry.cli.main", "job", "list", "-o", "json"]
    first = subprocess.run(run, capture_output=True, check=True)
    tool = [sys.executable, "-m", "json.tool"]
    assert subprocess.run(tool, input=first.stdout, capture_output=True, check=True).stdout


def test_an_update_outlasts_a_change_of_status_meanwhile(standin: Skerry, cloud: Cloud) -> None:
    """What runs changes its version by itself, and nobody can read and write at once."""
    standin("network", "create", "n", "--cidr.ipv4", "10.0.0.0/16", "-q")
    stale = problem(412, "it is at another version")
    cloud.faults = [lambda _: None, lambda _: stale]
    said = standin("network", "update", "n", "--label", "tier=web", "-q")
    assert (said.code, said.out) == (0, "network n updated\n"), said.err
    cloud.faults = [lambda _: None, lambda _: stale]
    said = standin("network", "update", "n", "--label", "tier=db", "--if-version", "1", "-q")
    assert said.code == 5
    # No resource is ever at version 0: nothing must be taken for "any version".
    assert standin("network", "update", "n", "--label", "a=b", "--if-version", "0", "-q").code == 5
