"""The loop as a person goes through it: ask, match, run, meter, bill, prove."""

import json
import stat
from pathlib import Path

from tests.e2e.conftest import Cloud


def test_a_command_runs_and_its_cost_and_place_are_told(cloud: Cloud) -> None:
    done = cloud.skerry("run", "--cpus", "1", "--", "python3", "-c", "print(6*7)")
    assert done.stdout == "42\n"
    assert "home-1" in done.stderr
    assert "EUR" in done.stderr


def test_lists_are_json_and_nothing_else(cloud: Cloud) -> None:
    listed = cloud.skerry("job", "list", "-o", "json").stdout
    assert isinstance(json.loads(listed), list)


def test_status_tells_an_operator_how_the_cloud_is(cloud: Cloud) -> None:
    said = cloud.skerry("status").stdout
    for word in ("home-1: heard", "in progress", "alerts:", "checkpoint", "balances", "free"):
        assert word in said
    assert cloud.json("status")["cloud"]["ledger"]["balanced"] is True


def test_the_jobs_exit_code_is_the_commands(cloud: Cloud) -> None:
    failed = cloud.skerry("run", "--", "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert failed.returncode == 7
    assert failed.stdout == "out\n"
    assert "err" in failed.stderr


def test_four_copies_of_a_folder_leave_artifacts(cloud: Cloud, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "words.txt").write_text("one two three four\n")
    (folder / ".gitignore").write_text("secret\n")
    (folder / "secret").write_text("not for others")
    script = (
        "import os, pathlib; rank = int(os.environ['SKERRY_RANK']);"
        "word = pathlib.Path('words.txt').read_text().split()[rank];"
        "pathlib.Path('out').mkdir(); pathlib.Path(f'out/{rank}.txt').write_text(word);"
        "print(sorted(os.listdir('.')))"
    )
    done = cloud.skerry(
        "run", "--name", "four", "--count", "4", "--dir", str(folder), "--artifact", "out/*",
        "--memory", "64MiB", "--cpus", "0.4", "--", "python3", "-c", script,
    )  # fmt: skip
    assert "[3]" in done.stdout
    assert "secret" not in done.stdout
    job = cloud.json("job", "get", "four")
    assert job["status"]["phase"] == "succeeded"
    assert {t["exitCode"] for t in job["status"]["tasks"]} == {0}
    url = f"/providers/{job['metadata']['ref']}/files"
    listed = json.loads(cloud.skerry("curl", url).stdout)["items"]
    assert [(f["rank"], f["path"]) for f in listed] == [(i, f"out/{i}.txt") for i in range(4)]
    assert cloud.skerry("curl", f"{url}/2/out/2.txt").stdout == "three"


def test_a_secret_is_given_and_never_shown(cloud: Cloud, tmp_path: Path) -> None:
    manifest = {
        "kind": "job",
        "metadata": {"name": "secretive"},
        "spec": {
            "command": ["sh", "-c", "echo ${#PIN}"],
            "memory": 64 << 20,
            "secretEnv": {"PIN": "hunter2-hunter2"},
        },
    }
    file = tmp_path / "job.yaml"
    file.write_text(json.dumps(manifest))
    cloud.skerry("apply", "-f", str(file))
    cloud.skerry("job", "wait", "secretive", "--for", "ended")
    assert cloud.skerry("logs", "secretive").stdout == "15\n"
    assert "hunter2" not in cloud.skerry("job", "get", "secretive", "-o", "json").stdout
    for path in cloud.data.rglob("*"):  # the database's own files and its log among them
        if path.is_file():
            assert b"hunter2-hunter2" not in path.read_bytes(), path
    assert b"hunter2" not in cloud.log.read_bytes()


def test_what_fits_nowhere_waits_and_says_why(cloud: Cloud) -> None:
    done = cloud.skerry("run", "--detach", "--name", "huge", "--gpus", "8", "--", "true")
    assert done.returncode == 0
    job = cloud.json("job", "get", "huge")
    assert job["status"]["phase"] == "queued"
    assert job["status"]["reason"] == "NoOffer"
    assert "GPU" in job["status"]["message"]
    explained = cloud.skerry("explain", "job", "huge").stdout
    assert "home-1" in explained
    cloud.skerry("job", "cancel", "huge")
    cloud.skerry("job", "wait", "huge", "--for", "ended", check=False)
    assert cloud.json("job", "get", "huge")["status"]["phase"] == "cancelled"


def test_a_running_job_is_cancelled_and_billed_for_its_time(cloud: Cloud) -> None:
    cloud.skerry("run", "--detach", "--name", "long", "--", "sleep", "600")
    cloud.skerry("job", "wait", "long", "--for", "phase=running")
    cloud.skerry("job", "cancel", "long")
    cloud.skerry("job", "wait", "long", "--for", "ended", check=False)
    status = cloud.json("job", "get", "long")["status"]
    assert status["phase"] == "cancelled"
    assert status["cost"]["amountNano"] > 0


def test_a_failed_job_is_run_again_as_often_as_asked(cloud: Cloud) -> None:
    done = cloud.skerry(
        "run", "--name", "again", "--retries", "1", "--", "sh", "-c", "echo tried; exit 3",
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "tried\n" * 2)
    status = cloud.json("job", "get", "again")["status"]
    assert status["attempt"] == 2
    leases = cloud.json("lease", "list")
    assert len([lease for lease in leases if lease["spec"]["subject"].endswith("/again")]) == 2


def test_a_deleted_job_leaves_nothing_behind(cloud: Cloud) -> None:
    cloud.skerry("run", "--detach", "--name", "doomed", "--", "sleep", "600")
    cloud.skerry("job", "wait", "doomed", "--for", "phase=running")
    cloud.skerry("job", "delete", "doomed", "--yes")
    assert cloud.skerry("job", "get", "doomed", check=False).returncode == 3
    site = cloud.json("site", "get", "home-1")
    assert site["status"]["capacity"]["millicores"] > 0
    assert cloud.audit().returncode == 0


def test_the_receipt_verifies_with_the_public_key_alone(cloud: Cloud, tmp_path: Path) -> None:
    cloud.skerry("run", "--name", "proved", "--", "true")
    receipt, key = tmp_path / "r.json", tmp_path / "key"
    cloud.skerry("receipt", "proved", "--to", str(receipt))
    key.write_text(cloud.skerry("key").stdout)
    assert cloud.skerry("verify", str(receipt), "--key", str(key)).stdout.endswith("receipt OK\n")
    altered = receipt.read_text().replace("SE", "DE", 1)
    receipt.write_text(altered)
    assert cloud.skerry("verify", str(receipt), "--key", str(key), check=False).returncode == 1


def test_secrets_of_the_cloud_are_its_owners(cloud: Cloud) -> None:
    for path in (cloud.token_file, *(cloud.data / "keys").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(cloud.data.stat().st_mode) == 0o700
    token = cloud.token_file.read_text().strip()
    assert token not in cloud.log.read_text()
