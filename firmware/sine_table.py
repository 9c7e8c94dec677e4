"""Prints one period of a sine as 1024 comma-separated int16, full scale 32767."""

import math

print(",".join(str(round(32767 * math.sin(2 * math.pi * i / 1024))) for i in range(1024)))
