"""Manifests: files that say what is wanted, made so by ``apply``.

``source`` reads YAML or JSON and remembers the line of everything. ``reading`` makes documents of
files and folders. ``ordering`` puts what is needed before what needs it and refuses a document that
stands twice or a circle. ``planning`` asks the cloud what each would change, before any is changed:
whatever it refuses is told with file and line, and nothing is applied. ``pruning`` finds what an
apply set once held and holds no more. ``exporting`` goes the other way.
"""
