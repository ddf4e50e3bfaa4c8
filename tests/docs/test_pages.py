"""What the pages say is so: their commands run, their documents are taken, their words exist.

All of it on one cloud with a real agent. The commands of a page run in order, as one shell script,
in which only what a reader has to fill in is filled in.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from skerry.cli.common import Session
from skerry.cli.main import root
from tests.docs.pages import ROOT, Block, blocks, inline
from tests.e2e.conftest import Cloud, until
from tests.harness.images import image
from tests.harness.ports import free_port

SHELL = """
set -euo pipefail
PATH="$BIN:$PATH"
serve() {  # likewise
    command skerry serve "$@" 2>>up.log &
    running=$!
    local before; before=$(grep -c 'is up' up.log || true)
    for _ in $(seq 600); do
        [ "$(grep -c 'is up' up.log)" -gt "$before" ] && return
        kill -0 $running || break
        sleep 0.2
    done
    cat up.log; return 1
}
skerry() {  # `up` stays in the foreground: wait until it is ready instead
    if [ "$1" = serve ]; then shift; serve "$@"; return; fi
    if [ "$1" != up ]; then command skerry "$@"; return; fi
    local listen=(--listen 127.0.0.1:0)
    case "$*" in *--listen*) listen=() ;; esac
    command skerry "$@" "${listen[@]}" --no-agent 2>>up.log &
    running=$!
    local before; before=$(grep -c 'is up' up.log || true)
    for _ in $(seq 300); do
        [ "$(grep -c 'is up' up.log)" -gt "$before" ] && return
        kill -0 $running || break
        sleep 0.2
    done
    cat up.log; return 1
}
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT
"""
HOSTS = """
until_host_is() {
    for _ in $(seq 60); do
        skerry host get attic --site home-1 -o json 2>/dev/null | grep -q "\\"$1\\"" && return
        sleep 0.2
    done
    cat host.log; return 1
}
on_another_machine() {
    python3 -c "$ASKED" token > token
    command skerry site join "$(python3 -c "$ASKED" address)" "$@" \\
        --token @token --data $PWD/host 2>>host.log &
    until_host_is connected
}
ASKED='import json, sys; print(json.load(open("told"))[sys.argv[1]])'
"""
ACME = "skerry tenant get acme >/dev/null 2>&1 || skerry tenant create acme -q"
PREPARE = {
    "access.md": "skerry service-account create ci -q",
    "backup.md": "mkdir -p srv",
    "billing.md": f"{ACME}; skerry workspace create lab -q; skerry run -q -- true",
    "hosts.md": HOSTS,
    "images.md": "cp $APP app.tar; echo ann > user.txt; echo secret > password.txt",
    "invoices.md": "skerry tenant create harbour -q",
    "jobs.md": "cp $PAGE_YAML job.yaml; skerry apply -f job.yaml; skerry quote -f job.yaml",
    "clusters.md": "cat > kubeconfig <<< '{clusters: [{name: c, cluster: {server: "
    "https://127.0.0.1:1}}], users: [{name: u, user: {token: t}}], contexts: [{name: x, context: "
    "{cluster: c, user: u}}], current-context: x}'",
    "growing.md": "mkdir -p srv",
    "people.md": f"echo secret > secret.txt; {ACME}; skerry user create bob -q",
    "operating.md": "mkdir -p srv",
    "audits.md": f"{ACME}; skerry key | tee key.txt > acme-key.txt; "
    "skerry key --witness > neighbour-key.txt; mkdir none; "
    "skerry run -q --name survey --artifact out -- sh -c 'echo 42 > out'",
    "proof.md": "skerry run -q --name proved -- true; skerry receipt proved --to receipt.json; "
    f"skerry key > key.txt; cp {ROOT}/src/skerry/proof/verify.py .",
    "sites.md": "skerry apply -f $PAGE_YAML; "
    "for i in $(seq 50); do skerry offer get cellar -q >/dev/null 2>&1 && break; sleep 0.2; done",
}
FILLED = {
    "access.md": {"ann.laptop": "operator.laptop"},
    "audits.md": {"audit event 0": "audit log --limit 1", "--compare results": "--compare none"},
    "backup.md": {
        "backup DIR": "backup $PWD",
        "restore FILE": "restore $(ls skerry-*.tar)",
        "/srv": "$PWD/srv",
    },
    "billing.md": {"2026-10": f"{datetime.now(UTC):%Y-%m}"},
    "growing.md": {
        "postgresql://skerry@db.example/skerry": "$POSTGRES",
        "/srv": "$PWD/srv",
        "127.0.0.1:8431": "127.0.0.1:$PORT --token-file $PWD/token --gateway none",
        "--agents 127.0.0.1:8432": "--agents 127.0.0.1:0 --gateway none",
        "--agents 127.0.0.1:8433": "--agents 127.0.0.1:0 --gateway none",
        "skerry site create": "export SKERRY_URL=http://127.0.0.1:$PORT "
        "SKERRY_TOKEN=$(cat token); skerry site create",
    },
    "hosts.md": {
        "skerry site invite home-1": "skerry site invite home-1 -o json > told",
        "skerry site join 10.0.0.5:8422": "on_another_machine",
        "skerry host lost": "until_host_is drained; skerry host lost",
    },
    "images.md": {
        "registry.example/team/app:1.0": "./app.tar",
        "six==1.17.0": "# nothing from outside in tests",
        "import six; print(six.__version__)": "print()",
    },
    "invoices.md": {"2026-000001": f"{datetime.now(UTC):%Y}-000001"},
    "operating.md": {
        "/srv": "$PWD/srv",
        "DIR": "$PWD/other",
        "8420": "$PORT",
        "DATABASE_URL=postgresql://skerry@db.example/skerry": "SKERRY_DATA=$PWD/third "
        "DATABASE_URL=$POSTGRES",
    },
    "proof.md": {"'skerry/acme+1f2e3d4c+AX…'": '"$(skerry key)"'},
    "people.md": {"skerry login --tenant acme": "skerry login --help --tenant acme"},
    "training.md": {
        "--gpus 8": "--cpus 0.2 --memory 64MiB",
        "--name short": "--name short --cpus 0.2 --memory 64MiB",
        "torchrun train.py": "sh -c 'echo $RANK of $WORLD_SIZE at $MASTER_ADDR'",
    },
    "volumes.md": {"1G": "32M", "2G": "64M"},
    "sites.md": {'["sleep",60]': '["sleep",0]', "-- anything": "-- anything || test $? = 3"},
}
AFTER = {
    "clusters.md": "skerry site delete cluster --yes",
    "README.md": "skerry service delete hello --yes",
    "shells.md": "skerry job delete web --yes",
}
"""What ends what a page leaves running: the next ones need the room."""
ELSEWHERE = ("make ", "tools/uv ")
"""Blocks that begin so are run by tests/demo."""
COMMANDS = [b for b in blocks() if b.language == "sh" and not b.text.startswith(ELSEWHERE)]
PAGES = list(dict.fromkeys(block.page for block in COMMANDS))
DOCUMENTS = [block for block in blocks() if block.language == "yaml"]
PROGRAMS = [block for block in blocks() if block.language == "python"]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One for all pages, which other machines can join."""
    made = Cloud(tmp_path_factory.mktemp("cloud"), "--agents", "127.0.0.1:0")
    made.start()
    until(made.offers, made.tail)
    yield made
    made.stop()


