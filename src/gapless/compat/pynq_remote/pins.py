"""The calls for the PS's pins that lead to the PL: ``gpio.Gpio``."""

from __future__ import annotations

from typing import Any

from ...board import Board
from ...boards.ps_gpio import PS_GPIO, PsGpioLayout
from ...errors import BadArgumentError, PynqDirectionError, UnknownNameError, UnsupportedError
from ...iop import RegisterPin
from .client import Client, Clients, Line

#: Pins are counted from 0 here.
_BASE_PATH = "/sys/class/gpio/gpiochip0"


class Gpio:
    """Pins by the number that Linux has for them."""

    def __init__(self, board: Board, clients: Clients) -> None:
        self._board, self._clients = board, clients

    def get_gpio(self, client: Client, request: Any) -> dict[str, Any]:
        """A pin in one direction."""
        index, direction = request.index, request.direction
        if direction not in ("in", "out"):
            raise BadArgumentError(f"direction {direction[:40]!r}: in or out")
        emio = index - self._layout().first_pin
        pin = self._board.pin(emio)
        if direction == "in":
            if not isinstance(pin, RegisterPin):
                raise UnsupportedError(f"pin {index} of {self._board.uri}: a real board's pins are outputs only here")
            pin.release()
        return {"gpio_id": self._clients.add(client, Line(emio, direction, pin))}

    def read(self, client: Client, request: Any) -> dict[str, Any]:
        """The level of an input."""
        line = self._get(client, request)
        if line.direction != "in" or not isinstance(line.pin, RegisterPin):
            raise PynqDirectionError("an output cannot be read: get the pin as an input")
        return {"value": int(line.pin.level())}

    def write(self, client: Client, request: Any) -> dict[str, Any]:
        """Drive an output."""
        line = self._get(client, request)
        if line.direction != "out":
            raise PynqDirectionError("an input cannot be written: get the pin as an output")
        if request.value not in (0, 1):
            raise BadArgumentError(f"value {request.value}: 0 or 1")
        line.pin.set(bool(request.value))
        return {}

    def unexport(self, client: Client, request: Any) -> dict[str, Any]:
        """Give a pin back; it stays as it is."""
        if request.gpio_id in client.held:
            self._get(client, request)
            del client.held[request.gpio_id]
        return {}

    def is_exported(self, client: Client, request: Any) -> dict[str, Any]:
        """Whether the client has it."""
        return {"is_exported": isinstance(client.held.get(request.gpio_id), Line)}

    def get_gpio_base_path(self, client: Client, request: Any) -> dict[str, Any]:
        """The folder of Linux for all of them; its number is that of the first pin."""
        self._layout(request.target_label)
        return {"base_path": _BASE_PATH}

    def get_gpio_npins(self, client: Client, request: Any) -> dict[str, Any]:
        """How many pins there are."""
        return {"npins": self._layout(request.target_label).pins}

    def _layout(self, label: str = "") -> PsGpioLayout:
        gpio = self._board.spec.ps_gpio
        if gpio is None:
            raise UnsupportedError(f"{self._board.uri} knows of no GPIO of the PS")
        layout = PS_GPIO[gpio.kind]
        if label and label != layout.label:
            raise UnknownNameError("GPIO called", label[:40], (layout.label,))
        return layout

    def _get(self, client: Client, request: Any) -> Line:
        return self._clients.get(client, Line, request.gpio_id)
