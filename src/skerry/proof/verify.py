"""Check a Skerry receipt or audit offline: ``python verify.py FILE --key <verifier key or file>``.

This file needs Python 3.11 and nothing else: copy it, read it, run it anywhere. It exits with 0 and
``receipt OK`` or ``audit OK`` if all holds, with 1 and the name of what fails if not, and with 2 if
what it was given is neither or the key no key. It checks, in this order:

1. The file is strict JSON: no name twice, whole numbers only, nothing after it, at most 16 MiB.
2. The *checkpoint* (C2SP tlog-checkpoint) is signed by the key given, under the key's own name.
3. Each *statement*: subject, tenant, workspace, actor and body hash, with the salt, to what its
   leaf says, and the leaf is in the tree of the checkpoint, at its position (RFC 6962 inclusion).
4. Each *item*: its text is in the batch whose root and size stand in the body of its statement.
5. The *seal*: the operator signed the digest of every other part of the file, so that nothing,
   not even the order of the sections, can be changed, left out or added.

An *audit* is the changes of a tenant in a period, a line each between a head and a seal over the
digest of all lines before it. Beside 2, 3 and 5 it is checked that no line stands twice, and that
of each resource no version is missing between the first and the last that stand here.

It does not check that what the operator declares is true; each section says who vouches for it.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, BinaryIO

FORMAT = "skerry-receipt/v1"
AUDIT = "skerry-audit/v1"
MAX_BYTES = 16 * 1024 * 1024
MAX_SIGNATURES = 64
ED25519 = b"\x01"
COSIGNATURE = b"\x04"
NAME = re.compile(r"[^\s+\x00-\x20\x7f]+")
EVIDENCE = {
    "declared": "declared by the operator",
    "attested-host": "attested by the host, as the operator passes it on",
    "attested-hardware": "attested by hardware, as the operator passes it on",
}


class Unreadable(Exception):
    """What was given is not a receipt, or not a key."""


class Failed(Exception):
    """It does not hold. ``where`` names the part, ``why`` says what is wrong."""

    what = "receipt"

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


# Ed25519 (RFC 8032, section 5.1). Points are extended coordinates (X, Y, Z, T).

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)  # of -1
_Point = tuple[int, int, int, int]
Check = Callable[[bytes, bytes, bytes], bool]


def _add(a: _Point, b: _Point) -> _Point:
    e = (a[1] - a[0]) * (b[1] - b[0]) % _P
    f = (a[1] + a[0]) * (b[1] + b[0]) % _P
    g = 2 * a[3] * b[3] * _D % _P
    h = 2 * a[2] * b[2] % _P
    x, y, z, t = f - e, h - g, h + g, f + e
    return x * y % _P, z * t % _P, y * z % _P, x * t % _P


def _times(scalar: int, point: _Point) -> _Point:
    total: _Point = (0, 1, 1, 0)
    for bit in bin(scalar)[2:]:
        total = _add(total, total)
        if bit == "1":
            total = _add(total, point)
    return total


def _decode(data: bytes) -> _Point | None:
    """The point of 32 bytes; None where they are not the one encoding of a point."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if y >= _P or (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


_BASE = _decode((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))


def ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` (64 bytes) of ``message`` is by ``public`` (32 bytes)."""
    key, s = _decode(public), int.from_bytes(signature[32:], "little")
    if key is None or len(signature) != 64 or s >= _L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _L
    minus = (_P - key[0], key[1], key[2], _P - key[3])
    assert _BASE is not None
    x, y, z, _ = _add(_times(s, _BASE), _times(k, minus))
    x, y = x * pow(z, -1, _P) % _P, y * pow(z, -1, _P) % _P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# Merkle trees (RFC 6962, section 2.1).


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to; None where its length is wrong for the tree."""
    if not 0 <= index < size:
        return None
    last, rest, node = size - 1, list(reversed(path)), leaf
    while last:
        if index & 1 or index < last:
            if not rest:
                return None
            other = rest.pop()
            node = node_hash(other, node) if index & 1 else node_hash(node, other)
        index, last = index >> 1, last >> 1
    return None if rest else node


# Signed notes, verifier keys and checkpoints (C2SP signed-note, tlog-checkpoint).


@dataclass(frozen=True)
class Key:
    """A verifier key: ``<name>+<key id, hex>+<base64 of type and public key>``."""

    name: str
    public: bytes
    type: bytes = ED25519
    """An operator's, or a witness's (C2SP tlog-cosignature)."""

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self.type + self.public).digest()[:4]

    @classmethod
    def parse(cls, text: str, type: bytes = ED25519) -> "Key":
        """Read a verifier key; raises Unreadable and says what is wrong with it."""
        name, id, material = (*text.strip().split("+", 2), "", "")[:3]
        data = unbase64(material) or b""
        if not NAME.fullmatch(name) or len(data) != 33:
            raise Unreadable("the key must read <name>+<key id>+<base64 of an Ed25519 key>")
        if data[:1] != type:
            whose = "an operator's" if type == ED25519 else "a witness's"
            raise Unreadable(f"the key of {name!r} is not {whose}")
        key = cls(name, data[1:], type)
        if key.id.hex() != id:
            raise Unreadable("the key's name and id do not belong together: was it cut or edited?")
        return key


@dataclass(frozen=True)
class Checkpoint:
    """What the operator signs: the log's name, the number of its leaves, the root over them."""

    origin: str
    size: int
    root: bytes


def unbase64(text: str) -> bytes | None:
    """Bytes of the one right base64 of them; None for anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode() == text else None


def open_note(note: str, key: Key, where: str, check: Check = ed25519) -> str:
    """The text of a note that ``key`` signed. Signatures by others are passed over."""
    text, gap, tail = note.rpartition("\n\n")
    text, lines = text + "\n", tail.split("\n")
    controls = re.search(r"[\x00-\x09\x0b-\x1f]", note)
    if controls or not gap or lines.pop() or len(lines) > MAX_SIGNATURES:
        raise Failed(where, "this is not a signed note")
    found = list(_by(lines, key, where))
    if not all(check(key.public, data, text.encode()) for data in found):
        raise Failed(where, "the signature does not fit: the text was altered")
    if not found:
        raise Failed(where, f"is not signed by the key given, of {key.name!r}")
    return text


def _by(lines: list[str], key: Key, where: str) -> Iterator[bytes]:
    """The signatures of one key among a note's signature lines."""
    for line in lines:
        dash, name, material = (*line.split(" "), "", "")[:3]
        data = unbase64(material) or b""
        if dash != "—" or line.count(" ") != 2 or not NAME.fullmatch(name) or len(data) < 5:
            raise Failed(where, "a signature line is malformed")
        if name == key.name and data[:4] == key.id:
            yield data[4:]


def cosigned(note: str, key: Key, where: str, check: Check = ed25519) -> int:
    """When a witness cosigned a checkpoint, in seconds since 1970 by its clock: by then it had seen
    no longer tree of this log, and every one it saw begins with the one before."""
    text, _, tail = note.rpartition("\n\n")
    found = list(_by(tail.split("\n")[:-1], key, where))
    if not found:
        raise Failed(where, f"is not cosigned by the witness {key.name!r}")
    at = int.from_bytes(found[-1][:8], "big")
    message = f"cosignature/v1\ntime {at}\n{text}\n".encode()
    if len(found[-1]) != 72 or at >= 2**63 or not check(key.public, found[-1][8:], message):
        raise Failed(where, f"the cosignature of {key.name!r} does not fit")
    return at


def read_checkpoint(text: str, where: str) -> Checkpoint:
    """Read a checkpoint's text: exactly origin, size, root."""
    parts = re.fullmatch(r"(.+)\n(0|[1-9][0-9]{0,18})\n(.+)\n", text)
    root = unbase64(parts[3]) if parts else None
    if not parts or not root or len(root) != 32:
        raise Failed(where, "this is not a checkpoint: origin, size, root")
    return Checkpoint(parts[1], int(parts[2]), root)


def seal_text(receipt: Mapping[str, Any]) -> str:
    """What the operator signs of a receipt: the digest of each of its parts, in canonical JSON."""
    parts = {f"/{name}": receipt[name] for name in receipt.keys() - {"seal", "sections"}}
    parts |= {f"/sections/{number}": part for number, part in enumerate(receipt["sections"])}
    lines = [FORMAT]
    for name in sorted(parts):
        text = json.dumps(parts[name], sort_keys=True, separators=(",", ":"))
        lines.append(f"{name} {hashlib.sha256(text.encode()).hexdigest()}")
    return "\n".join([*lines, ""])


def load(data: bytes, what: str) -> Any:
    """Read strict JSON: UTF-8, no name twice in an object, whole numbers, nothing after it."""

    def whole(text: str) -> int:
        if not re.fullmatch("0|-?[1-9][0-9]{0,18}", text):
            raise ValueError(f"{text[:24]} is not a whole number of at most 19 digits")
        return int(text)

    reading: dict[str, Any] = {"parse_int": whole, "parse_float": whole, "parse_constant": whole}
    if len(data) > MAX_BYTES:
        raise Unreadable(f"{what} is larger than {MAX_BYTES} bytes")
    try:
        value = json.loads(data.decode(), object_pairs_hook=_once, **reading)
        json.dumps(value, ensure_ascii=False).encode()  # refuses halves of surrogate pairs
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{what} is not JSON as it must be: {error}") from None
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {json.dumps(name)} stands twice in one object")
        found[name] = value
    return found


def _shape(value: Any, where: str, text: str, whole: str = "", lists: str = "") -> None:
    """The object has exactly the fields named, as texts, whole numbers and lists."""
    kinds: dict[str, type] = dict.fromkeys(text.split(), str)
    kinds |= dict.fromkeys(whole.split(), int) | dict.fromkeys(lists.split(), list)
    if type(value) is not dict:
        raise Failed(where, "must be an object")
    for name in sorted(value.keys() | kinds.keys()):
        if name not in kinds:
            raise Failed(f"{where}/{name}", "is not a field of this format")
        if type(value.get(name)) is not kinds[name]:
            raise Failed(f"{where}/{name}", f"is missing, or not of type {kinds[name].__name__}")


def _hash(value: Any, where: str) -> bytes:
    if type(value) is not str or not re.fullmatch("[0-9a-f]{64}", value):
        raise Failed(where, "must be a SHA-256 hash in lower-case hex")
    return bytes.fromhex(value)


def _in_tree(leaf: str, index: int, size: int, path: list[Any], root: bytes, where: str) -> None:
    """The leaf is number ``index`` of the tree of ``size`` leaves with this root."""
    hashes = [_hash(value, f"{where}/path/{number}") for number, value in enumerate(path)]
    found = root_from(leaf_hash(leaf.encode()), index, size, hashes)
    if found is None:
        raise Failed(f"{where}/path", f"has the wrong length for number {index} of {size}")
    if found != root:
        raise Failed(where, f"this text is not number {index} of the {size} under the root given")


def _say(text: str) -> str:
    """Text of others, made safe to print: what a terminal could act on is escaped."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def _batch(body: str, pointer: str, where: str) -> tuple[bytes, int]:
    """Root and size of the batch that stands at a JSON pointer (RFC 6901) in a body."""
    try:
        found = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Failed(where, "the statement's body is not JSON") from None
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and re.fullmatch("0|[1-9][0-9]{0,8}", step):
            found = found[int(step)] if int(step) < len(found) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    if not isinstance(found, dict) or type(found.get("size")) is not int:
        raise Failed(f"{where}/pointer", "no batch (root and size) stands there in the body")
    return _hash(found.get("root"), f"{where}/pointer"), found["size"]


def _statement(value: Any, where: str, log: Checkpoint) -> str:
    said = "leaf salt subject tenant workspace actor body"
    _shape(value, where, said, whole="position", lists="path")
    if not re.fullmatch("(?:[0-9a-f]{2}){16,32}", value["salt"]):
        raise Failed(f"{where}/salt", "must be 16 to 32 bytes in lower-case hex")
    try:
        leaf = load(value["leaf"].encode(), "the leaf")
    except Unreadable as error:
        raise Failed(f"{where}/leaf", str(error)) from None
    hashed = "id at kind verb subject tenant workspace actor body"
    _shape(leaf, f"{where}/leaf", hashed, whole="v version")
    if leaf["v"] != 1:
        raise Failed(f"{where}/leaf/v", "is a version of leaf that this verifier does not know")
    for name in ("subject", "tenant", "workspace", "actor", "body"):
        said = hashlib.sha256(bytes.fromhex(value["salt"]) + value[name].encode()).hexdigest()
        if said != leaf[name]:
            raise Failed(f"{where}/{name}", "is not what was logged: altered, or the salt was")
    _in_tree(value["leaf"], value["position"], log.size, value["path"], log.root, where)
    what = f"{leaf['kind']} {leaf['verb']} of {value['subject']}"
    return f"  at position {value['position']}: {what}, {leaf['at']}"


def _item(value: Any, where: str, statements: list[Any]) -> str:
    _shape(value, where, "pointer data", whole="statement index", lists="path")
    if not 0 <= value["statement"] < len(statements):
        raise Failed(f"{where}/statement", "there is no such statement in this section")
    root, size = _batch(statements[value["statement"]]["body"], value["pointer"], where)
    _in_tree(value["data"], value["index"], size, value["path"], root, where)
    position = statements[value["statement"]]["position"]
    said = f"  item {value['index']} of the {size} under the root stated at position {position}"
    return said + _devices(value["data"])


def _devices(data: str) -> str:
    """The GPUs that a record of usage names."""
    try:
        record = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    found = record.get("devices") if isinstance(record, dict) else None
    named = [one for one in found if type(one) is str] if isinstance(found, list) else []
    return f", used: {_say(', '.join(named))}" if named else ""


def _section(value: Any, where: str, log: Checkpoint) -> list[str]:
    _shape(value, where, "name evidence", lists="statements items")
    where, statements = f"{where} ({value['name']})", value["statements"]
    if value["evidence"] not in EVIDENCE:
        raise Failed(f"{where}/evidence", f"must be one of {', '.join(EVIDENCE)}")
    lines = [f"{value['name']}: {EVIDENCE[value['evidence']]}"]
    lines += [_statement(s, f"{where}/statements/{n}", log) for n, s in enumerate(statements)]
    lines += [_item(i, f"{where}/items/{n}", statements) for n, i in enumerate(value["items"])]
    return lines


def _witnessed(note: str, witnesses: Sequence[Key], where: str) -> list[str]:
    times = [
        (key.name, datetime.fromtimestamp(cosigned(note, key, where), UTC)) for key in witnesses
    ]
    return [f"witnessed by {name} at {at.isoformat()}" for name, at in times]


def verify(data: bytes, key: Key, witnesses: Sequence[Key] = ()) -> list[str]:
    """Check the bytes of a receipt; what is proved comes back in plain words, a line a fact.

    Raises Failed where it does not hold, and Unreadable where it is not a receipt at all.
    """
    receipt = load(data, "the receipt")
    if type(receipt) is not dict or receipt.get("format") != FORMAT:
        raise Unreadable(f"this is not a receipt of the format that is known here, {FORMAT}")
    _shape(receipt, "", "format origin title subject issuedAt checkpoint seal", lists="sections")
    origin = receipt["origin"]
    if origin != key.name:
        raise Failed("/origin", f"the receipt is by {origin!r}, the key given is of {key.name!r}")
    log = read_checkpoint(open_note(receipt["checkpoint"], key, "/checkpoint"), "/checkpoint")
    if log.origin != key.name:
        raise Failed("/checkpoint", f"is of the log {log.origin!r}, not of {key.name!r}")
    lines = [f"{receipt['title']}: {receipt['subject']}"]
    lines += [f"issued by {origin} at {receipt['issuedAt']}, from a log of {log.size} changes"]
    lines += _witnessed(receipt["checkpoint"], witnesses, "/checkpoint")
    for number, section in enumerate(receipt["sections"]):
        lines += _section(section, f"/sections/{number}", log)
    sealed = open_note(receipt["seal"], key, "/seal")
    if receipt["seal"].count("\n") != sealed.count("\n") + 2:
        raise Failed("/seal", "must have one signature, the operator's")
    parts = zip_longest(seal_text(receipt).split("\n"), sealed.split("\n"), fillvalue="")
    for now, then in parts:
        if now != then:
            raise Failed((now or then).split(" ")[0], "is not what the operator sealed")
    return [_say(line) for line in lines]


def verify_audit(lines: Iterable[bytes], key: Key, witnesses: Sequence[Key] = ()) -> list[str]:
    """Check an audit, line by line; what is proved comes back in plain words.

    Raises Failed where it does not hold, and Unreadable where it is no audit at all.
    """
    rest = iter(lines)
    first = next(rest, b"")
    head = load(first, "the first line")
    if type(head) is not dict or head.get("format") != AUDIT:
        raise Unreadable(f"this is not an audit of the format that is known here, {AUDIT}")
    where = "line 1"
    _shape(head, where, "format origin tenant from to issuedAt checkpoint")
    if head["origin"] != key.name:
        raise Failed(where, f"the audit is by {head['origin']!r}, the key given is of {key.name!r}")
    log = read_checkpoint(open_note(head["checkpoint"], key, where), where)
    if log.origin != key.name:
        raise Failed(where, f"is of the log {log.origin!r}, not of {key.name!r}")
    digest, last = hashlib.sha256(first), None
    contents = Contents()
    for number, line in enumerate(rest, start=2):
        if last is not None:
            raise Failed(f"line {number}", "stands after the seal")
        value = load(line, f"line {number}")
        if type(value) is dict and "seal" in value:
            last = value
            continue
        digest.update(line)
        contents.add(value, f"line {number}", log)
    if last is None:
        raise Failed("the end", "the seal is missing: lines were cut off")
    _shape(last, "the seal", "seal sha256", whole="statements")
    sealed = open_note(last["seal"], key, "the seal")
    if sealed != audit_seal(contents.count, digest.hexdigest()):
        raise Failed("the seal", "is over other lines than these: altered, left out or added")
    facts = [f"audit of tenant {head['tenant']}, from {head['from']} to {head['to']}"]
    facts += [f"issued by {key.name} at {head['issuedAt']}, from a log of {log.size} changes"]
    facts += _witnessed(head["checkpoint"], witnesses, where)
    return [_say(line) for line in [*facts, *contents.facts()]]


def audit_seal(count: int, digest: str) -> str:
    """What the operator signs of an audit: how many statements, and the SHA-256 of all lines."""
    return f"{AUDIT}\n{count}\n{digest}\n"


class Contents:
    """What stands in an audit: counted, none twice, no version left out."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._evidence: Counter[str] = Counter()
        self._positions: set[int] = set()
        self._versions: dict[tuple[str, ...], set[int]] = defaultdict(set)

    @property
    def count(self) -> int:
        return len(self._positions)

    def add(self, value: Any, where: str, log: Checkpoint) -> None:
        """One line. Raises Failed."""
        if type(value) is not dict or value.keys() != {"evidence", "statement"}:
            raise Failed(where, "must have evidence and statement, and nothing else")
        if value["evidence"] not in EVIDENCE:
            raise Failed(where, f"evidence must be one of {', '.join(EVIDENCE)}")
        said = value["statement"]
        _statement(said, where, log)
        if said["position"] in self._positions:
            raise Failed(where, f"position {said['position']} stands twice")
        self._positions.add(said["position"])
        leaf = json.loads(said["leaf"])
        self._kinds[leaf["kind"]] += 1
        self._evidence[value["evidence"]] += 1
        body = json.loads(said["body"])
        if isinstance(body, dict) and isinstance(body.get("uid"), str) and "version" in body:
            self._versions[leaf["kind"], said["subject"], body["uid"]].add(leaf["version"])

    def facts(self) -> list[str]:
        """In words. Raises Failed where a version is missing."""
        for (kind, subject, _), versions in self._versions.items():
            if len(versions) != max(versions) - min(versions) + 1:
                gap = next(v for v in range(min(versions), max(versions)) if v not in versions)
                raise Failed(f"{kind} {subject}", f"its version {gap} was left out")
        kinds = ", ".join(f"{count} of {kind}" for kind, count in sorted(self._kinds.items()))
        lines = [f"{self.count} changes: {kinds or 'nothing happened'}"]
        lines += [f"  {count} {EVIDENCE[name]}" for name, count in sorted(self._evidence.items())]
        return [*lines, f"  no version left out of {len(self._versions)} resources"]


def check(file: BinaryIO, key: Key, witnesses: Sequence[Key] = ()) -> tuple[str, list[str]]:
    """Whether a file is a receipt or an audit, and what it proves.

    Raises Failed, whose ``what`` says which of the two it is, and Unreadable.
    """
    first = file.readline(MAX_BYTES + 1)
    what = "audit" if first.startswith(b'{"format":"' + AUDIT.encode() + b'"') else "receipt"
    try:
        if what == "receipt":
            return what, verify(first + file.read(MAX_BYTES + 1), key, witnesses)
        lines = iter(lambda: file.readline(MAX_BYTES + 1), b"")
        return what, verify_audit(chain([first], lines), key, witnesses)
    except Failed as failed:
        failed.what = what
        raise


def _text(key: str) -> str:
    return Path(key).read_text("utf-8") if os.path.isfile(key) else key


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; the answer is the exit code: 0 holds, 1 fails, 2 can't be read."""
    parser = argparse.ArgumentParser(prog="verify", description="Check a Skerry receipt offline.")
    parser.add_argument("file", help="the receipt or audit, - for standard input")
    parser.add_argument("--key", required=True, help="the operator's verifier key, or a file of it")
    parser.add_argument(
        "--witness", action="append", default=[], help="a witness's key, who must have cosigned"
    )
    given = parser.parse_args(argv)
    try:
        key = Key.parse(_text(given.key))
        witnesses = [Key.parse(_text(one), COSIGNATURE) for one in given.witness]
        with open(0 if given.file == "-" else given.file, "rb") as file:
            what, lines = check(file, key, witnesses)
    except Failed as failed:
        print(f"{failed.what} FAILS at {_say(str(failed))}", file=sys.stderr)
        return 1
    except (Unreadable, OSError, ValueError) as error:
        print(f"cannot verify: {_say(str(error))}", file=sys.stderr)
        return 2
    print("\n".join([*lines, f"{what} OK"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
