"""What every test has."""

import signal

from hypothesis import settings

# No deadline: a sanitized build on a busy machine is slow.
settings.register_profile("gapless", deadline=None)
settings.load_profile("gapless")

# Ctrl-C is tested. A job that a script started with & has SIGINT ignored from the start, and Python leaves it so.
signal.signal(signal.SIGINT, signal.default_int_handler)
