"""The shim: a small process beside each task that outlives agent and server.

The driver starts it with its own interpreter as ``python -I -S`` and nothing but the standard
library, so that it stays small; it imports as little of that as it can. It holds the task's lock
file from birth to end: a held lock is the sure sign of a live shim. In order:

1. It gets its ``Plan`` on a socket and starts the engine's command. That ends in a small program
   (``engines.inside``), which says when the sandbox stands and then waits at a gate.
2. It tells the driver that it is ready and waits for the go. If the driver dies first, the
   driver's written decision counts (``decision.json``): all shims of a workload read the same one.
3. It records the start, opens the gate by sending the command through it, and from then on carries
   output into the log, keeps time, memory and disk limits, passes signals on and restarts.
4. It records the end, rings the driver's bell, removes the sandbox and leaves.

Records are written whole, to disk, and then renamed into place. Pipes with names in the task's
directory connect it with whatever driver there is: ``control`` brings commands, ``bell`` tells
that the record has changed; the bell's end tells that the shim is gone.
"""
