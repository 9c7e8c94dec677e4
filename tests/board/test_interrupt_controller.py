"""AXI INTCs on the host's bus, between what interrupts and the PS (PG099)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from driver_designs import KIB, PORTS, noise, spec

from gapless.boards import DmaSpec, PeripheralSpec, StreamFifoSpec
from gapless.boards.pynq_z2 import pynq_z2
from gapless.errors import BadArgumentError, UnknownNameError
from gapless.virtual import build_board

ISR, IPR, IER, IAR, SIE, CIE, IVR, MER = range(0x00, 0x20, 4)
INTC, SECOND, TIMER, GPIO, DMA = 0x4180_0000, 0x4181_0000, 0x4280_0000, 0x4120_0000, 0x4040_0000
TO_PS, FROM_SECOND, DMA_LINE, RECEIVED, TIMER_LINE, GPIO_LINE = 61, 1024, 1025, 1026, 1027, 1028


def design(edges=0, edges_of_second=0):
    """DMA and timer at the first controller; at its input 0 the second, with the GPIO at its input 3."""
    return replace(
        spec(
            DmaSpec("dma", DMA, False, PORTS, mm2s_interrupt=DMA_LINE, s2mm_interrupt=RECEIVED, data_width=8),
            fifos=[StreamFifoSpec("loop", "dma", "dma", 64 * KIB)],
        ),
        peripherals=(
            PeripheralSpec("intc", "axi-intc", INTC, TO_PS, {"inputs": 5, "edges": edges}),
            PeripheralSpec("second", "axi-intc", SECOND, FROM_SECOND, {"inputs": 4, "edges": edges_of_second}),
            PeripheralSpec("timer", "axi-timer", TIMER, TIMER_LINE),
            PeripheralSpec("gpio", "axi-gpio", GPIO, GPIO_LINE, {"width": 4}),
        ),
        interrupt_inputs={
            ("intc", 0): FROM_SECOND,
            ("intc", 1): DMA_LINE,
            ("intc", 2): RECEIVED,
            ("intc", 4): TIMER_LINE,
            ("second", 3): GPIO_LINE,
        },
    )


class Registers:
    def __init__(self, board, base):
        self._bus, self._base = board.bus, base

    def __getitem__(self, offset):
        return self._bus.read32(self._base + offset)

    def __setitem__(self, offset, value):
        self._bus.write32(self._base + offset, value)


def up(board, line):
    return board.bus.wait_interrupt(line, 1e-9)


def start_timer(board, cycles=100):
    timer = Registers(board, TIMER)
    timer[4] = 0xFFFF_FFFF - cycles
    timer[0] = 0x120  # load, and clear T0INT
    timer[0] = 0x0C0  # ENT0, ENIT0: it stops when it is over (PG079)


def test_a_pin_is_there_whatever_the_controller_does():
    with build_board(design()) as board:
        start_timer(board)
        assert board.bus.wait_interrupt(TIMER_LINE, 1e-3)
        assert not up(board, TO_PS)
        intc = Registers(board, INTC)
        assert [intc[offset] for offset in (ISR, IPR, IVR, MER)] == [0, 0, 0xFFFF_FFFF, 0]


def test_its_output_is_what_it_lets_through():
    with build_board(design()) as board:
        intc = Registers(board, INTC)
        intc[MER] = 3
        intc[SIE] = 0b10000
        start_timer(board)
        assert board.bus.wait_interrupt(TO_PS, 1e-3)
        assert (intc[ISR], intc[IPR], intc[IVR]) == (0b10000, 0b10000, 4)
        intc[CIE] = 0b10000
        assert (intc[ISR], intc[IPR], up(board, TO_PS)) == (0b10000, 0, False)
        intc[IER] = 0b10000
        intc[MER] = 2
        assert not up(board, TO_PS)
        intc[MER] = 3
        assert up(board, TO_PS)


@pytest.mark.parametrize("edge", [False, True])
def test_a_level_that_stays_is_there_again_after_the_acknowledge(edge):
    with build_board(design(edges=0b10000 * edge)) as board:
        intc = Registers(board, INTC)
        intc[MER], intc[IER] = 3, 0b10000
        start_timer(board)
        assert board.bus.wait_interrupt(TO_PS, 1e-3)
        intc[IAR] = 0b10000
        assert up(board, TIMER_LINE)
        assert up(board, TO_PS) is not edge
        board.bus.write32(TIMER, 0x100)  # T0INT is cleared by a 1
        assert not up(board, TIMER_LINE)
        intc[IAR] = 0b10000
        assert not up(board, TO_PS)
        start_timer(board)
        assert board.bus.wait_interrupt(TO_PS, 1e-3)


def test_controllers_in_a_row():
    with build_board(design()) as board:
        first, second = Registers(board, INTC), Registers(board, SECOND)
        for controller, inputs in ((first, 1), (second, 0b1000)):
            controller[MER], controller[IER] = 3, inputs
        gpio = Registers(board, GPIO)
        gpio[0x11C], gpio[0x128] = 1 << 31, 1
        board.probe.peripheral("gpio").set_input(0b1010)
        assert [up(board, line) for line in (GPIO_LINE, FROM_SECOND, TO_PS)] == [True] * 3
        assert (first[IVR], second[IVR]) == (0, 3)
        gpio[0x120] = 1  # toggles: the event is acknowledged
        second[IAR], first[IAR] = 0b1000, 1
        assert [up(board, line) for line in (GPIO_LINE, FROM_SECOND, TO_PS)] == [False] * 3


def test_software_makes_an_interrupt():
    with build_board(design()) as board:
        intc = Registers(board, INTC)
        intc[MER], intc[IER] = 1, 0b1000  # no hardware yet; at input 3 is nothing
        intc[ISR] = 0b1000
        assert up(board, TO_PS)
        intc[IAR] = 0b1000
        assert not up(board, TO_PS)


def test_the_driver_of_a_dma_waits_for_its_pin():
    with build_board(design()) as board:
        pool = board.memory["low"]
        source, target = (pool.allocate(64 * KIB, np.uint8) for _ in range(2))
        source[:] = noise(64 * KIB)
        receiving = board.dma("dma").s2mm.begin(np.array([[target.physical_address, 64 * KIB]], np.uint64), [target])
        board.dma("dma").mm2s.transfer(source)
        receiving.wait()
        assert np.array_equal(source, target)
        assert not board.findings


def test_who_waits_for_the_output_sees_a_dma_end():
    with build_board(design()) as board:
        intc = Registers(board, INTC)
        intc[MER], intc[IER] = 3, 0b00110
        buffer = board.memory["low"].allocate(4 * KIB, np.uint8)
        dma = Registers(board, DMA)
        for offset, value in ((0x00, 0x1001), (0x18, buffer.physical_address), (0x28, 4 * KIB)):
            dma[offset] = value
        assert board.bus.wait_interrupt(TO_PS, 1e-3)
        assert intc[IVR] == 1
        dma[0x04] = 0x1000  # DMASR.IOC_Irq
        intc[IAR] = 0b10
        assert not up(board, TO_PS)


def test_a_lost_interrupt_reaches_no_controller():
    with build_board(design()) as board:
        board.probe.faults.lose_interrupt("dma", "mm2s")
        intc = Registers(board, INTC)
        intc[MER], intc[IER] = 3, 0b00110
        buffer = board.memory["low"].allocate(4 * KIB, np.uint8)
        for offset, value in ((0x00, 0x1001), (0x18, buffer.physical_address), (0x28, 4 * KIB)):
            board.bus.write32(DMA + offset, value)
        assert not board.bus.wait_interrupt(TO_PS, 1e-3)
        assert intc[ISR] == 0


def test_an_iop_calls_the_host_through_a_controller():
    plain = pynq_z2()
    with build_board(
        replace(
            plain,
            iops=(replace(plain.iops[0], interrupt=1024),),
            peripherals=(*plain.peripherals, PeripheralSpec("intc", "axi-intc", INTC, 65, {"inputs": 1})),
            interrupt_inputs={("intc", 0): 1024},
        )
    ) as board:
        intc = Registers(board, INTC)
        intc[MER], intc[IER] = 3, 1
        board.iop(1).load("echo")
        board.iop(1).start()
        board.iop(1).mailbox[0] = 41
        assert board.bus.wait_interrupt(65, 1.0)
        board.iop(1).wait_interrupt()  # the pin, and the acknowledge
        intc[IAR] = 1
        assert not up(board, 65)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        ({("nobody", 0): 1024}, UnknownNameError, "no interrupt controller on board bench 'nobody'"),
        ({("intc", 5): 1024}, BadArgumentError, "no such input"),
        ({("gpio", 0): 1024}, BadArgumentError, "is an AXI INTC"),
        ({("intc", 0): 2048}, BadArgumentError, "lines are 0 to 2047"),
    ],
)
def test_what_cannot_be_connected(inputs, error, message):
    with pytest.raises(error, match=message):
        build_board(replace(design(), interrupt_inputs=inputs))
