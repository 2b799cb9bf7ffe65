# Common variables; there are no options yet.
BINOWN?=	root
BINGRP?=	wheel
