"""The kernel: resources and what happens to them. It knows no product.

A *kind* (``kinds``) is declared once, with its spec, status, references, quota, actions and flow;
everything else follows from the registry. *Resources* (``resources``) are rows: spec is what the
tenant wants, status what was observed, ``state`` and ``conditions`` SECA's history of it. Each
change of a resource writes one row of ``change`` (``changes``) in the same transaction; the
*sequencer* gives those rows positions later, and the watch feed and the transparency log both read
that one sequence. A kind whose life reaches outside the database has a *flow* (``flows``): short,
repeatable steps, leased by workers, never a transaction open while talking to the outside.
"""
