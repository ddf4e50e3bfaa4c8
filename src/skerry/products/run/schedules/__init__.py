"""Schedules: jobs that start by the clock.

A schedule makes a job at each of its times and owns it. The job's name holds its time, so a step
that is repeated makes no second one. Times that passed while nothing could start are missed; what
then happens is the schedule's ``missed`` policy. Its memory is one instant, the last time that it
has dealt with, which only goes forward: a clock that is set back makes it wait, never run twice.
"""
