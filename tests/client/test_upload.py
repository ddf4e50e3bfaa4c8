"""A folder is brought by content, less what git would ignore."""

from hashlib import sha256
from pathlib import Path

import pytest

from skerry.client import BadSetting, Client
from skerry.client.upload import Sent, scan
from tests.client.standin import Cloud


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    root.mkdir()
    write(
        root,
        main_dot_py="print(1)",
        _dot_gitignore="*.log\n/build/\n!keep.log\n",
        a_dot_log="x",
        keep_dot_log="kept",
        build__out="x",
        sub__build__out="kept",
        sub___dot_gitignore="*.tmp\n!keep.log\n*.py\n",
        sub__b_dot_tmp="x",
        sub__c_dot_py="x",
        sub__d_dot_log="x",
        _dot_git__HEAD="x",
    )
    return root


def test_gitignore_is_honoured_at_every_level(folder: Path) -> None:
    assert [file.path for file in scan(folder)] == [
        ".gitignore",
        "keep.log",
        "main.py",
        "sub/.gitignore",
        "sub/build/out",
    ]


def test_the_repository_above_counts_as_well(folder: Path) -> None:
    write(folder, sub__deep__e_dot_tmp="x", sub__deep__f_dot_log="x", sub__deep__g="kept")
    assert [file.path for file in scan(folder / "sub/deep")] == ["g"]
    assert [file.path for file in scan(folder / "build")] == ["out"], "it was named on purpose"
    (folder / ".git/HEAD").unlink()
    (folder / ".git").rmdir()
    assert [file.path for file in scan(folder / "sub/deep")] == ["e.tmp", "f.log", "g"]


def test_only_the_executable_bit_travels(folder: Path) -> None:
    (folder / "main.py").chmod(0o4777)
    (folder / "keep.log").chmod(0o600)
    modes = {file.path: file.mode for file in scan(folder)}
    assert (modes["main.py"], modes["keep.log"]) == (0o755, 0o644)


def test_a_link_may_not_lead_out(folder: Path) -> None:
    (folder / "inside").symlink_to("main.py")
    assert "inside" in [file.path for file in scan(folder)]
    (folder / "outside").symlink_to("/etc/hostname")
    with pytest.raises(BadSetting, match="outside is a link to /etc/hostname"):
        scan(folder)


def test_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="is not a folder"):
        scan(tmp_path / "none")


def test_what_the_cloud_has_is_not_sent_again(client: Client, cloud: Cloud, folder: Path) -> None:
    told: list[Sent] = []
    inputs = client.upload_dir(folder, told.append)
    digest = "sha256:" + sha256(b"print(1)").hexdigest()
    assert cloud.blobs[digest] == b"print(1)"
    assert [entry["path"] for entry in inputs][:3] == [".gitignore", "keep.log", "main.py"]
    assert inputs[2] == {"path": "main.py", "digest": digest, "size": 8, "mode": 0o644}
    assert told[-1] == Sent(done=4, total=4, files_sent=4, bytes_sent=told[-1].bytes_sent)
    cloud.requests.clear()
    assert client.upload_dir(folder) == inputs
    assert {method for method, _, _ in cloud.requests} == {"HEAD"}


def test_run_takes_a_folder_along(client: Client, folder: Path) -> None:
    job = client.run(["true"], folder=folder, cpus=1, memory="64MiB", env={"A": "b"})
    assert job.phase == "succeeded"
    assert job.spec["memory"] == 64 << 20
    assert len(job.spec["inputs"]) == 5
