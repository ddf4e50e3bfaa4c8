"""Sites: the places where work runs, and what is known of them.

``contract`` says what a site can do, and rules it keeps whatever it is made of; a *driver* is a
folder here that keeps them (``local``: this machine, ``simulated``: the reference twin) and is
found without being listed (``drivers``). A machine's driver runs there, in the host's ``agent``,
behind one outbound connection (``wire``, ``remote``, ``greeting``).

The server's half: the ``hub`` has each site's driver while there is contact, and flows call it. The
``observer`` lists and watches every site and folds what it sees into rows (``seen``), so flows
decide from what was seen and never ask twice; it compares the two (``reconcile``) at each contact.
Silence becomes an outage (``outages``): unknown is not closed, and time unseen is not billed.
``kinds`` are SECA's regions, and sites; ``business`` tells market and ledger what both need.
"""