def told(cloud: Cloud, tmp_path: Path, **more: str) -> dict[str, str]:
    """The environment of somebody who reads a page."""
    url = json.loads((cloud.data / "server.json").read_text())["url"]
    return {
        **cloud.env,
        "SKERRY_URL": url,
        "SKERRY_TOKEN": cloud.token_file.read_text().strip(),
        "SKERRY_TENANT": "operator",
        "SKERRY_WORKSPACE": "default",
        "SKERRY_DATA": str(cloud.data),
        "SKERRY_NO_CONTEXT": "1",
        "BIN": str(Path(sys.executable).parent),
        **more,
    }


@pytest.mark.parametrize("page", PAGES)
def test_commands_run(page: str, cloud: Cloud, pg_url: str, tmp_path: Path) -> None:
    script = "\n".join(block.text for block in COMMANDS if block.page == page)
    for written, meant in FILLED.get(page, {}).items():
        assert written in script
        script = script.replace(written, meant)
    env = told(cloud, tmp_path, POSTGRES=pg_url, PORT=str(free_port()))
    if page == "images.md":
        env["APP"] = str(tmp_path / "built.tar")
        (tmp_path / "built.tar").write_bytes(image(Cmd=["true"]).archive())
    for block in DOCUMENTS:
        if block.page == page:
            (tmp_path / "page.yaml").write_text(block.text)
            env["PAGE_YAML"] = str(tmp_path / "page.yaml")
    (tmp_path / "up.log").touch()
    done = subprocess.run(
        ["bash", "-c", "\n".join((SHELL, PREPARE.get(page, ""), script, AFTER.get(page, "")))],
        env=env, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{cloud.tail()}"


@pytest.mark.parametrize("block", DOCUMENTS, ids=lambda block: block.title)
def test_documents_are_taken(block: Block, cloud: Cloud, tmp_path: Path) -> None:
    """Secrets that a document names are there while it is looked at."""
    (tmp_path / "document.yaml").write_text(block.text)
    sealed = dict.fromkeys(re.findall(r"\{env: (\w+)\}", block.text), "hunter2")
    for name in re.findall(r"\{file: ([\w.]+)\}", block.text):
        (tmp_path / name).write_text("hunter2")
    secrets = sorted(set(re.findall(r"secret: (\w+), key: (\w+)", block.text)))
    for secret, key in secrets:
        cloud.skerry("secret", "create", secret, "--data", key, **{key: "hunter2"})
    cloud.skerry("apply", "--dry-run", "-f", str(tmp_path / "document.yaml"), **sealed)
    for secret, _ in secrets:
        cloud.skerry("secret", "delete", secret, "--yes")


def test_the_python_page_runs(cloud: Cloud, tmp_path: Path) -> None:
    whole = [block.text for block in PROGRAMS if block.page == "python.md"][:2]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(whole)],
        env=told(cloud, tmp_path), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["succeeded 0", "b'42\\n'"]


@pytest.mark.parametrize("block", PROGRAMS, ids=lambda block: block.title)
def test_programs_are_python(block: Block) -> None:
    compile(block.text, block.title, "exec")


@pytest.mark.parametrize(("page", "command"), inline())
def test_commands_in_sentences_exist(page: str, command: str) -> None:
    """Words in capitals stand for others; each command and option must be there."""
    words = shlex.split(re.sub(r"\[.*?\]", "", command))[1:]
    ctx = click.Context(root, obj=Session(), info_name="skerry")
    node: click.Command = root
    while words and isinstance(node, click.Group) and not words[0].startswith("-"):
        choices = words[0].split("|")
        if words[0].isupper():
            return
        found = [node.get_command(ctx, word) for word in choices]
        assert all(found), f"there is no {words[0]!r} in {ctx.command_path}"
        node, words = found[0] or node, words[1:]
        ctx = click.Context(node, parent=ctx, info_name=node.name)
    known = {name for param in node.get_params(ctx) for name in param.opts}
    options = words[: words.index("--")] if "--" in words else words
    unknown = [w for w in options if w.startswith("-") and w not in known]
    # A group may take options for a command of its own: `skerry quote -f`.
    assert not unknown or isinstance(node, click.Group), unknown
