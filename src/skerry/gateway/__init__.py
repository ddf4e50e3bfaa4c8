"""The gateway: where what runs here is reached from outside.

A *route* (``kinds``) gives what runs a name, or a port, that stays while the workloads behind it
come and go. It is put by products, as a child of what owns it, or by a tenant; names are claimed in
the transaction of the put (``hosts``), so two routes never have the same, and its URL follows from
what the gateways were told at their start (``face``).

Each gateway keeps all routes in memory (``table``): a list, then the feed of changes (``follow``).
Nothing is reloaded, and a change is one assignment between two requests. It writes down how far it
follows each route (``seen``), so whoever ends a workload that left a route knows when nothing is
under way there any more (``drained``).

The ``proxy`` moves the bytes and asks the ``gate`` about everything else (``seams``): who may come
in (``login``, ``passes``), what becomes of a request that nothing answers (``room``), what is noted
of it when it is over. ``idle`` tells owners that nobody asks any more.

What is used goes to disk first (``spool``) and from there, once, into the ledger (``fold``); each
request leaves a line in its route's log (``access``).

TLS comes from files, from an authority of the cloud's own, or from an ACME directory (``tls``,
``authority``, ``ordering``, and ``alpn`` where a directory asks by TLS); a certificate is looked up
by the name that a client asks for, and only for names that a route has.

``Gateway`` puts it together, in the process of the server. All that may fail (the database, the
disk, a directory) is waited for and told of; requests that need none of it go on.
"""

from skerry.gateway.seen import drained

__all__ = ["drained"]
