"""Networks of tasks: to the outside and nowhere else.

A sandboxed task that asks for the network gets a namespace of its own with one end of a veth pair,
an address of this agent's *pool* and a default route. The other end hangs on the agent's *bridge*,
as an isolated port, so that tasks do not even see each other's frames. From there the host routes
and translates addresses (NAT); what may pass says one nftables table (``rules``).

**Nothing to clean up.** The namespace lives as long as the task's shim, which holds it open, and
with it goes the veth pair. Shims start their tasks again in it without the agent, and an agent that
was killed finds all in its place. Only bridge and table are the agent's: it makes them for its
first such task, looks after them while there is one, and removes them when it ends without any. An
agent that comes upon the bridge of another one whose directory is gone removes that, too.

**What is closed to tasks:** the host itself by any of its addresses, other tasks, and everything
that is not of the public Internet (``rules.CLOSED``): so the host's private networks, and the
metadata services of clouds. Open are the name servers (``names``) and what the operator names.
What can be reached from the Internet anyway is not closed to tasks, wherever it stands.

Tasks have IPv4 only. Agents that are not root can make none of this.
"""
