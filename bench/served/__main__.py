"""python -m served ours|bare|following DATABASE FOLDER"""

import sys

from served import main

main(*sys.argv[1:])
