"""Proof: what Skerry did, in a form that anyone can check without asking Skerry.

Every change has a *leaf* (``kernel.changes``) and a position (``kernel.sequencer``). This package
makes a transparency log of them:

- ``tree``: the hashes of RFC 6962, proofs from any store of them, an edge that grows.
- ``tiles``: the tree and its entries as static files, laid out as C2SP tlog-tiles.
- ``note``: the operator's key, signed notes, checkpoints.
- ``log``: takes newly sequenced changes into the tiles and signs the next checkpoint.
- ``receipts``: one JSON file that proves a set of changes, with their evidence class.
- ``verify``: checks a receipt. One file that needs only Python, so it can be copied alone and
  read in full by whoever has to trust it. The rest of the package builds on its definitions of
  what a valid proof, note and receipt is, so making and checking can't drift apart.
- ``audit``: recomputes the log against database and files and names whatever differs.

Postgres is the truth for what was sequenced. Tiles and checkpoints are what was *published*: they
are derived from the database, never contradict an earlier checkpoint, and can be rebuilt from it.
The order of writing is tiles, then the signed checkpoint in the database, then the ``checkpoint``
file, so a crash between any two leaves something that the next ``publish`` completes.
"""
