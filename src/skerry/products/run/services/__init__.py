"""Services: replicas of one thing behind one name, replaced without losing a request.

A service owns *pods* and one *route*. Each change of what runs makes a *revision*
(``revisions``); its flow looks at the pods that there are and takes the next step towards what is
wanted (``flow``), which a pure function decides (``rolling``). So it does not matter what went
before: a killed host, a bad revision and a change in the middle of another one are all the same
question, asked anew at each look.

What leaves goes in order (``leaving``): out of the route, until every gateway has seen that and
has no request there; then SIGTERM and its grace; then it is deleted.

A service that nobody asks may sleep: its pods go, its route stays, and the first request that
comes waits at the gateway until a pod is there again.
"""
