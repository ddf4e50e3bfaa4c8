"""Meter and bill: how much of what was used, and who owes whom, down to the billionth, once.

Money is integers in 10^-9 of a currency unit. It moves only by *transfers* between the accounts of
``chart``, decided by one pure function (``transfers``) behind two doors: ``journal.post`` inside
the caller's transaction, and the batching ``writer``. Every batch, through either door, is one
change in the log: the Merkle root over its ``records``. So an altered amount is found, and named.

A lease's money has a life: ``holds.reserve`` puts it aside with the lease, ``holds.start`` takes it
and begins metering, ``settle.finish`` charges the last second and gives the rest back. Meanwhile
``streams`` say what runs at which frozen price (``prices``, ``price_lists``), how far its site was
seen and when it was not; ``windows`` turns that into amounts, and the ``settler`` does so for every
lease each minute. What a stream owes is always computed from its beginning, less what was charged:
cutting time in pieces, repeating a tick or learning of something late changes no sum.

``budgets`` and funds bind before money is spent (``purse``). A lease whose money ends is told in
time to be stopped; what it uses beyond is never charged.

``invoices`` are documents drawn from usage; the page and the FOCUS export are drawn from the
document. ``reconcile`` compares usage, transfers, invoices, exports and counters with each other;
``evidence`` is what a receipt carries of them; ``cost`` is the live figure.

Locks are taken in this order, so that nothing waits in a circle: lease (its hold row), accounts by
id, the month's sums. Settle or finish one lease per transaction.

The package knows no product and no site: what it is told is a lease, a meter, a rate, a source.
"""
