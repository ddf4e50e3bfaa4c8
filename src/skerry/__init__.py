"""Skerry: a cloud in a box.

One loop, six verbs: ask, match, run, meter, bill, prove. Each verb is a package, and
imports only go up the ladder ``store < kernel < proof < identity < ledger < market <
sites < gateway < products < api``; ``client`` speaks HTTP only and ``cli`` stands on it.
"""

__version__ = "0.1.0"
