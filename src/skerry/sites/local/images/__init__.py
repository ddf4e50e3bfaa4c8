"""Images and Python environments on this machine: brought once, unpacked once, shared by all.

::

    images/
        scratch/            being made; emptied when the driver opens
        blobs/sha256/HEX    layers as they came, whole or not there
        roots/HEX/          ``rootfs`` and ``image.json`` of the image with that manifest
        archives/HEX        which image an uploaded archive holds
    environments/
        scratch/
        made/HEX/           ``venv`` and ``environment.json``
        cache/              uv's own

skopeo copies, umoci unpacks, uv builds: each runs as a process of its own, without the agent's
variables, that dies with the agent. What it makes is made in ``scratch``, checked, synced and then
renamed into place, so that nothing half-made is ever found. A pull that was killed takes up again
with the layers that had come whole.

Who asks for an image proves to its registry, by asking for its manifest, that it may have it; only
then is what is here already of use to it. Requests for one image share one pull (``sharing``). What
has not been used for a while is removed, the oldest first, but never what a workload uses
(``shelf``). Roots are never written to: each task has its own layer above (``engines.inside``).
"""
