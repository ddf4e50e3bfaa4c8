"""Receipts: hold offline, with nothing but the file, and fail with any one thing altered."""

import copy
import json
import shutil
import subprocess
import sys
import uuid

import pytest

from skerry.kernel.errors import NotFound, Unavailable
from skerry.proof import receipts, verify
from skerry.proof.note import Signer
from skerry.proof.receipts import Item, Section
from skerry.proof.tree import Batch, leaf_hash
from skerry.proof.verify import Failed, Key, Unreadable

USAGE = [f'{{"meter":"cpu-second","quantity":{n}}}' for n in range(5)]


@pytest.fixture
async def receipt(cloud):
    batch = Batch(USAGE)
    (lease,) = await cloud.published(kind="lease", subject="leases/äö 1")
    await cloud.published(8)
    (settled,) = await cloud.published(
        kind="settlement",
        body={"price": 1.5, "batches": [{"root": batch.root, "size": batch.size}], "a/b": 1},
    )
    await cloud.published(4)
    items = [Item(settled, "/batches/0", n, USAGE[n], batch.path(n)) for n in (1, 4)]
    built = await receipts.build(
        cloud.db, cloud.log, title="Receipt", subject="job 1",
        sections=[
            Section("lease", "declared", [lease]),
            Section("usage", "attested-host", [settled, lease], items),
            Section("empty", "attested-hardware", []),
        ],
    )  # fmt: skip
    return json.loads(json.dumps(built))


def _bytes(receipt):
    return json.dumps(receipt, ensure_ascii=False, indent=1).encode()


def _check(receipt, key):
    return verify.verify(_bytes(receipt), key)


def _fails(receipt, key):
    """Where it fails; the test fails if it does not."""
    with pytest.raises((Failed, Unreadable)) as failure:
        _check(receipt, key)
    return getattr(failure.value, "where", "unreadable")


def test_it_says_in_plain_words_what_is_proved(receipt, signer):
    lines = _check(receipt, signer.key)
    assert lines[0] == "Receipt: job 1"
    assert lines[1].startswith("issued by skerry/test at 20")
    assert lines[1].endswith("from a log of 14 changes")
    assert lines[2] == "lease: declared by the operator"
    assert lines[3].startswith("  at position 0: lease put of leases/äö 1, 20")
    assert lines[4] == "usage: attested by the host, as the operator passes it on"
    assert lines[7] == "  item 1 of the 5 under the root stated at position 9"
    assert lines[-1] == "empty: attested by hardware, as the operator passes it on"


def _mutants(value, path=()):
    """Each leaf changed, each key or element removed, doubled or moved, one at a time."""
    if isinstance(value, dict):
        for name in value:
            yield (*path, name), "remove"
            yield from _mutants(value[name], (*path, name))
        yield path, "add"
    elif isinstance(value, list):
        for index in range(len(value)):
            yield (*path, index), "remove"
            yield (*path, index), "double"
            if index:
                yield (*path, index), "swap"
            yield from _mutants(value[index], (*path, index))
        yield path, "add"
    else:
        yield from ((path, change) for change in ("value", "type", "null"))


def _mutated(receipt, path, change):
    found = copy.deepcopy(receipt)
    if change == "add":
        at = found
        for step in path:
            at = at[step]
        if isinstance(at, dict):
            at["more"] = 1
        else:
            at.append("00" * 32)
        return found
    *above, last = path
    at = found
    for step in above:
        at = at[step]
    if change == "remove":
        del at[last]
    elif change == "double":
        at.insert(last, copy.deepcopy(at[last]))
    elif change == "swap":
        at[last - 1], at[last] = at[last], at[last - 1]
    elif change == "null":
        at[last] = None
    elif change == "type":
        at[last] = str(at[last]) if isinstance(at[last], int) else [at[last]]
    elif isinstance(at[last], int):
        at[last] += 1
    else:
        text = at[last]
        middle = len(text) // 2
        other = "1" if text[middle : middle + 1] == "0" else "0"
        at[last] = text[:middle] + other + text[middle + 1 :]
    return found


