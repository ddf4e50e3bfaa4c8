"""Backup and restore: a whole cloud in one file, taken while it runs, and brought back proved.

The file is a tar archive: ``about.json``, ``database.dump`` (by pg_dump), ``keys/…``, ``blobs/…``
and, last of all, ``sums.json`` with the length and SHA-256 of every other member. So a backup that
was cut off, or altered by a single byte, is known before anything of it is used (``archive``).

**One instant.** Everything in the database is of one snapshot: the dump is taken by it, and so are
the checkpoint and the counts in ``about.json``. Blobs are copied afterwards. They never change, and
one that the snapshot knows of is removed a month after its last use at the earliest, so nothing
that it names can be gone by then. Keys are copied afterwards as well: they are only ever added.

**Tiles.** They are not in the archive, for they follow from the changes: a restore computes the
tree again from the database. It must have the root in the signed checkpoint that was kept, and
extend any that the operator kept elsewhere (``--checkpoint``). That, and the audit which follows,
is the proof that what was brought back is what was there (``bringing``).

**Nothing by halves.** A backup is written beside its name and renamed; a restore is made beside the
directory, which must not hold anything, and renamed into place once it is proved.

The archive holds the keys: who has it can read every sealed secret and sign as the operator. It is
written with mode 0600 and is not encrypted; its reader is to do that where it is kept.

What runs, and what volumes hold, is on the hosts and not in here.
"""
