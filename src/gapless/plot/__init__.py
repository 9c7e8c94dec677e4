"""Pictures of what was played and captured (needs ``pip install 'gapless[plot]'``)."""

from .figures import PICTURE_SUFFIXES, plot_loopback, plot_play

__all__ = ["PICTURE_SUFFIXES", "plot_loopback", "plot_play"]
