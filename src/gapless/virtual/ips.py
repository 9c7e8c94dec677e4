"""Assembly of a design's own IP on a virtual board: with models of it, or as plain registers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from .._native import IpHandle, Parts
from ..boards import BoardSpec, IpSpec
from ..errors import BadArgumentError, UnknownNameError
from .models import IpModel, model_for
from .placed_ip import PlacedIp

#: What may be said of an IP by its name: a model, or a class to make one of.
Models = Mapping[str, IpModel | type[IpModel]]


def add_ips(
    parts: Parts, spec: BoardSpec, dmas: Mapping[str, int], models: Models, again: Collection[IpModel] = ()
) -> dict[str, IpModel]:
    """The models by the name of their IP; one that has none has registers, and its streams stand still.

    ``models`` goes before what classes are bound to. Models in ``again`` may be on the board already.
    """
    known = {ip.name: ip for ip in spec.ips}
    for name in models:
        if name not in known:
            raise UnknownNameError("IP to model", name, known)
    placed: dict[str, IpModel] = {}
    for ip in spec.ips:
        try:
            handle = parts.add_ip(ip.base, ip.size, ip.name, -1 if ip.interrupt is None else ip.interrupt)
        except ValueError as error:
            raise BadArgumentError(f"{ip.name}: {error}") from None
        if (chosen := models.get(ip.name) or model_for(ip.vlnv)) is not None:
            model = placed[ip.name] = chosen() if isinstance(chosen, type) else chosen
            _check(model, ip, again)
            _place(parts, model, handle, ip, dmas)
    for model in placed.values():
        model.start()
    return placed


def remove_models(placed: Iterable[PlacedIp]) -> None:
    """The board calls them no more, and keeps them no longer."""
    for one in placed:
        one.handle.unbind()


def _check(model: IpModel, ip: IpSpec, again: Collection[IpModel]) -> None:
    if not isinstance(model, IpModel):
        raise BadArgumentError(f"{ip.name}: {model!r} is no IpModel")
    if model._placed is not None and model not in again:
        raise BadArgumentError(f"{ip.name}: {model!r} models another IP already; make one for each")


def _place(parts: Parts, model: IpModel, handle: IpHandle, ip: IpSpec, dmas: Mapping[str, int]) -> None:
    kind = type(model)
    model._placed = PlacedIp(model, handle, ip)
    for name in ip.outputs.values():
        parts.connect_ip_output(handle, dmas[name])
    for name in ip.inputs.values():
        parts.connect_ip_input(handle, dmas[name])
    if kind.receive is IpModel.receive:
        for port in model.inputs.values():
            port.ready = False
    handle.bind(model._placed, kind.read is not IpModel.read, kind.write is not IpModel.write)
