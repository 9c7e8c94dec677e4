"""The PS of a virtual board: what stays whatever is in the PL."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from .._native import Machine
from ..boards import BoardSpec, MemoryKind, PeripheralSpec, ZdmaSpec
from ..boards.ps_clocks import CLOCK_KINDS
from ..boards.ps_gpio import PS_GPIO
from ..errors import BadArgumentError, UnmodelledIpWarning
from ..fitted import Fitted
from ..memory import AddressMap, Pool
from .ips import Models, remove_models
from .pl import Pl, add_memory, by_kind, make_pool
from .port_widths import add_port_widths
from .processors import add_peripherals
from .unmodelled import unmodelled


class Ps:
    """Memory, DMA channels and GPIO of the PS, and the PL beside it.

    Attributes:
        pools: all of the board, by name.
        pl: what is in the PL now.
    """

    def __init__(self, machine: Machine, spec: BoardSpec, models: Models) -> None:
        self._machine, self._spec, self._models = machine, spec, models
        self.pools: dict[str, Pool] = {}
        self._regions = [add_memory(machine, memory) for memory in spec.memories if memory.kind is not MemoryKind.PL]
        self.address_map = AddressMap(self._regions)
        for pool in spec.pools:
            if pool.kind is not MemoryKind.PL:
                self.pools[pool.name] = make_pool(pool, self._regions, machine, self.pools.values)
        bandwidths = {port.name: port.bandwidth for port in spec.ports}
        used = dict.fromkeys(name for zdma in spec.zdmas for name in zdma.ports.values())
        self._ports = {name: machine.add_port(bandwidths[name]) for name in used}
        self._zdmas = {zdma.name: _add_zdma(machine, zdma, self._ports) for zdma in spec.zdmas}
        add_port_widths(machine, spec)
        self._host = add_peripherals(machine, [part for part in spec.peripherals if _stays(part)])
        self.pl = self._assemble(spec)
        self.pl.place(models)
        self._put(self.pl)

    def refit(self, spec: BoardSpec, stop: Callable[[], None]) -> Fitted:
        """Replace what is in the PL by the design of ``spec``, or leave everything as it is and raise.

        ``stop`` is called when nothing can go wrong any more: it ends what still runs in the old design.
        """
        models = {ip.name: self._models[ip.name] for ip in spec.ips if ip.name in self._models}
        if text := unmodelled(spec, models):
            warnings.warn(text, UnmodelledIpWarning, stacklevel=4)  # where board.load() was called
        new, old = self._assemble(self._beside(spec)), self.pl
        AddressMap([*self._regions, *new.regions])
        left = [model._ip for model in old.models.values()]
        with ExitStack() as reopened:
            for pool in old.pools.values():
                pool.close()
                reopened.callback(pool.reopen)
            new.place(models, old.models.values())
            stop()
            reopened.pop_all()
        for name in old.pools:
            del self.pools[name]
        self.address_map.exchange(old.regions, ())
        self._put(new)
        remove_models(left)
        return Fitted(new.spec, self.pools, new.probe, new.iops)

    def close(self) -> None:
        """Models are called no more."""
        remove_models([model._ip for model in self.pl.models.values()])

    def _assemble(self, spec: BoardSpec) -> Pl:
        return Pl(self._machine, spec, ports=self._ports, zdmas=self._zdmas, host=self._host, hints=self.pools.values)

    def _put(self, pl: Pl) -> None:
        self._machine.load(pl.parts)
        self.address_map.exchange((), pl.regions)
        self.pools.update(pl.pools)
        self.pl = pl

    def _beside(self, spec: BoardSpec) -> BoardSpec:
        """The PL of ``spec`` beside the PS of this board."""
        own, pl = self._spec, MemoryKind.PL
        named = {port.name for port in spec.ports}
        staying = [part for part in own.peripherals if part.name in self._host]
        taken = {part.base for part in staying}
        return replace(
            spec,
            name=own.name,
            title=own.title,
            memories=(
                *(memory for memory in own.memories if memory.kind is not pl),
                *(memory for memory in spec.memories if memory.kind is pl),
            ),
            pools=(
                *(pool for pool in own.pools if pool.kind is not pl),
                *(pool for pool in spec.pools if pool.kind is pl),
            ),
            ports=(*spec.ports, *(port for port in own.ports if port.name in self._ports and port.name not in named)),
            zdmas=own.zdmas,
            peripherals=(
                *staying,
                *(part for part in spec.peripherals if not (_stays(part) and part.base in taken)),
            ),
        )


def _stays(part: PeripheralSpec) -> bool:
    """Whether it keeps what it has when a design is loaded."""
    return part.kind in PS_GPIO or part.kind in CLOCK_KINDS


def _add_zdma(machine: Machine, zdma: ZdmaSpec, ports: dict[str, int]) -> int:
    if not zdma.ports:
        raise BadArgumentError(f"{zdma.name} has no memory port: a virtual board needs to know how fast it is")
    try:
        return machine.add_zdma(zdma.base, zdma.name, zdma.bus_width // 8, zdma.interrupt, by_kind(zdma.ports, ports))
    except ValueError as error:
        raise BadArgumentError(f"{zdma.name}: {error}") from None
