"""What of a design a virtual board has no model of, in words."""

from __future__ import annotations

from collections.abc import Collection

from ..boards import BoardSpec
from .models import model_for


def unmodelled(spec: BoardSpec, models: Collection[str] = ()) -> str | None:
    """One sentence or two on all IP without a model; None when there is none.

    ``models`` are the names of IP that have one of the user's, whatever class is bound to them.
    """
    left = [ip for ip in spec.ips if ip.name not in models and model_for(ip.vlnv) is None]
    on_iops = [f"{iop.name}: {', '.join(iop.unmodelled)}" for iop in spec.iops if iop.unmodelled]
    parts = []
    if left:
        parts.append(f"no model of {', '.join(ip.name for ip in left)}: registers only keep what is written")
    streams = [f"{dma} MM2S" for ip in left for dma in ip.inputs.values()]
    streams += [f"{dma} S2MM" for ip in left for dma in ip.outputs.values()]
    if streams:
        parts.append(f"streams that end there never move: {', '.join(streams)}")
    if on_iops:
        parts.append(f"left out on the bus of a soft processor: {'; '.join(on_iops)}")
    if not parts:
        return None
    name = spec.handoff.name if spec.handoff else spec.name
    return f"{name}: {'. '.join(part[0].upper() + part[1:] if number else part for number, part in enumerate(parts))}"
