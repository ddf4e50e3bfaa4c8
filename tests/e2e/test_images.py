"""Images and Python packages as a person uses them, on a whole cloud with a private registry."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Cloud, until
from tests.harness.images import Image, image
from tests.harness.packages import Index, Package, serving
from tests.harness.registry import PASSWORD, USER, Registry, registry


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry") / "private", private=True) as found:
        yield found


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    with serving(Package("answers", needs=("numbers",)), Package("numbers")) as found:
        yield found


@pytest.fixture(scope="module")
def cloud(
    private: Registry, index: Index, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    """Its operator has told the agent of this machine which registry and index there are."""
    made = Cloud(tmp_path_factory.mktemp("cloud"))
    made.data.mkdir()
    settings = {"plainRegistries": [private.host], "index": index.url, "stall": 30, "keepFree": 0}
    (made.data / "agent.json").write_text(json.dumps(settings))
    made.start()
    until(lambda: made.json("offer", "list"), made.tail)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def app() -> Image:
    return image(Cmd=["sh", "-c", "echo $WHO runs as $(id -u)"], Env=["WHO=app"], User="web")


def test_a_private_image_runs_by_digest(cloud: Cloud, private: Registry, app: Image) -> None:
    private.push("team/app", app, "v1")
    exact = f"{private.host}/team/app@{app.digest}"
    denied = cloud.skerry("run", "--image", exact, check=False)
    assert denied.returncode == 1
    assert "it needs a login: name a secret" in denied.stderr
    assert "it never ran and costs nothing" in denied.stderr
    secret = ("secret", "create", "registry", "--data", "username", "--data", "password")
    cloud.skerry(*secret, username=USER, password=PASSWORD)
    login = ("--image-secret", "registry")
    done = cloud.skerry("run", "--name", "exact", "--image", exact, *login)
    assert done.stdout == "app runs as 33\n"
    assert cloud.json("job", "get", "exact")["status"]["image"] == app.digest
    tagged = f"{private.host}/team/app:v1"
    done = cloud.skerry("run", "--name", "tagged", "--image", tagged, *login, "--", "cat",
                        "/etc/group")  # fmt: skip
    assert "team:x:50:web" in done.stdout
    assert cloud.json("job", "get", "tagged")["status"]["image"] == app.digest


def test_an_image_in_a_file_or_a_folder(cloud: Cloud, app: Image, tmp_path: Path) -> None:
    archive = tmp_path / "app.tar"
    archive.write_bytes(app.archive())
    assert cloud.skerry("run", "-q", "--image", str(archive)).stdout == "app runs as 33\n"
    folder = tmp_path / "layout"
    app.unpack(folder)
    done = cloud.skerry("run", "--image", str(folder), "--", "sh", "-c", "echo $WHO")
    assert done.stdout == "app\n"
    done = cloud.skerry("run", "--image", str(tmp_path), check=False)
    assert "neither an image's archive nor a folder with an OCI layout" in done.stderr


def test_a_second_try_runs_the_same_image(cloud: Cloud, private: Registry) -> None:
    """The tag moves while the first run goes on."""
    first = image(Cmd=["sh", "-c", "echo first; sleep 3; exit 1"])
    private.push("team/moves", first)
    cloud.skerry(
        "run", "--detach", "--name", "moves", "--image", f"{private.host}/team/moves",
        "--image-secret", "registry", "--retries", "1",
    )  # fmt: skip
    status = lambda: cloud.json("job", "get", "moves")["status"]  # noqa: E731
    until(lambda: status()["phase"] == "running", cloud.tail)
    private.push("team/moves", image(Cmd=["echo", "second"]))
    until(lambda: status()["phase"] == "failed", cloud.tail)
    assert status()["image"] == first.digest
    assert cloud.skerry("logs", "moves").stdout.splitlines()[-1] == "first"


def test_python_packages(cloud: Cloud, index: Index, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("answers  # and what it needs\n")
    code = "import answers, sys; print(answers.answer, sys.prefix)"
    command = ("run", "--requirements", str(file), "--", "python", "-c", code)
    index.gate.clear()
    try:
        done = cloud.skerry(*command[:-4], "--detach", "--name", "slow", *command[-4:])
        waits = re.compile(r"(Looking up|Installing) its Python packages")
        # Not by the command: the site gives an index that sends nothing up before long.
        path = "/providers/skerry.run/v1/tenants/operator/workspaces/default/jobs/slow"
        slow = lambda: cloud.get(path)["status"]  # noqa: E731
        until(lambda: waits.match(slow().get("message", "")), cloud.tail)
    finally:
        index.gate.set()
    until(lambda: slow()["phase"] in ("succeeded", "failed"), cloud.tail, seconds=240)
    status = slow()
    assert status["phase"] == "succeeded", status
    assert cloud.skerry("logs", "slow").stdout == "42 /environment\n"
    asked = len(index.asked)
    done = cloud.skerry(*command)
    assert done.stdout == "42 /environment\n"
    assert len(index.asked) == asked
    assert "message" not in status
    file.write_text("no-such-thing\n")
    done = cloud.skerry(*command, check=False)
    assert done.returncode == 1
    assert "a package is not in the index" in done.stderr


def test_what_contradicts_itself_is_refused_at_once(cloud: Cloud, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("answers\n")
    done = cloud.skerry(
        "run", "--image", "a.example/b", "--requirements", str(file), "--", "true", check=False
    )
    assert "Put the packages into the image" in done.stderr
    assert "COMMAND" in cloud.skerry("run", check=False).stderr