def test_no_one_thing_can_be_altered(receipt, signer):
    tried = 0
    for path, change in _mutants(receipt):
        mutant = _mutated(receipt, path, change)
        if mutant == receipt:
            continue
        where = _fails(mutant, signer.key)
        tried += 1
        if change == "value" and path[0] not in ("format", "seal"):
            assert where.startswith("/" + "/".join(map(str, path[:2])))
    assert tried > 150


def test_every_byte_of_every_text_counts(receipt, signer):
    def texts(value, path=()):
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict | list):
            for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
                yield from texts(inner, (*path, step))

    # Signatures cost the most to check: one text of each name is enough.
    seen = set()
    for path, text in texts(receipt):
        name = [step for step in path if isinstance(step, str)][-1]
        if name in seen:
            continue
        seen.add(name)
        for at in range(0, len(text), max(1, len(text) // 40)):
            mutant = copy.deepcopy(receipt)
            holder = mutant
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
            _fails(mutant, signer.key)
    assert {"origin", "seal", "body", "leaf", "salt", "path", "data"} <= seen


@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("title",), "/title"),
        (("subject",), "/subject"),
        (("issuedAt",), "/issuedAt"),
        (("origin",), "/origin"),
        (("checkpoint",), "/checkpoint"),
        (("seal",), "/seal"),
        (("sections", 1, "name"), "/sections/1"),
        (("sections", 1, "evidence"), "/sections/1 (usage)/evidence"),
        (("sections", 1, "statements", 0, "body"), "/sections/1 (usage)/statements/0/body"),
        (("sections", 1, "statements", 0, "actor"), "/sections/1 (usage)/statements/0/actor"),
        (("sections", 1, "statements", 0, "position"), "/sections/1 (usage)/statements/0"),
        (("sections", 1, "items", 1, "data"), "/sections/1 (usage)/items/1"),
        (("sections", 1, "items", 1, "pointer"), "/sections/1 (usage)/items/1/pointer"),
    ],
)
def test_what_fails_is_named(receipt, signer, path, where):
    found = _fails(_mutated(receipt, path, "value"), signer.key)
    assert found == where


def _resealed(receipt, signer, change):
    """What an operator could make who has the key: the seal fits, the proofs do not."""
    forged = {k: copy.deepcopy(v) for k, v in receipt.items() if k != "seal"}
    change(forged)
    return receipts.seal(signer, forged)


def _statement(forged):
    return forged["sections"][1]["statements"][0]


def _item(forged):
    return forged["sections"][1]["items"][0]


@pytest.mark.parametrize(
    ("change", "where", "why"),
    [
        (lambda f: _statement(f)["path"].pop(), "statements/0/path", "wrong length"),
        (lambda f: _statement(f)["path"].append("00" * 32), "statements/0/path", "wrong length"),
        (lambda f: _statement(f).update(position=99), "statements/0/path", "wrong length"),
        (lambda f: _statement(f).update(position=-1), "statements/0/path", "wrong length"),
        (lambda f: _statement(f).update(position=8), "statements/0", "not number 8"),
        (lambda f: _statement(f)["path"].reverse(), "statements/0", "not number 9"),
        (lambda f: _statement(f)["path"].__setitem__(0, "AB" * 32), "path/0", "lower-case hex"),
        (lambda f: _statement(f)["path"].__setitem__(0, 7), "path/0", "lower-case hex"),
        (lambda f: _statement(f).update(salt="00"), "salt", "16 to 32 bytes"),
        (lambda f: _statement(f).update(leaf="{"), "leaf", "not JSON"),
        (lambda f: _statement(f).update(leaf='{"v":1,"v":1}'), "leaf", "stands twice"),
        (lambda f: _statement(f).update(leaf="[]"), "leaf", "must be an object"),
        (
            lambda f: _statement(f).update(leaf=_statement(f)["leaf"].replace('"v":1', '"v":2')),
            "leaf/v", "does not know",
        ),
        (lambda f: _item(f).update(statement=5), "statement", "no such"),
        (lambda f: _item(f).update(statement=-1), "statement", "no such"),
        (lambda f: _item(f).update(statement=1), "pointer", "no batch"),
        (lambda f: _item(f).update(pointer=""), "pointer", "no batch"),
        (lambda f: _item(f).update(pointer="/batches/9"), "pointer", "no batch"),
        (lambda f: _item(f).update(pointer="/batches/x"), "pointer", "no batch"),
        (lambda f: _item(f).update(pointer="/a~1b/x"), "pointer", "no batch"),
        (lambda f: _item(f).update(index=5), "items/0/path", "wrong length"),
        (lambda f: _item(f).update(index=2), "items/0", "not number 2"),
        (lambda f: f["sections"][1].update(evidence="believed"), "evidence", "must be one of"),
        (lambda f: f["sections"].append("x"), "/sections/3", "must be an object"),
        (lambda f: f.update(more=1), "/more", "not a field"),
        (lambda f: f.update(title=1), "/title", "not of type str"),
        (lambda f: _statement(f).update(position=True), "position", "not of type int"),
    ],
)  # fmt: skip
def test_even_the_operator_cannot_seal_a_false_proof(receipt, signer, change, where, why):
    with pytest.raises(Failed) as failure:
        _check(_resealed(receipt, signer, change), signer.key)
    assert failure.value.where.endswith(where)
    assert why in failure.value.why


