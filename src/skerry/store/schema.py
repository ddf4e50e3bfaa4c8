"""The schema that all migrations add up to, as one file to read: ``schema.sql``.

``python -m skerry.store.schema`` writes it again; with ``--check`` it only says whether it is
still right. A test does the same, so no migration changes the schema unseen.
"""

import argparse
import asyncio
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from skerry.store.errors import StoreError
from skerry.store.migrations import migrate
from skerry.store.postgres import EmbeddedPostgres, binaries

SCHEMA = Path(__file__).with_name("schema.sql")
_HEAD = """-- Written by `python -m skerry.store.schema` from the migrations. Do not edit.

SET check_function_bodies = false; -- functions come before the tables they name

"""
# What pg_dump says of itself and of its session; the \restrict lines differ on every run.
_NOISE = re.compile(r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)\n", re.M)


def dump(url: str) -> str:
    """The schema of a database, as SQL that makes it."""
    command = [str(binaries() / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StoreError(f"The schema could not be read: {done.stderr.strip()}")
    return _HEAD + re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", done.stdout)).strip() + "\n"


async def current() -> str:
    """What the migrations make of an empty database."""
    with tempfile.TemporaryDirectory(prefix="skerry-schema-") as directory:
        postgres = EmbeddedPostgres(Path(directory) / "postgres", fsync=False)
        url = await postgres.start()
        try:
            await migrate(url)
            return await asyncio.to_thread(dump, url)
        finally:
            await postgres.stop()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m skerry.store.schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if it differs")
    options = parser.parse_args(arguments)
    schema = asyncio.run(current())
    if options.check:
        return 0 if SCHEMA.exists() and SCHEMA.read_text("utf-8") == schema else 1
    SCHEMA.write_text(schema, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
