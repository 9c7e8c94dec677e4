"""``python -m gapless.cli`` is ``gapless``."""

import sys

from . import main

sys.exit(main())
