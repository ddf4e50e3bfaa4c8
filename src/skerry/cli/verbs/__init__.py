"""One base command per verb. A kind supplies data only: noun, schema, columns, actions, views.

``noun.py`` makes the group of a kind: ``list``, ``get``, ``create``, ``update``, ``delete``,
``wait``, ``explain``, and a verb for each action and view that the kind declares. A view that
deserves more than being printed has a renderer in ``view.py``, by its name.
"""
