"""What is refused of anything that runs, before anything is done."""

from typing import Any

import pytest

from skerry.kernel.errors import Problem, ValidationError
from skerry.kernel.hooks import Caller
from tests.products.run.cloud import Cloud
from tests.sites.contract.script import Script

SECRET = {"secret": "s", "key": "k"}


@pytest.mark.parametrize(
    ("spec", "words", "pointer"),
    [
        ({"command": []}, "there is nothing to run", "/spec/command"),
        ({"imageSecret": "s"}, "none is given", "/spec/imageSecret"),
        ({"image": "blob:sha256:12"}, "is not a digest", "/spec/image"),
        ({"ports": [80, 90, 80]}, "ports: '80' is given twice", "/spec/ports/2"),
        ({"secrets": [SECRET]}, "has neither env nor path", "/spec/secrets/0"),
        (
            {"secrets": [SECRET | {"env": "A", "path": "/a"}]},
            "has both env and path",
            "/spec/secrets/0",
        ),
        (
            {"env": {"A": "1"}, "secrets": [SECRET | {"env": "A"}]},
            "variables: 'A' is given twice",
            "/spec/secrets/0/env",
        ),
        ({"volumes": [{"name": "v", "path": "data"}]}, "is no place for", "/spec/volumes/0/path"),
        (
            {"volumes": [{"name": "v", "path": "/a/../b"}]},
            "is no place for",
            "/spec/volumes/0/path",
        ),
        ({"volumes": [{"name": "v", "path": "/proc/1"}]}, "the system", "/spec/volumes/0/path"),
        (
            {
                "volumes": [{"name": "v", "path": "/data"}],
                "secrets": [SECRET | {"path": "/data/"}],
            },
            "paths: '/data' is given twice",
            "/spec/secrets/0/path",
        ),
        (
            {"volumes": [{"name": "v", "path": "/a"}, {"name": "v", "path": "/b"}]},
            "volumes: 'v' is given twice",
            "/spec/volumes/1/name",
        ),
        ({"image": "blob:sha256:" + "0" * 64}, "has not been uploaded", "/spec/image"),
    ],
)
async def test_what_can_not_be(
    cloud: Cloud, spec: dict[str, Any], words: str, pointer: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        await cloud.put("job", "job", {"command": ["true"], **spec})
    assert words in refused.value.detail
    assert [source.pointer for source in refused.value.sources] == [pointer]


@pytest.mark.parametrize(
    "spec",
    [
        {"volumes": [{"name": "nowhere", "path": "/data"}]},
        {"secrets": [{"secret": "nowhere", "key": "k", "env": "A"}]},
        {"image": "registry.example/app:1", "imageSecret": "nowhere"},
    ],
)
async def test_what_it_names_must_be_there(cloud: Cloud, spec: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        await cloud.put("job", "job", {"command": ["true"], **spec})
    assert refused.value.sources


async def test_the_hosts_own_processes_are_the_operators(cloud: Cloud) -> None:
    with pytest.raises(Problem) as refused:
        await cloud.put(
            "job", "job", {"command": ["true"], "isolation": "process"}, by=Caller("ann@acme")
        )
    assert refused.value.status == 403


async def test_what_is_secret_reaches_its_process_alone(cloud: Cloud) -> None:
    world = await cloud.site()
    await cloud.put("secret", "db", {"data": {"password": "hunter2", "cert": "PEM"}})
    secrets = [
        {"secret": "db", "key": "password", "env": "PIN"},
        {"secret": "db", "key": "cert", "path": "/run/cert.pem"},
    ]
    job = await cloud.job(script=Script().env("PIN").sleep(5), secrets=secrets)
    running = await cloud.until(job, "running")
    assert "hunter2" not in str(running)
    [live] = world._live.values()
    assert live.work.secret_env == {"PIN": "hunter2"}
    assert live.work.secret_files == {"/run/cert.pem": "PEM"}


async def test_a_secret_that_went_away_fails_what_needs_it(cloud: Cloud) -> None:
    secret = await cloud.put("secret", "db", {"data": {"password": "hunter2"}})
    job = await cloud.job(secrets=[{"secret": "db", "key": "password", "env": "PIN"}])
    await cloud.turn()
    await cloud.delete(secret)
    await cloud.site()
    failed = await cloud.until(job, "failed")
    assert failed.status["reason"] == "SecretMissing"
    assert "no secret 'db'" in failed.status["message"]
    await cloud.assert_books_closed()
