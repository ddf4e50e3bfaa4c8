"""Audit what the lock installs: known vulnerabilities, licences, hashes. Exit 1 for a finding.

Vulnerabilities are asked of PyPI's JSON API, one request for each package that is locked, or are
read from a copy of the advisory database of the Python Packaging Authority (``--database DIR``,
https://github.com/pypa/advisory-database). Where neither can be had this is said in so many words,
``NOT CHECKED``, and is a failure only with ``--strict``: a machine without that network can still
check the rest. Licences are read from what is installed. What was judged to be no matter for us
stands in ``audit.toml``, with the reason.
"""

import argparse
import json
import os
import re
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import yaml
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
LOCKS = (
    ROOT / "requirements.lock",
    ROOT / "src/skerry/products/notebook/requirements.txt",
)
API = os.environ.get("SKERRY_ADVISORIES", "https://pypi.org/pypi")
SECONDS = 15
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.M)


@dataclass(frozen=True)
class Pin:
    """One line of a lock."""

    name: str
    version: str
    hashed: bool

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Unreachable(Exception):
    """The advisories can't be had."""


def pins(text: str) -> list[Pin]:
    """The packages of a requirements file, by their normalised names."""
    found = []
    for match in _PIN.finditer(text):
        rest = text[match.end() :]
        following = _PIN.search(rest)
        block = rest[: following.start()] if following else rest
        name = re.sub(r"[-_.]+", "-", match[1]).lower()
        found.append(Pin(name, match[2], "--hash=sha256:" in block))
    return found


def online(pin: Pin, api: str = API) -> list[tuple[str, str]]:
    """Id and fix of each advisory, from PyPI. Raises ``Unreachable``."""
    url = f"{api}/{pin.name}/{pin.version}/json"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - http, said above
            told = json.load(answer)
            advisories = told["vulnerabilities"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreachable(f"{api}: {error}") from None
    return [
        (str(one["id"]), ", ".join(one.get("fixed_in") or ()) or "no release")
        for one in advisories
        if not one.get("withdrawn")
    ]


def offline(pin: Pin, database: Path) -> list[tuple[str, str]]:
    """The same from a copy of the advisory database."""
    found = []
    for file in sorted((database / "vulns" / pin.name).glob("*.yaml")):
        advisory = yaml.safe_load(file.read_text("utf-8"))
        if advisory.get("withdrawn"):
            continue
        for affected in advisory.get("affected", ()):
            fixes = _fixes(affected)
            if _hits(affected, pin.version):
                found.append((str(advisory["id"]), ", ".join(fixes) or "no release"))
                break
    return found


def newest(database: Path) -> str:
    """The day of its last change."""
    days = (re.findall(r"^modified: '?(\d{4}-\d\d-\d\d)", f.read_text("utf-8"), re.M)
            for f in (database / "vulns").glob("*/*.yaml"))  # fmt: skip
    return max((day for found in days for day in found), default="no day")


def _fixes(affected: dict[str, Any]) -> list[str]:
    ranges = affected.get("ranges", ())
    return [
        str(event["fixed"])
        for one in ranges if one.get("type") == "ECOSYSTEM"
        for event in one["events"] if "fixed" in event
    ]  # fmt: skip


def _hits(affected: dict[str, Any], version: str) -> bool:
    """As the format says: a version that is listed, or within a range of versions."""
    if version in map(str, affected.get("versions", ())):
        return True
    at = Version(version)
    for one in affected.get("ranges", ()):
        if one.get("type") != "ECOSYSTEM":
            continue
        within = False
        for event in one["events"]:
            if "introduced" in event and at >= Version(str(event["introduced"])):
                within = True
            if "fixed" in event and at >= Version(str(event["fixed"])):
                within = False
            if "last_affected" in event and at > Version(str(event["last_affected"])):
                within = False
        if within:
            return True
    return False


def licences(found: Distribution) -> str:
    """Its licence as an SPDX expression, as far as it says one; else its own words."""
    told = found.metadata
    expression = told.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [
        str(c).rpartition(" :: ")[2]
        for c in told.get_all("Classifier") or ()
        if str(c).startswith("License ::")
    ]
    words = classifiers or [str(told.get("License") or "").strip().split("\n")[0]]
    # Several classifiers are several licences to choose from.
    return " OR ".join(_SPDX.get(word, word or "none told") for word in words)


_SPDX = {
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def permitted(expression: str, allowed: set[str]) -> bool:
    """Whether an expression can be met by what is allowed. ``OR`` binds weaker than ``AND``."""
    text = expression.strip()
    if "(" in text:
        text = re.sub(
            r"\(([^()]*)\)", lambda m: "@yes" if permitted(m[1], allowed) else "@no", text
        )
        return permitted(text, allowed)
    return any(
        all(part.strip() in allowed or part.strip() == "@yes" for part in choice.split(" AND "))
        for choice in text.split(" OR ")
    )


def audit_licences(locked: list[Pin], rules: dict[str, Any]) -> Iterator[str]:
    allowed, known = set(rules["allowed"]), rules.get("judged", {})
    for pin in locked:
        try:
            found = distribution(pin.name)
        except PackageNotFoundError:
            continue  # for another system, or for the hosts
        expression = licences(found)
        if not permitted(expression, allowed) and pin.name not in known:
            yield f"{pin}: its licence is {expression}, which audit.toml does not allow"


def audit_advisories(
    locked: list[Pin], ignored: dict[str, str], database: Path | None, api: str = API
) -> Iterator[str]:
    """Raises ``Unreachable``."""
    if database is not None:
        if not (database / "vulns").is_dir():
            raise Unreachable(f"{database} holds no directory vulns")
        answers = [offline(pin, database) for pin in locked]
    else:
        online(locked[0], api)  # before all others: fails soon where nothing answers
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda pin: online(pin, api), locked))
    for pin, found in zip(locked, answers, strict=True):
        for id, fix in found:
            if id not in ignored:
                yield f"{pin}: {id}, mended in {fix}"


def main(arguments: list[str] | None = None, locks: tuple[Path, ...] = LOCKS) -> int:
    parser = argparse.ArgumentParser(description="Audit what the lock installs.")
    parser.add_argument("--database", type=Path, help="a copy of pypa/advisory-database")
    parser.add_argument("--strict", action="store_true", help="unchecked is a failure")
    options = parser.parse_args(arguments)
    rules = tomllib.loads((ROOT / "tools/audit.toml").read_text())
    locked = [pin for lock in locks for pin in pins(lock.read_text())]
    once = sorted({(p.name, p.version): p for p in locked}.values(), key=str)
    found = [f"{p}: no hash in {locks[0].name}" for p in pins(locks[0].read_text()) if not p.hashed]
    found += audit_licences(once, rules["licences"])
    checked = True
    try:
        found += audit_advisories(once, rules["advisories"], options.database)
    except Unreachable as why:
        checked = False
        print(
            f"NOT CHECKED for known vulnerabilities: the advisories can't be had ({why}).\n"
            "Run this where PyPI's JSON API is reachable, or with --database and a copy of\n"
            "https://github.com/pypa/advisory-database.",
            file=sys.stderr,
        )
    for finding in found:
        print(f"error: {finding}")
    if checked and options.database is not None:
        print(f"The advisories are those of {newest(options.database)}; later ones are not known.")
    done = "vulnerabilities, licences and hashes" if checked else "licences and hashes alone"
    print(f"{len(once)} packages audited for {done}: {len(found)} findings")
    return 1 if found or (options.strict and not checked) else 0


if __name__ == "__main__":
    sys.exit(main())
