"""python -m served ours|bare|following DATABASE"""

import sys

from served import main

main(*sys.argv[1:])
