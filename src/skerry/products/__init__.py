"""Products: one folder each, with the same rooms.

``kinds.py`` says what a tenant may ask for, ``flow.py`` tells its whole life in reading order. A
product composes kernel, ledger, market and sites; it never imports another product, and what it
needs of one it puts as an owned resource by name.
"""
