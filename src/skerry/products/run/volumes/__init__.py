"""Volumes and their snapshots: space at one place that outlives what mounts it.

A volume is sold like anything else: the market finds it a host that keeps volumes, and its lease
is metered by the month from the moment the host has made it to the moment somebody deletes it.
Each growth is a lease of its own, at the price of its day. ``kept`` is the life that volumes and
snapshots share, ``flow`` what each adds to it.

**Who uses it.** ``uses`` writes down with each run which volumes it takes, in the transaction that
gives the run its place, with the volumes locked. So two runs never set out for a volume that they
may not share: who comes second waits in its queue. The host refuses the same by itself, should a
run that was given up still be there.

**Where it lies** is a filter of the match: what mounts it runs there and nowhere else.

**Money that ends** never costs data. The volume is not metered from then on, nothing can mount it,
and it is rented again as soon as there is money.
"""
