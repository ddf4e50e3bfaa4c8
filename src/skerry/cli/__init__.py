"""The command line: a client of the public API with no privilege of its own.

``skerry NOUN VERB``: nouns come from the catalogue (``catalogue.json``, made from the server's
registry), and there is one base command per verb in ``verbs``, which the catalogue's schema turns
into flags and help. Commands that are more than a verb (``run``, ``apply``, ``quote``, …) are in
``commands``. ``main`` imports a command's module only when it is called, so that ``skerry --help``
starts fast; no module of the server is ever imported, except by the commands that *are* the server
(``up``, ``serve``, ``agent``, ``audit``), when they run.

Rules kept everywhere: stdout carries the answer and nothing else, stderr carries progress, prices
and errors; whatever takes time is waited for unless told otherwise; a prompt only on a terminal;
exit codes as in ``exits``.
"""
