"""Queues: who may take how much of the cloud, who is next, and who gives way.

A ``queue`` belongs to a tenant and holds its share; queues of one *cohort* lend each other what
they do not use. What is asked for waits as an *entry* until its queue admits it; what is admitted
counts against the queue until its lease ends. Without a queue nobody waits.

- ``quota``: shares and what is used of them, in one cohort. Pure.
- ``order``: who is admitted now, in which order, and who is passed over. Pure.
- ``entries``: what waits and what is admitted, in the database.
- ``hand``: the one hand that admits, many in one transaction; elected, and safe if there are two.
- ``victims``: who gives way to one that waits: the least harm, never for nothing. Nearly pure.
- ``making_room``: it is written down, and told.
- ``rounds``: what the hand did, for the log.
- ``turns``: what the flow of one that runs asks here before it asks the market.
- ``shown``: position, reason and estimate, computed when they are read.

An entry that is admitted holds quota and no place: the market chooses the place as ever. One that
finds none gives its quota back, rests and is tried again.
"""
