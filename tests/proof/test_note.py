"""Keys and signed notes: vectors of RFC 8032 and of C2SP, and what is refused."""

import base64
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from skerry.proof import verify
from skerry.proof.note import (
    KeyFileError,
    Signer,
    checkpoint_text,
    fast_check,
    origin,
    verifier_key,
)
from skerry.proof.verify import Checkpoint, Failed, Key, Unreadable, open_note, read_checkpoint

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
        "1cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
        "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760"
        "984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]  # fmt: skip
# The example of the C2SP signed-note specification.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG\
1Yu72IneyaQM=
"""
CHECKS = [verify.ed25519, fast_check]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_known_signatures(check, public, message, signature):
    public, message, signature = map(bytes.fromhex, (public, message, signature))
    assert check(public, signature, message)
    assert not check(public, signature, message + b"x")
    for at in range(0, 64, 7):
        changed = bytearray(signature)
        changed[at] ^= 1
        assert not check(public, bytes(changed), message)


@pytest.mark.parametrize("check", CHECKS)
def test_other_forms_of_a_good_signature_are_refused(check):
    public, message, signature = map(bytes.fromhex, VECTORS[1])
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little")
    assert not check(public, signature[:32] + (s + order).to_bytes(32, "little"), message)
    assert not check(public, signature + b"\0", message)
    assert not check(public, signature[:63], message)
    assert not check(public, b"", message)


def test_bytes_that_are_no_point_are_no_key():
    _, message, signature = map(bytes.fromhex, VECTORS[1])
    p = 2**255 - 19
    not_on_curve = next(y for y in range(2, 99) if verify._decode(y.to_bytes(32, "little")) is None)
    for y in (not_on_curve, p, p + 1, 1 | 1 << 255):
        assert not verify.ed25519(y.to_bytes(32, "little"), signature, message)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 511))
def test_both_checks_say_the_same(seed, message, bit):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    changed = bytearray(signature)
    changed[bit // 8] ^= 1 << bit % 8
    for check in CHECKS:
        assert check(public, signature, message)
        assert not check(public, bytes(changed), message)


def test_the_published_example_of_a_note_holds():
    key = Key.parse(VKEY)
    assert open_note(NOTE, key, "note") == "This is an example message.\n"
    assert verifier_key(key) == VKEY


def test_a_note_says_why_it_does_not_hold(signer):
    note = signer.sign("one\n\ntwo\n")
    key = signer.key
    assert open_note(note, key, "x") == "one\n\ntwo\n"
    other = "— other/name " + base64.b64encode(b"12345678").decode() + "\n"
    assert open_note(note + other, key, "x") == "one\n\ntwo\n"
    namesake = "— skerry/test " + base64.b64encode(b"12345678").decode() + "\n"
    assert open_note(note + namesake, key, "x") == "one\n\ntwo\n"
    line = note.rpartition("\n\n")[2]
    for bad, why in [
        (note.replace("two", "2"), "signature does not fit"),
        ("one\n\n" + other, "not signed by the key given"),
        ("one\n" + line, "not a signed note"),
        (note[:-1], "not a signed note"),
        (note.replace("one", "o\x07ne"), "not a signed note"),
        (note + other * 64, "not a signed note"),
        (note + "\n", "not signed by the key given"),
        (note + "- other/name MTIzNDU2Nzg=\n", "malformed"),
        (note + "— other/name MTIz\n", "malformed"),
        (note + "— other/name MTIzNDU2Nzh=\n", "malformed"),
        (note + "— other/name ÄÖ\n", "malformed"),
        (note + "— other+name MTIzNDU2Nzg=\n", "malformed"),
        (note + "— other/name MTIzNDU2Nzg= x\n", "malformed"),
    ]:
        with pytest.raises(Failed, match=why):
            open_note(bad, key, "x")


@pytest.mark.parametrize(
    "text",
    ["", "a", "a+b", "a+b+c", VKEY[:-4], VKEY.replace("foo", "bar"), VKEY.replace("53", "54"),
     "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
     "example.com/foo+530d903a+" + base64.b64encode(b"\2" + bytes(32)).decode()],
)  # fmt: skip
def test_a_broken_key_is_refused(text):
    with pytest.raises(Unreadable, match="key"):
        Key.parse(text)


def test_a_checkpoint_reads_back_and_nothing_else_does(signer):
    checkpoint = Checkpoint("skerry/test", 12, bytes(32))
    text = checkpoint_text(checkpoint)
    assert read_checkpoint(text, "x") == checkpoint
    for bad in (
        text.replace("12", "012"), text.replace("12", "-1"), text.replace("12", "1" * 20),
        text + "more\n", text[:-1], text.replace("=", ""), "\n" + text, "",
        text.replace("A", "B", 1)[:-6] + "\n",
    ):  # fmt: skip
        with pytest.raises(Failed, match="not a checkpoint"):
            read_checkpoint(bad, "x")


def test_the_key_is_made_once_and_is_for_its_owner_only(tmp_path):
    path = tmp_path / "deep" / "key"
    os.umask(os.umask(0o022))
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Signer.open(path, "skerry/test").vkey, range(8)))
    assert len(set(made)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    Signer.open(tmp_path / "key", "skerry/test")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        Signer.open(tmp_path / "key", "skerry/test")


def test_a_key_of_another_name_or_a_damaged_one_is_refused(tmp_path):
    path = tmp_path / "key"
    signer = Signer.open(path, "skerry/test")
    with pytest.raises(KeyFileError, match=r"skerry/test's, this cloud is skerry/other"):
        Signer.open(path, "skerry/other")
    text = path.read_text()
    for bad in ("", "nonsense", text[:-9], text.replace("PRIVATE", "PUBLIC"), "\xff\xfe"):
        path.write_text(bad, encoding="latin-1")
        with pytest.raises(KeyFileError, match="not a signing key"):
            Signer.open(path, "skerry/test")
    path.write_text(text.replace(signer.key.id.hex(), "00000000"))
    with pytest.raises(KeyFileError, match="damaged"):
        Signer.open(path, "skerry/test")


def test_names_that_a_note_cannot_carry_are_refused():
    assert origin("acme") == "skerry/acme"
    for bad in ("", "a b", "a+b", "a\n", "a\u00a0b"):
        with pytest.raises(ValueError, match="operator name"):
            origin(bad)


def test_only_whole_lines_are_signed(signer):
    with pytest.raises(ValueError, match="newline"):
        signer.sign("no end")
