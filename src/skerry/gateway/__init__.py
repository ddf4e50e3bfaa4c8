"""The gateway: where what runs here is reached from outside.

A *route* (``kinds``) gives a workload a name that stays while what answers behind it comes and
goes. Each gateway keeps all routes in memory (``table``), from a list and then from the feed of
changes; nothing is ever reloaded.
"""
