"""The market: which offer serves an ask best, at what price, and why not the others.

``match`` is the middle of it: a pure function of the ask, a snapshot of all offers, the policy that
binds the asker, and the time (``match``, ``groups``, ``lines``, ``nearest``; ``reasons`` has the
filters and their order). Around it, from below:

- ``ask``, ``policy``, ``decision``: the words that come in and go out. All amounts are integers,
  and what is unknown is never taken for zero.
- ``columns``, ``snapshot``: offers as numpy columns that never change; ``live`` keeps a snapshot at
  the state of the database.
- ``offers``: the states of offers, each kept for good, so that a decision can be computed again;
  ``site_offers`` makes the offers of our own sites from their capacity and the price list.
- ``decisions``: each answer, written down with the version of everything it followed from.
- ``leases``: capacity taken, in one transaction with the decision and the money it may cost.
- ``quotes``: the same without taking; a quote can be accepted as it stands.
- ``queues``: who may take how much, who is next, and who gives way.
- ``kinds``: what of this a tenant or the operator sees (provider ``skerry.market``).

An auction, a peer or a public cloud adds offers, not code paths: a posted price is a standing bid.
"""
