"""Notebooks: JupyterLab by a link, stopped when nobody uses it.

A notebook owns a *pod*, in which JupyterLab runs, and a *route*, by which people reach it. Both
have its name. The route asks who comes (the gateway's login), so nobody signs in to Jupyter, and
there is no token in any address, log or argument.

*Who reaches Jupyter.* A task's network is apart: from it no other task is reached, nor it from any.
Where a site gives tasks the host's own network instead, that alone would not do. So Jupyter answers
only requests that carry a key, which the notebook makes up once: the gateway adds it to what passes
its login, takes such a header away from what others send, and Jupyter takes it out of its
environment before it starts anything (``inside``). Jupyter's own protection against requests forged
by other pages stays on.

*Idle.* The gateway says when nobody has asked for a while. A browser may be closed while a cell
computes, so Jupyter is asked then as well (``activity``): what computes goes on, and its time
counts as use. What has stopped costs nothing, keeps its volume, and starts again with the first
page that somebody opens.
"""
