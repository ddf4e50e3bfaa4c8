"""Pods: one long-running workload each, kept running somewhere.

A pod lives as a job does (``life``), but has no end of its own: its host starts it anew when it
ends, with growing pauses, and where the host can't, because it is gone, is drained or takes its
capacity back, the pod is placed elsewhere as a new workload. The old one is given up first, and it
has ended first wherever its site can be asked.

*Unknown is not closed.* A site out of contact may still run the pod. The pod's ``patience`` says
how long that is waited for; then another one is started, and the old one is ended as soon as its
site is heard again. So for that while two may run: a pod that mounts a volume is therefore never
moved before its site has been heard.

Services and notebooks are made of pods.
"""