@pytest.mark.parametrize("body", ["{", '{"x":{"size":1,"size":2}}', "[" * 99999])
def test_a_body_that_is_no_json_carries_no_batch(body):
    with pytest.raises(Failed, match="not JSON"):
        verify._batch(body, "/x", "somewhere")


def test_a_second_signature_on_the_seal_is_an_alteration(receipt, signer):
    receipt["seal"] += "— other/key MTIzNDU2Nzg=\n"
    assert _fails(receipt, signer.key) == "/seal"


def test_checkpoints_of_other_logs_prove_nothing(receipt, signer, tmp_path):
    other = Signer.open(tmp_path / "other", "skerry/other")
    namesake = Signer.open(tmp_path / "namesake", "skerry/test")
    with pytest.raises(Failed, match=r"by 'skerry/test', the key given is of 'skerry/other'"):
        _check(receipt, other.key)
    with pytest.raises(Failed, match="/checkpoint: is not signed by the key given"):
        _check(receipt, namesake.key)
    text = receipt["checkpoint"].rpartition("\n\n")[0] + "\n"
    foreign = signer.sign(text.replace("skerry/test", "skerry/else"))
    forged = _resealed(receipt, signer, lambda f: f.update(checkpoint=foreign))
    with pytest.raises(Failed, match=r"of the log 'skerry/else'"):
        _check(forged, signer.key)
    forged = _resealed(receipt, signer, lambda f: f.update(checkpoint=signer.sign("a\nb\n")))
    with pytest.raises(Failed, match="not a checkpoint"):
        _check(forged, signer.key)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda data: data + b"{}", "Extra data"),
        (lambda data: data[:-1], "Expecting"),
        (lambda data: b"\xff" + data, "decode"),
        (lambda data: b"\xef\xbb\xbf" + data, "BOM"),
        (lambda data: data.replace(b'"position": 0', b'"position": 0.0'), "0.0 is not a whole"),
        (lambda data: data.replace(b'"position": 0', b'"position": -0'), "-0 is not a whole"),
        (lambda data: data.replace(b'"position": 0', b'"position": NaN'), "NaN is not a whole"),
        (lambda data: data.replace(b'"position": 0', b'"position": 1e3'), "1e3 is not a whole"),
        (lambda data: data.replace(b'"position": 0', b'"position": ' + b"9" * 99), "19 digits"),
        (lambda data: data.replace(b'"title"', b'"subject"'), '"subject" stands twice'),
        (lambda data: data.replace(b"Receipt", rb"\ud800"), "surrogates"),
        (lambda data: data.replace(b"receipt/v1", b"receipt/v2"), "not a receipt of the format"),
        (lambda data: b"[]", "not a receipt"),
        (lambda data: b"[" * 100_000, "recursion"),
        (lambda data: data + b" " * verify.MAX_BYTES, "larger than"),
        (lambda data: b"", "Expecting"),
    ],
)
def test_garbage_is_refused_and_said_why(receipt, signer, spoil, why):
    with pytest.raises(Unreadable, match=why):
        verify.verify(spoil(_bytes(receipt)), signer.key)


