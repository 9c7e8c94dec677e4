"""What every test has: hypothesis without a deadline, because a sanitized build on a busy machine is slow."""

from hypothesis import settings

settings.register_profile("gapless", deadline=None)
settings.load_profile("gapless")
