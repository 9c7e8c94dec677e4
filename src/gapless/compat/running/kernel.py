"""``python kernel.py -f CONNECTION_FILE``: an IPython kernel with PYNQ's names.

A file to run, not a module to import: then what lies beside the notebook cannot stand in for a module that the
kernel itself needs.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the kernel until its client ends it."""
    del sys.path[0]  # our folder; the kernel looks beside the notebook once it runs
    from gapless.compat.running.package import provide
    from gapless.compat.running.trace import log_stores

    provide()
    log_stores()
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance()


if __name__ == "__main__":
    main()
