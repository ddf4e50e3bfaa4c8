"""The HTTP edge: SECA's API, made from the registry.

One handler serves every kind. ``routes`` finds what a path means, ``requests`` reads what was sent,
``documents`` shows a resource as SECA does, ``problems`` turns errors into problem documents,
``watch`` streams the feed, and ``openapi`` describes it all. Nothing here knows a product: what a
kind can do is in its declaration, and who may do it is ``identity.authorize``'s to say.
"""
