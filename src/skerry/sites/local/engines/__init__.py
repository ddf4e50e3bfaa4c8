"""Engines: what truly runs a task, each from the same ``Order``.

An engine turns an order into a command line (``Launch``) that ends in ``shim.plan.INIT``; the
shim does the rest. It is usable if it has run ``/bin/true`` on this host: engines are asked by
running them, not by looking for signs. ``sandbox`` is done by the first usable of runc and
bubblewrap, ``process`` by none at all.
"""
