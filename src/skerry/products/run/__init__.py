"""Run: work that people hand over and wait for.

A *job* is a command with the cores, memory and devices it needs, in one or more copies that start
together or not at all. It is placed by the market, run by a site as a workload, billed from the
start of its processes to their exit, and ends with the exit code of its command.
"""