def test_layout_is_no_content(receipt, signer):
    compact = json.dumps(dict(reversed(receipt.items())), separators=(",", ":")).encode()
    assert verify.verify(compact, signer.key) == _check(receipt, signer.key)


def test_what_could_act_on_a_terminal_is_escaped(receipt, signer):
    forged = _resealed(receipt, signer, lambda f: f.update(title="\x1b[2J\u202eok"))
    assert _check(forged, signer.key)[0] == "\\u001b[2J\\u202eok: job 1"


@pytest.fixture
def alone(tmp_path, receipt, signer):
    """The verifier as an auditor has it: one copied file, a bare interpreter."""
    place = tmp_path / "auditor"
    place.mkdir()
    shutil.copy(verify.__file__, place / "verify.py")
    (place / "receipt.json").write_bytes(_bytes(receipt))
    (place / "key").write_text(signer.vkey + "\n")

    def run(*args, given=None):
        return subprocess.run(
            [sys.executable, "-I", "-S", "verify.py", *args],
            cwd=place, capture_output=True, text=True, input=given, check=False,
        )  # fmt: skip

    run.place = place
    return run


def test_the_copied_file_alone_checks_a_receipt(alone, signer, receipt):
    for key in (signer.vkey, "key"):
        done = alone("receipt.json", "--key", key)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1] == "receipt OK"
    done = alone("-", "--key", "key", given=json.dumps(receipt))
    assert done.returncode == 0


def test_the_copied_file_says_what_fails(alone, receipt):
    forged = {**receipt, "title": "Another"}
    (alone.place / "receipt.json").write_text(json.dumps(forged))
    done = alone("receipt.json", "--key", "key")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "receipt FAILS at /title: is not what the operator sealed\n"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("receipt.json", "--key", "nonsense"), "the key must read"),
        (("receipt.json", "--key", "verify.py"), "the key must read"),
        (("missing.json", "--key", "key"), "No such file"),
        (("verify.py", "--key", "key"), "not JSON"),
        ((".", "--key", "key"), "Is a directory"),
        (("receipt.json",), "--key"),
    ],
)
def test_the_copied_file_says_what_it_cannot_read(alone, args, why):
    done = alone(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_gives_the_same_codes_inside_a_program(alone, capsys):
    receipt, key = str(alone.place / "receipt.json"), str(alone.place / "key")
    assert verify.main([receipt, "--key", key]) == 0
    assert capsys.readouterr().out.endswith("receipt OK\n")
    (alone.place / "receipt.json").write_text("{}")
    assert verify.main([receipt, "--key", key]) == 2
    (alone.place / "receipt.json").write_text(json.dumps({"format": verify.FORMAT}))
    assert verify.main([receipt, "--key", key]) == 1
    assert "FAILS at /checkpoint: is missing" in capsys.readouterr().err


async def test_a_receipt_waits_for_its_checkpoint_but_not_for_ever(cloud):
    (id,) = await cloud.record()
    sections = [Section("a", "declared", [id])]
    about = {"title": "t", "subject": "s", "sections": sections}
    with pytest.raises(Unavailable, match="signed checkpoint") as problem:
        await receipts.build(cloud.db, cloud.log, **about, wait_seconds=0)
    assert problem.value.hint
    await cloud.sequence()
    with pytest.raises(Unavailable):
        await receipts.build(cloud.db, cloud.log, **about, wait_seconds=0.15)
    await cloud.log.publish()
    receipt = await receipts.build(cloud.db, cloud.log, **about, wait_seconds=0)
    assert _check(receipt, cloud.signer.key)


async def test_a_receipt_over_no_change_is_refused(cloud):
    await cloud.log.publish()
    sections = [Section("a", "declared", [uuid.uuid4()])]
    with pytest.raises(NotFound, match="no change"):
        await receipts.build(cloud.db, cloud.log, title="t", subject="s", sections=sections)


def test_leaves_and_nodes_cannot_be_taken_for_each_other(signer):
    key = Key.parse(signer.vkey)
    assert key == signer.key
    assert leaf_hash(b"\1" + bytes(64)) != verify.node_hash(bytes(32), bytes(32))
