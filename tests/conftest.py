"""What every test has."""

import os
import signal

from hypothesis import settings

# No deadline: a sanitized build on a busy machine is slow.
settings.register_profile("gapless", deadline=None)
# Sanitizers look at each access, not for rare cases: those are looked for by the other build, which is faster.
settings.register_profile("sanitized", deadline=None, max_examples=20)
settings.load_profile("sanitized" if os.environ.get("GAPLESS_SANITIZED") else "gapless")

# Ctrl-C is tested. A job that a script started with & has SIGINT ignored from the start, and Python leaves it so.
signal.signal(signal.SIGINT, signal.default_int_handler)
