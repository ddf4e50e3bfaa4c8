"""Into what runs, as a person goes there: a shell, a command, a port."""

import json
import os
import pty
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.e2e.conftest import SKERRY, Cloud, until

WORKSPACE = "/providers/skerry.run/v1/tenants/operator/workspaces/default"


@pytest.fixture(scope="module")
def web(cloud: Cloud) -> Iterator[str]:
    """A job that listens."""
    script = "cd /tmp; echo hello > word; exec python3 -m http.server 8000"
    cloud.skerry(
        "job", "create", "web", "--ports", "8000", "--millicores", "200", "--no-wait",
        "--", "sh", "-c", script,
    )  # fmt: skip
    until(lambda: cloud.json("job", "get", "web")["status"]["phase"] == "running", cloud.tail)
    yield "web"
    cloud.skerry("job", "delete", "web", "--yes")


def env(cloud: Cloud) -> dict[str, str]:
    url = json.loads((cloud.data / "server.json").read_text())["url"]
    return {
        **cloud.env, "SKERRY_URL": url, "SKERRY_TOKEN": cloud.token_file.read_text().strip(),
        "SKERRY_TENANT": "operator", "SKERRY_WORKSPACE": "default",
    }  # fmt: skip


class TestCommands:
    def test_its_output_and_exit_code_are_ours(self, cloud: Cloud, web: str) -> None:
        script = "cat /tmp/word; echo oops >&2; exit 3"
        done = cloud.skerry("exec", web, "--", "sh", "-c", script, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (3, "hello\n", "oops\n")

    def test_its_input_is_ours_whole(self, cloud: Cloud, web: str, tmp_path: Path) -> None:
        data = os.urandom(3 << 20)
        done = subprocess.run(
            [*SKERRY, "exec", "-i", "job/web", "--", "cat"],
            input=data, capture_output=True, env=env(cloud), timeout=60, check=True,
        )  # fmt: skip
        assert done.stdout == data

    def test_without_input_it_sees_the_end_at_once(self, cloud: Cloud, web: str) -> None:
        assert cloud.skerry("exec", web, "--", "wc", "-c").stdout.split() == ["0"]

    def test_names_that_mean_nothing_are_told(self, cloud: Cloud, web: str) -> None:
        said = cloud.skerry("exec", "nope", "--", "true", check=False)
        assert (said.returncode, said.stderr.splitlines()[0][:13]) == (3, "Error: there ")
        said = cloud.skerry("exec", "region/web", "--", "true", check=False)
        assert re.search("Kinds it goes with: .*job", said.stderr)

    def test_what_has_ended_cannot_be_entered(self, cloud: Cloud, web: str) -> None:
        cloud.skerry("run", "-q", "-n", "over", "--", "true")
        said = cloud.skerry("ssh", "job/over", "--", "true", check=False)
        assert "nothing of job 'over' runs" in said.stderr

    def test_who_went_in_stands_in_the_feed_and_what_they_said_does_not(
        self, cloud: Cloud, web: str
    ) -> None:
        cloud.skerry("exec", web, "--", "echo", "s3cret")
        told = env(cloud)
        where = "/providers/skerry.proof/v1/tenants/operator/events?watch=true&from=-1&kinds=action"
        request = urllib.request.Request(
            told["SKERRY_URL"] + where, headers={"authorization": f"Bearer {told['SKERRY_TOKEN']}"}
        )
        with urllib.request.urlopen(request, timeout=30) as events:
            line = next(line for line in events if b'"program":"echo"' in line)
        assert b'"verb":"exec"' in line
        assert b"s3cret" not in line
        assert "s3cret" not in cloud.tail()


class TestTerminal:
    def test_a_shell_has_our_size_and_takes_another(self, cloud: Cloud, web: str) -> None:
        ours, theirs = pty.openpty()
        import termios

        termios.tcsetwinsize(theirs, (33, 111))
        process = subprocess.Popen(
            [*SKERRY, "ssh", web], stdin=theirs, stdout=theirs, stderr=theirs, env=env(cloud),
            start_new_session=True, preexec_fn=lambda: _control(theirs),
        )  # fmt: skip
        os.close(theirs)
        seen = bytearray()
        threading.Thread(target=_collect, args=(ours, seen), daemon=True).start()
        os.write(ours, b"stty size; echo ready\n")
        until(lambda: b"33 111" in seen, lambda: repr(bytes(seen)), process)
        termios.tcsetwinsize(ours, (20, 70))
        process.send_signal(signal.SIGWINCH)
        until(lambda: _asked(ours, b"stty size\n") and b"20 70" in seen, lambda: repr(bytes(seen)))
        os.write(ours, b"\x03")
        # What comes right behind a Ctrl-C may be thrown away with it.
        until(lambda: process.poll() is not None or not _asked(ours, b"exit 5\n"), cloud.tail)
        assert process.wait(30) == 5
        os.close(ours)


def _control(terminal: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def _asked(terminal: int, line: bytes) -> bool:
    os.write(terminal, line)
    threading.Event().wait(0.2)
    return True


def _collect(terminal: int, seen: bytearray) -> None:
    try:
        while data := os.read(terminal, 4096):
            seen += data
    except OSError:
        return


class TestPorts:
    def test_a_port_is_here(self, cloud: Cloud, web: str) -> None:
        process = subprocess.Popen(
            [*SKERRY, "port-forward", web, ":8000"], stdout=subprocess.PIPE, text=True,
            env=env(cloud),
        )  # fmt: skip
        assert process.stdout is not None
        try:
            told = process.stdout.readline()
            found = re.match(r"Forwarding (127\.0\.0\.1:\d+) to port 8000", told)
            assert found, told
            for _ in range(3):
                with urllib.request.urlopen(f"http://{found[1]}/word", timeout=20) as answer:
                    assert answer.read() == b"hello\n"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
            process.stdout.close()

    def test_a_port_that_is_none_is_told(self, cloud: Cloud, web: str) -> None:
        said = cloud.skerry("port-forward", web, "http", check=False)
        assert "'http' is not a port" in said.stderr


class TestWire:
    """What another client than ours may do."""

    def dial(self, cloud: Cloud, name: str, **more: Any) -> ClientConnection:
        told = env(cloud)
        url = told["SKERRY_URL"].replace("http", "ws") + f"{WORKSPACE}/jobs/{name}/exec"
        token = more.pop("token", told["SKERRY_TOKEN"])
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return connect(url, additional_headers=headers, **more)

    def test_refused_before_the_upgrade(self, cloud: Cloud, web: str) -> None:
        for token, name, status in (("", web, 401), ("skerry_x", web, 401), (None, "nope", 404)):
            more = {} if token is None else {"token": token}
            with pytest.raises(InvalidStatus) as refused:
                self.dial(cloud, name, **more)
            assert refused.value.response.status_code == status
            assert json.loads(refused.value.response.body or b"")["status"] == status

    def ticket(self, cloud: Cloud, path: str) -> str:
        told = env(cloud)
        request = urllib.request.Request(
            f"{told['SKERRY_URL']}/providers/skerry.identity/v1/tickets",
            json.dumps({"path": path}).encode(),
            {"authorization": f"Bearer {told['SKERRY_TOKEN']}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["ticket"]

    def test_a_browser_comes_with_a_ticket(self, cloud: Cloud, web: str) -> None:
        ticket = self.ticket(cloud, f"{WORKSPACE}/jobs/{web}/exec")
        protocols: Any = ["skerry.channel.v1", f"skerry.ticket.{ticket}"]
        with self.dial(cloud, web, token="", subprotocols=protocols) as socket:
            assert socket.subprotocol == "skerry.channel.v1"
            socket.send(json.dumps({"command": ["echo", "hi"]}))
            assert json.loads(socket.recv()) == {"opened": True}
            assert socket.recv() == b"\x01hi\n"
            assert json.loads(socket.recv()) == {"exit": 0}
        with pytest.raises(InvalidStatus) as refused:
            self.dial(cloud, web, token="", subprotocols=protocols)
        assert refused.value.response.status_code == 401, "it works once"

    def test_a_ticket_leads_where_it_was_asked_for(self, cloud: Cloud, web: str) -> None:
        ticket = self.ticket(cloud, f"{WORKSPACE}/jobs/{web}/connect")
        protocols: Any = ["skerry.channel.v1", f"skerry.ticket.{ticket}"]
        with pytest.raises(InvalidStatus) as refused:
            self.dial(cloud, web, token="", subprotocols=protocols)
        assert refused.value.response.status_code == 401
        for path, status in ((f"{WORKSPACE}/jobs/nope/exec", 404), (f"{WORKSPACE}/jobs", 404)):
            with pytest.raises(urllib.error.HTTPError) as told:
                self.ticket(cloud, path)
            assert told.value.code == status

    def test_a_page_of_another_origin_is_turned_away(self, cloud: Cloud, web: str) -> None:
        for origin in ("https://evil.example", "null", "http://"):
            with pytest.raises(InvalidStatus) as refused:
                self.dial(cloud, web, origin=origin)
            assert refused.value.response.status_code == 403
        own = env(cloud)["SKERRY_URL"]
        with self.dial(cloud, web, origin=own) as socket:
            socket.send(json.dumps({"command": ["true"]}))
            assert json.loads(socket.recv()) == {"opened": True}

    @pytest.mark.parametrize(
        ("first", "words"),
        [
            ("garbage", "can't be read"),
            ('{"command": []}', "can't be read"),
            ('{"command": ["ls"], "rank": 7}', "has the tasks 0 to 0"),
            ('{"command": ["ls"], "replica": "other"}', "replica 'other'"),
            (b"\x00binary", "can't be read"),
        ],
    )
    def test_a_first_message_that_is_none(
        self, cloud: Cloud, web: str, first: str | bytes, words: str
    ) -> None:
        with self.dial(cloud, web) as socket:
            socket.send(first)
            assert words in json.loads(socket.recv())["problem"]["detail"]
            with pytest.raises(ConnectionClosed):
                socket.recv()

    def test_who_leaves_ends_the_command(self, cloud: Cloud, web: str) -> None:
        with self.dial(cloud, web) as socket:
            socket.send(json.dumps({"command": ["sh", "-c", "echo $$; exec sleep 1234"]}))
            socket.recv()
            socket.recv()

        def listed() -> str:
            return cloud.skerry("exec", web, "--", "sh", "-c", "cat /proc/*/cmdline").stdout

        until(lambda: "1234" not in listed(), cloud.tail)


class TestUse:
    def test_what_it_uses_is_seen(self, cloud: Cloud, web: str) -> None:
        """Last, as by then the host has been asked twice."""
        cloud.skerry(
            "exec", web, "--", "python3", "-c",
            "import time; b = b'x' * (20 << 20); e = time.process_time() + 0.5\n"
            "while time.process_time() < e: pass",
        )  # fmt: skip
        series = "/providers/skerry.series/v1"

        def used() -> dict[str, Any]:
            room = f"{series}/tenants/operator/workspaces/default/top"
            items = [item for item in read(cloud, room)["items"] if item["name"] == web]
            return dict(items[0]["uses"]) if items else {}

        until(lambda: used().get("cpu"), cloud.tail)
        assert 0 < used()["memory"] < 512 << 20
        [host] = read(cloud, f"{series}/top")["hosts"]
        assert host["uses"]["memory"] > used()["memory"]
        assert host["uses"]["cpu"] > 0


def read(cloud: Cloud, path: str) -> Any:
    told = env(cloud)
    request = urllib.request.Request(
        told["SKERRY_URL"] + path, headers={"Authorization": f"Bearer {told['SKERRY_TOKEN']}"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
