"""The native core. See native/ for the sources."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from .bus import RegisterBus

class HostMemory:
    """A sparse, zeroed range of ``size`` bytes of host memory; a page costs nothing until it is written.

    Offsets and sizes are in bytes; a range that leaves the memory raises IndexError. RuntimeError when
    the host refuses the size.

    With ``descriptor`` it is the ``size`` bytes from ``offset`` (whole pages) on of an open file, shared with whoever
    else maps it; the file may be closed. ValueError when it has not so many. It must not become shorter, and
    :meth:`discard` leaves it as it is.
    """

    @overload
    def __init__(self, size: int) -> None: ...
    @overload
    def __init__(self, descriptor: int, offset: int, size: int) -> None: ...
    @property
    def size(self) -> int:
        """Bytes."""
    @property
    def resident(self) -> int:
        """Bytes that the host has really given."""
    def view(self, offset: int, nbytes: int, owner: object) -> NDArray[np.uint8]:
        """The bytes, shape (nbytes,), not copied; they keep this memory and ``owner`` alive."""
    def discard(self, offset: int, nbytes: int) -> None:
        """Give the whole pages inside the range back to the host; they read zero afterwards."""
    def advise_huge(self, offset: int, nbytes: int) -> None:
        """Let the host use huge pages inside the range: for large buffers that are filled at once."""

class WindowedMemory:
    """``size`` bytes at offset ``base`` of a descriptor (of /dev/mem: that physical address), mapped in windows.

    It lies at one place, where at first nothing is mapped: an access before ``reach`` ends the process. All numbers
    are in bytes; ``base`` and ``size`` are whole pages, ``window`` is a power of two. The descriptor is duplicated.
    ValueError for numbers that cannot be, IndexError for a range that leaves the memory, OSError with the system's
    errno when it refuses. Every method may be called from any thread.
    """

    def __init__(self, descriptor: int, base: int, size: int, window: int = 1 << 26) -> None: ...
    @property
    def size(self) -> int:
        """Bytes."""
    @property
    def mapped(self) -> int:
        """Bytes that are mapped now."""
    def view(self, offset: int, nbytes: int, owner: object) -> NDArray[np.uint8]:
        """The bytes, shape (nbytes,), not copied, mapped or not; they keep this memory and ``owner`` alive."""
    def reach(self, offset: int, nbytes: int) -> None:
        """Map the windows that the range is in. When that fails, those mapped so far stay."""
    def discard(self, offset: int, nbytes: int) -> None:
        """Unmap the windows that lie wholly inside the range. Nobody may use the range meanwhile."""

class FreeList:
    """Which parts of [base, base + size) are free: first fit, in order of address. Not thread safe.

    ``granularity`` (a power of two) divides ``base`` and ``size``; sizes are rounded up to it. Arguments
    that cannot be raise ValueError.
    """

    def __init__(self, base: int, size: int, granularity: int) -> None: ...
    def allocate(self, size: int, align: int, limit_end: int = ...) -> int | None:
        """The lowest multiple of ``align`` with ``size`` bytes free that end at or below ``limit_end``."""
    def allocate_at(self, address: int, size: int) -> bool:
        """Take exactly this range; False when any of it is taken or outside."""
    def release(self, address: int, size: int) -> None:
        """Give an allocated range back; ValueError when any of it is free already or outside."""
    def largest_free(self, limit_end: int = ...) -> int:
        """Bytes of the largest free stretch that ends at or below ``limit_end``."""
    def blocks(self) -> list[tuple[int, int]]:
        """The free blocks as (address, size), in order of address."""
    @property
    def total(self) -> int:
        """Bytes."""
    @property
    def free(self) -> int:
        """Bytes."""
    @property
    def block_count(self) -> int:
        """Free blocks; 1 when nothing is allocated."""

class Mapping:
    """The bytes of an array (uint8, shape (n,), contiguous) as a pool cuts them up."""

    def __init__(self, array: NDArray[np.uint8]) -> None: ...
    @property
    def pointer(self) -> int:
        """Where byte 0 is."""
    def extent(self, offset: int, nbytes: int) -> Extent:
        """A part; IndexError when it leaves the mapping."""

class Extent:
    """Writable bytes, exported by the buffer protocol; keeps what it is mapped from. Can be referred to weakly."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

def device_write(device: memoryview | NDArray[Any], from_: memoryview | NDArray[Any]) -> None:
    """Copy bytes to Device memory, by aligned accesses only; both sides are of one length."""

def device_read(to: memoryview | NDArray[Any], device: memoryview | NDArray[Any]) -> None:
    """Copy bytes from Device memory, by aligned accesses only; both sides are of one length."""

def device_fill(device: memoryview | NDArray[Any], pattern: bytes) -> None:
    """Write ``pattern`` again and again from the first byte on, by aligned accesses only."""

class PinnedPages:
    """Pages of a file at consecutive addresses, in the order of ``offsets``, ``page`` bytes at each, present.

    What the kernel refuses is an OSError; a range that leaves the mapping, or any after close(), an IndexError.
    """

    def __init__(self, file: int, page: int, offsets: list[int]) -> None: ...
    def pin(self) -> None:
        """Take a long-term pin, by io_uring: from now on the kernel does not move them."""
    @property
    def pinned(self) -> bool: ...
    @property
    def size(self) -> int:
        """Bytes."""
    @property
    def pointer(self) -> int:
        """Where byte 0 is."""
    def view(self, offset: int, nbytes: int, owner: object) -> NDArray[np.uint8]:
        """The bytes, shape (nbytes,), not copied. They must not be touched after close()."""
    def sync_to_device(self, offset: int, nbytes: int) -> None:
        """``dc cvac`` on every line of it."""
    def sync_from_device(self, offset: int, nbytes: int) -> None:
        """``dc civac`` on every line of it."""
    def close(self) -> None:
        """Unpin and unmap; a second call does nothing."""

def mount_hugetlbfs(directory: str, page_size: int) -> None:
    """Mount a hugetlbfs of pages of ``page_size`` bytes; OSError."""

def allocate_pages(file: int, offset: int, nbytes: int) -> None:
    """Put pages into a file (fallocate(2)), zeroed; OSError, ENOSPC when there are none left."""

def give_back_pages(file: int, offset: int, nbytes: int) -> None:
    """Take pages out of a file (FALLOC_FL_PUNCH_HOLE); OSError."""

def cache_clean(bytes_: NDArray[np.uint8]) -> None:
    """Write back what the CPU wrote (``dc cvac``), so that devices see it; nothing to do on x86-64."""

def cache_clean_invalidate(bytes_: NDArray[np.uint8]) -> None:
    """Write back and drop (``dc civac``), so that the CPU sees what devices wrote; nothing to do on x86-64."""

def cache_needs_maintenance() -> bool:
    """False where both do nothing."""

def data_pointer(array: NDArray[Any]) -> int:
    """Address of the first element, as ``array.__array_interface__`` has it, in a tenth of the time."""

def install_buffer_method(cls: type[Any]) -> None:
    """Make the buffer protocol of ``cls`` call its ``__buffer__``, as Python 3.12 does by itself."""

class Bus:
    """The native register bus of one actor (thread of control); see :class:`gapless.bus.RegisterBus`."""

    def read32(self, address: int) -> int: ...
    def write32(self, address: int, value: int) -> None: ...
    def wait_interrupt(self, line: int, timeout: float) -> bool: ...
    def write_words(self, address: int, words: NDArray[np.uint32]) -> None:
        """Write the words, shape (n,), to consecutive registers from ``address`` on, in order."""
    def read_words(self, address: int, count: int) -> NDArray[np.uint32]:
        """The ``count`` words from ``address`` on, in order."""
    def time(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...
    def cancel(self) -> None:
        """Make the call that waits, and every later one, raise BoardClosedError. Any thread may."""

class MmioBus(Bus):
    """The bus of a real board: mapped registers, interrupts by UIO or by polling, real time from 0 on."""

    def __init__(self) -> None: ...
    def add_window(self, base: int, registers: NDArray[np.uint8]) -> None:
        """Registers at physical ``base``: the bytes of a mapping, kept as long as the bus or a job on it.

        ValueError when they are not whole 32-bit registers or overlap another window.
        """
    def add_uio_line(self, number: int, descriptor: int) -> None:
        """Interrupt ``number`` is that of an open /dev/uioN; the descriptor is duplicated and made non-blocking.

        ValueError when the number is taken, RuntimeError when the descriptor cannot be used.
        """
    def add_polled_line(self, number: int, address: int, mask: int) -> None:
        """Interrupt ``number`` is up while a bit of ``mask`` is set in the register at ``address``."""

def python_bus(target: RegisterBus) -> Bus:
    """A bus whose accesses are the methods of ``target``; see :func:`gapless.bus.native_bus`."""

class IicTarget:
    """What an IIC master talks to."""

class SpiTarget:
    """What an SPI master talks to."""

class Adt7420(IicTarget):
    """The temperature sensor of a Pmod TMP2 (Analog Devices, ADT7420 data sheet); there its IIC address is 0x4B."""

    def __init__(self) -> None: ...
    @property
    def temperature(self) -> float:
        """Degrees Celsius, in steps of 1/128; 25 at first. May be set while a program reads it."""
    @temperature.setter
    def temperature(self, celsius: float) -> None: ...

class Ssd1306(SpiTarget):
    """The display of a Pmod OLED, 128 by 32 pixels (Solomon Systech, SSD1306 data sheet)."""

    def __init__(self) -> None: ...
    @property
    def data(self) -> bool:
        """The data/command line: bytes are data for the picture while it is high."""
    @data.setter
    def data(self, level: bool) -> None: ...
    def pixels(self) -> NDArray[np.uint8]:
        """What one sees, a copy of shape (32, 128): 1 for a lit pixel, upper left first; all 0 while it is off."""

class PythonIicTarget(IicTarget):
    """An object with ``start(reading) -> bool``, ``write(byte) -> bool``, ``read() -> int`` and ``stop()``.

    False is no acknowledge. The methods are called while time stands still, and must not touch the board.
    """

    def __init__(self, target: object) -> None: ...

class PythonSpiTarget(SpiTarget):
    """An object with ``exchange(byte) -> int``, which must not touch the board."""

    def __init__(self, target: object) -> None: ...

class Peripheral:
    """A peripheral of a virtual board, or on a bench. Its subclasses say what can be done from outside."""

    @property
    def interrupt(self) -> bool:
        """The level of its interrupt output."""

class Gpio(Peripheral):
    """AXI GPIO (PG144). ``channel`` is 0 or 1; IndexError for others."""

    def set_input(self, levels: int, channel: int = 0) -> None:
        """What comes in: a bit for each pin."""
    def output(self, channel: int = 0) -> int:
        """What goes out: a bit for each pin, 0 where it is an input."""
    def connect_data_line(self, pin: int, display: Ssd1306, channel: int = 0) -> None:
        """The pin drives the display's data/command line from now on."""

class Timer(Peripheral):
    """AXI Timer (PG079)."""

    def set_capture(self, level: bool, timer: int = 0) -> None:
        """The capture input of timer 0 or 1; a rising edge captures."""
    @property
    def pwm0(self) -> bool:
        """The level of its PWM output."""

class Intc(Peripheral):
    """AXI Interrupt Controller (PG099)."""

    def set_input(self, input: int, level: bool) -> None: ...

class Uart(Peripheral):
    """AXI UART Lite (PG142)."""

    def put(self, data: bytes) -> None:
        """Bytes for its receiver, one after the other at the baud rate."""
    def take(self) -> bytes:
        """What it has sent since the last call."""

class Iic(Peripheral):
    """AXI IIC (PG090)."""

    def attach(self, address: int, target: IicTarget | None) -> None:
        """``target`` answers at the 7-bit ``address`` from now on, or nobody. ValueError for a wider address."""

class Spi(Peripheral):
    """AXI Quad SPI (PG153)."""

    def attach(self, target: SpiTarget | None, slave: int = 0) -> None:
        """Slave select line ``slave`` is this target's from now on, or nobody's. IndexError without such a line."""

class Registers(Peripheral):
    """Plain registers: a pin switch, an XADC."""

    def set(self, word: int, value: int) -> None: ...

class HostInterrupt(Peripheral):
    """The latch by which an IOP interrupts the host."""

    def set_acknowledge(self, level: bool) -> None:
        """High clears the latch, and keeps it clear."""

class PsGpio(Peripheral):
    """The GPIO controller of the PS; its pins are numbered through all banks."""

    @property
    def first_emio_pin(self) -> int: ...
    @property
    def pin_count(self) -> int: ...
    def output(self, pin: int) -> bool: ...
    def set_input(self, pin: int, level: bool) -> None: ...

class PeripheralBench:
    """One peripheral alone, for tests: its registers at offsets in bytes, and a clock in picoseconds from 0 on.

    Kinds: axi-gpio, axi-timer, axi-intc, uart-lite, axi-iic, quad-spi, pin-switch, xadc, host-interrupt, ps-gpio-7000
    and ps-gpio-mp. ValueError for others, and for a parameter that does not exist or a value that cannot be.
    """

    def __init__(self, kind: str, parameters: dict[str, float] = {}) -> None: ...
    def read(self, offset: int) -> int: ...
    def write(self, offset: int, value: int) -> None: ...
    def reset(self) -> None:
        """Its reset line, for a moment."""
    def advance(self, picoseconds: int) -> None:
        """Let time pass; what is due happens at its time."""
    def steady(self, offset: int) -> bool:
        """Whether reading this register again, with nothing else between, gives the same and does nothing."""
    def drive(self, controller: PeripheralBench, input: int) -> None:
        """The interrupt drives that input of an axi-intc from now on."""
    @property
    def now(self) -> int:
        """Picoseconds."""
    @property
    def due(self) -> int | None:
        """When the peripheral acts next by itself."""
    @property
    def interrupt(self) -> bool:
        """The level of its interrupt output."""
    @property
    def edges(self) -> list[int]:
        """When its interrupt output rose; a pulse of one cycle counts."""
    @property
    def peripheral(self) -> Any:
        """It as its kind: a :class:`Gpio`, :class:`Timer` ..."""

class Parts:
    """Devices that come and go together, known by the number that add_*() gave.

    Nothing acts before :meth:`Machine.load`; when another design took their place nothing does any more, and what is
    done to them is harmless. Interrupts are lines 0 to 2047, or -1.
    """

    def add_memory(self, base: int, size: int, memory: HostMemory, offset: int, kind: int, guarded: bool) -> None:
        """``size`` bytes of ``memory`` from ``offset`` on, at physical ``base``; ``kind`` (0 to 3) selects the port.

        In guarded memory DMA outside an allocated buffer is a finding.
        """
    def add_dma(
        self,
        base: int,
        name: str,
        scatter_gather: bool,
        length_width: int,
        address_width: int,
        data_bytes: int,
        realignment: bool,
        clock: float,
        mm2s_interrupt: int,
        s2mm_interrupt: int,
        ports: list[int],
        memory_bytes: int = 0,
        reach: Sequence[tuple[int, int]] = (),
    ) -> int:
        """An AXI DMA with registers at ``base``; a port for each kind of memory.

        ``memory_bytes``: of its memory side, where that is wider; ``reach``: the (base, size) ranges that it sees.
        """
    def add_zdma(self, base: int, name: str, bus_bytes: int, interrupt: int, ports: list[int]) -> int:
        """A channel of the PS's DMA with registers at ``base``; a port for each kind of memory."""
    def add_dac(self, base: int, samples_per_beat: int, fifo_bytes: int) -> int: ...
    def add_adc(self, base: int, samples_per_beat: int, fifo_bytes: int) -> int: ...
    def add_splitter(self, base: int, dacs: list[int]) -> int:
        """One stream for 2, 4 or 8 DACs, and their common registers at ``base``."""
    def add_combiner(self, base: int, adcs: list[int]) -> int:
        """2, 4 or 8 ADCs on one stream, and their common registers at ``base``."""
    def connect_dac(self, dma: int, dac: int) -> None: ...
    def connect_adc(self, dma: int, adc: int) -> None: ...
    def connect_splitter(self, dma: int, splitter: int) -> None: ...
    def connect_combiner(self, dma: int, combiner: int) -> None: ...
    def connect_fifo(self, mm2s_dma: int, s2mm_dma: int, depth: int) -> None:
        """A stream FIFO of ``depth`` bytes from one DMA's MM2S to one DMA's S2MM."""
    def set_adc_counter(self, adc: int) -> None: ...
    def set_adc_waveform(self, adc: int, samples: NDArray[np.uint8]) -> None:
        """Little-endian int16 samples, copied, repeated for ever."""
    def set_adc_loopback(self, adc: int, dac: int) -> None: ...
    def set_tap(self, dac: int, callback: Callable[[memoryview], object] | None) -> None: ...
    def flush_tap(self, dac: int) -> None: ...
    def set_stalled(self, dma: int, channel: str, stalled: bool) -> None: ...
    def set_interrupt_lost(self, dma: int, channel: str, lost: bool) -> None: ...
    def set_zdma_interrupt_lost(self, zdma: int, lost: bool) -> None: ...
    def add_iop(
        self,
        base: int,
        name: str,
        units: list[str],
        clock: float,
        local_bytes: int,
        window_base: int,
        window_bytes: int,
        window_physical: int,
        memory_cycles: int,
        peripheral_cycles: int,
    ) -> int:
        """A soft processor whose local memory the host has at ``base``; held in reset."""
    def add_peripheral(self, base: int, kind: str, parameters: dict[str, float], line: int) -> Peripheral:
        """On the host's bus; its interrupt is ``line``, or -1. ValueError says what there is."""
    def add_iop_peripheral(self, iop: int, base: int, kind: str, parameters: dict[str, float]) -> Peripheral:
        """On the bus of a soft processor."""
    def connect_interrupt(self, controller: Peripheral, input: int, source: Peripheral) -> None:
        """The interrupt of ``source`` to an input of an AXI INTC."""
    def connect_line(self, controller: Peripheral, input: int, line: int) -> None:
        """An input of an AXI INTC on the host's bus follows an interrupt line of these parts."""
    def connect_iop_reset(self, iop: int, gpio: Peripheral, pin: int) -> None:
        """A pin of the PS's GPIO, counted from the first that leads to the PL, holds it in reset."""
    def connect_iop_controller(self, iop: int, controller: Peripheral) -> None:
        """What interrupts it."""
    def connect_iop_caller(
        self, iop: int, caller: Peripheral, gpio: Peripheral, acknowledge_pin: int, line: int
    ) -> None:
        """How it interrupts the host: by ``line``, until a pin of the PS's GPIO acknowledges."""
    def iop_fault(self, iop: int) -> tuple[str, int, int, int, str] | None:
        """(kind, pc, opcode, address, text) when it has stopped."""
    def iop_state(self, iop: int) -> tuple[str, int, int, int]:
        """("held", "running", "settled" or "faulted", pc, cycles, instructions)."""
    def iop_lag(self, iop: int) -> float: ...
    def set_iop_lag(self, iop: int, seconds: float) -> None: ...
    def observe_iop(self, iop: int, keep: str, limit: int) -> ExecutionLog:
        """From now on its instructions are logged; ``keep``: "nothing", "stores", "accesses" or "everything"."""
    def forget_iop(self, iop: int) -> None:
        """No longer."""
    def add_ip(self, base: int, size: int, name: str, line: int) -> IpHandle:
        """An IP with ``size`` bytes of registers, which keep what is written; its interrupt is ``line``, or -1."""
    def connect_ip_input(self, ip: IpHandle, dma: int) -> None:
        """Give it one more input, which takes what a DMA's MM2S sends; inputs have the numbers 0, 1, ..."""
    def connect_ip_output(self, ip: IpHandle, dma: int) -> None:
        """Give it one more output, which a DMA's S2MM takes from; outputs have the numbers 0, 1, ..."""

class Machine(Parts):
    """The models of a virtual board on one clock. As parts, what is always there.

    ``read_cost`` and ``write_cost`` are what a register access takes, in seconds. ``slowdown`` above 0: the CPU
    time that software spends between two accesses passes on the clock, too, that many times over.
    """

    def __init__(self, read_cost: float, write_cost: float, slowdown: float = 0.0) -> None: ...
    def add_port(self, bandwidth: float) -> int:
        """A path to memory, in bytes per second."""
    def make_parts(self) -> Parts:
        """For :meth:`load`, with nothing in them."""
    def load(self, parts: Parts) -> None:
        """From now on these are in the PL, with their memory; what was there before is on the bus no more.

        Who waits for an interrupt of that gets BusAccessError. ValueError for parts that were loaded before.
        """
    def bus(self) -> Bus:
        """A bus for a new actor, at the present time."""
    def allocated(self, address: int, nbytes: int) -> None: ...
    def released(self, address: int, nbytes: int) -> None: ...
    def findings(self) -> list[tuple[float, str, str, int]]:
        """(time in seconds, kind, text, address)."""
    def add_slave_error(self, address: int, nbytes: int) -> None: ...
    def clear_slave_errors(self) -> None: ...
    def set_port_speed(self, port: int, fraction: float) -> None: ...
    def follow_wall_clock(self) -> None:
        """Time passes, too, while nobody touches the bus: as much as on the wall."""
    def stop_wall_clock(self) -> None: ...

class IpHandle:
    """An IP of a board, as a model of it sees it. It keeps neither: BoardClosedError when they are gone.

    Every method may be called from any thread, also while the board calls the model; from another board's callback
    BusAccessError.
    """

    def bind(self, model: object, reads: bool, writes: bool) -> None:
        """Ask ``model`` from now on; for registers where they are not plain. The board keeps it."""
    def unbind(self) -> None:
        """Ask nobody."""
    def time(self) -> float: ...
    def word(self, offset: int) -> int: ...
    def set_word(self, offset: int, value: int) -> None: ...
    def set_interrupt(self, level: bool) -> None: ...
    def interrupt(self) -> bool: ...
    def start_timer(self, delay: float) -> int:
        """The model's ``answer_timer`` is called with this number when ``delay`` seconds have passed."""
    def set_input_rate(self, input: int, rate: float) -> None:
        """Bytes per second; 0: no limit."""
    def set_chunk(self, input: int, nbytes: int) -> None:
        """How much the model is given at once; 0: whole packets."""
    def set_longest(self, input: int, nbytes: int) -> None:
        """With a longer packet, in one piece, the model stops."""
    def set_ready(self, input: int, ready: bool) -> None: ...
    def set_output_rate(self, output: int, rate: float) -> None:
        """Bytes per second, of what is sent from now on; 0: no limit."""
    def set_depth(self, output: int, nbytes: int) -> None: ...
    def pending(self, output: int) -> int: ...
    def send(self, output: int, data: NDArray[np.uint8], last: bool, delay: float) -> None: ...

class ExecutionLog:
    """What a soft processor did."""

    def records(self) -> NDArray[np.uint64]:
        """Shape (n, 8): cycle, PC, opcode, access (0 none, 1 load, 2 store), its bytes, address, value; result."""
    @property
    def dropped(self) -> int:
        """Records beyond the limit."""
    def counts(self) -> NDArray[np.uint64]:
        """How often the instruction at each word of local memory was executed."""
    def cycles(self) -> NDArray[np.uint64]:
        """How many cycles it took, in all."""

class Plan:
    """Pieces to move: uint64 arrays of shape (n, 2), rows (address, length).

    Each piece is a packet of its own, or all together are ``one_packet`` (scatter-gather).
    """

    def __init__(self, pass_: NDArray[np.uint64], repeat: int, rest: NDArray[np.uint64], one_packet: bool) -> None: ...
    def after(self, pieces: int) -> Plan:
        """What is left when that many pieces are done."""
    @property
    def size(self) -> int:
        """Pieces in all."""

class ChannelPort:
    """Where a DMA channel's registers and interrupt are; ``wide``: it has the _MSB registers."""

    def __init__(self, registers: int, interrupt: int, wide: bool, receive: bool) -> None: ...

class LoopOptions:
    """Seconds: for one piece, of lateness at every re-arm, of the engine's own start-up, between two looks.

    ``poll`` is for a ring whose descriptors do not all end a packet; 0 where interrupts tell of each.
    """

    def __init__(self, timeout: float, software_delay: float, start_latency: float, poll: float) -> None: ...

class Scheduling:
    """``priority`` of SCHED_FIFO, 1 to 99 (0: as everybody), and the only ``cpu`` to run on (-1: any)."""

    def __init__(self, priority: int = 0, cpu: int = -1) -> None: ...

class LoopResult:
    """How a loop ended: ``outcome`` is done, dma-error, timeout, cancelled, bus-fault or io-error.

    ``status`` is DMASR, or the system's error number; ``rearm_longest`` in seconds.
    """

    @property
    def outcome(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def transfers(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def address(self) -> int: ...
    @property
    def message(self) -> str: ...
    @property
    def rearm_longest(self) -> float: ...

class BlockQueue:
    """``count`` blocks of memory, ``stride`` bytes apart from physical ``base`` on, that go round.

    The user has each at first; ``limit``: close after so many were given, and keep what is given later (0: never).
    """

    def __init__(self, bus: Bus, base: int, stride: int, count: int, limit: int) -> None: ...
    def give(self, block: int, nbytes: int) -> None:
        """Hand a block to the engine."""
    def take(self, timeout: float) -> tuple[str, int, int, int]:
        """The oldest block that the engine is done with: (state, block, bytes moved, number of the use).

        ``state`` is "block", "nothing" after ``timeout`` seconds of bus time, or "ended".
        """
    def close(self) -> None:
        """Nothing more will be given."""
    def end(self) -> None:
        """Nothing more will be moved."""
    def retire(self) -> None:
        """No job has it any more: give back what it takes of the bus."""
    def settle(self, pieces: int) -> None:
        """The engine has moved so many since the present job began, whatever the job saw."""
    @property
    def given(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def marks(self) -> tuple[int, int, int]:
        """Fewest and most blocks with the engine, and how often it had none to go on with."""

class Job:
    """A streaming loop in a native thread."""

    def wait(self, seconds: float) -> bool:
        """Wait at most that much real time; True when it has ended."""
    def stop_waiting(self) -> None:
        """After a wait that was given up: others wait for who waited here again."""
    def cancel(self) -> None:
        """End it; returns when it has ended."""
    @property
    def ended(self) -> bool: ...
    @property
    def bytes(self) -> int: ...
    @property
    def refused(self) -> str:
        """What the system refused of the scheduling asked for, and why; empty when nothing."""
    @property
    def result(self) -> LoopResult: ...

def start_direct(
    bus: Bus, port: ChannelPort, moved: Plan | BlockQueue, options: LoopOptions, scheduling: Scheduling = ...
) -> Job:
    """Move a plan, or what a queue is given, in direct mode; the channel runs with its interrupts enabled."""

class Access(Enum):
    """How native code gets at memory: as any, past caches that hide it, or by aligned accesses only."""

    PLAIN = ...
    CACHED = ...
    DEVICE = ...

def start_ring(
    bus: Bus,
    port: ChannelPort,
    memory: NDArray[np.uint8],
    base: int,
    moved: Plan | BlockQueue,
    control: int,
    options: LoopOptions,
    scheduling: Scheduling = ...,
    access: Access = ...,
) -> Job:
    """Move it through a ring of descriptors in ``memory`` (physical ``base``); the channel is halted."""

def start_writer(
    bus: Bus,
    queue: BlockQueue,
    memory: NDArray[np.uint8],
    stride: int,
    block_bytes: int,
    descriptor: int,
    busy: float,
    access: Access = ...,
) -> Job:
    """Write the blocks of a receiving queue to a file descriptor, and give each back after ``busy`` bus seconds."""

def kernel_names() -> list[str]:
    """The variants of the sample kernels that this machine can run, the best one last."""

class Kernels:
    """The sample kernels as compiled for one instruction set; all variants give the same bits.

    Arrays are contiguous and aligned, and outputs overlap nothing (the caller sees to that); sizes that do not
    fit raise ValueError.
    """

    def __init__(self, name: str) -> None: ...
    @property
    def name(self) -> str: ...
    def interleave(self, out: NDArray[np.int16], channels: list[NDArray[np.int16]]) -> None: ...
    def deinterleave(self, out: list[NDArray[np.int16]], stream: NDArray[np.int16]) -> None: ...
    def pack12(self, out: NDArray[np.uint16], samples: NDArray[np.int16]) -> None: ...
    def unpack12(self, out: NDArray[np.int16], words: NDArray[np.uint16]) -> None: ...
    def align14(self, out: NDArray[np.int16], values: NDArray[np.int16]) -> None: ...
    def unalign14(self, out: NDArray[np.int16], samples: NDArray[np.int16]) -> None: ...
    def quantise(self, out: NDArray[np.int16], values: NDArray[np.float32] | NDArray[np.float64]) -> bool:
        """False when a value is NaN."""
    def dither(
        self, out: NDArray[np.int16], values: NDArray[np.float32] | NDArray[np.float64], key: int, start: int
    ) -> bool:
        """False when a value is NaN."""
    def counter(self, out: NDArray[np.int16], first: int) -> None:
        """Write first, first + 1, ..; TypeError when ``out`` is not contiguous."""
    def step_break(self, samples: NDArray[np.int16], start: int, step: int) -> int:
        """The first index above ``start`` whose sample is not ``step`` above the one before, or their number."""

class Tones:
    """A sum of sines: rows of (step high, step low, phase high, phase low, scale).

    Step and phase are in units of 2**-128 turn, cut into two words; the scales add up to at most 32767.
    """

    def __init__(self, tones: list[tuple[int, int, int, int, float]]) -> None: ...
    def fill(
        self, kernels: Kernels, out: NDArray[np.int16] | NDArray[np.float32] | NDArray[np.float64], start: int
    ) -> None: ...

def copy_to_aligned(device: NDArray[np.uint8], data: NDArray[np.uint8]) -> None:
    """Copy with aligned 64-bit accesses of ``device`` only."""

def copy_from_aligned(out: NDArray[np.uint8], device: NDArray[np.uint8]) -> None:
    """Copy with aligned 64-bit reads of ``device`` only."""

class MicroBlaze:
    """A MicroBlaze alone on a bench: local memory, one window of plain memory, an error from everywhere else.

    Little-endian, without memory management unit and caches. ``local_bytes`` is a power of two; the memory lies at
    address 0 of both sides. ``multiplier`` is "none", "mul32" or "mul64". ``memory`` lies at ``memory_base`` of the
    data side. ValueError for arguments that cannot be. Source: UG984. Not thread safe.
    """

    def __init__(
        self,
        local_bytes: int = 65536,
        *,
        multiplier: str = "none",
        barrel_shifter: bool = False,
        divider: bool = False,
        pattern_compare: bool = False,
        msr_instructions: bool = False,
        reorder: bool = True,
        illegal_opcode_exception: bool = False,
        unaligned_exceptions: bool = False,
        bus_exceptions: bool = False,
        divide_exception: bool = False,
        memory: HostMemory | None = None,
        memory_base: int = 0x2000_0000,
    ) -> None: ...
    @property
    def local(self) -> NDArray[np.uint8]:
        """Local memory, shape (local_bytes,), not copied. Follow a write to it with :meth:`local_written`."""
    def local_written(self, address: int, nbytes: int) -> None:
        """What was decoded of these bytes is stale. IndexError outside local memory."""
    def write_local(self, address: int, data: bytes) -> None:
        """Write local memory. IndexError outside it."""
    @property
    def registers(self) -> list[int]:
        """r0 to r31."""
    def set_register(self, number: int, value: int) -> None:
        """IndexError for another than r0 to r31; r0 stays 0."""
    @property
    def pc(self) -> int:
        """The instruction that is executed next; written, a branch or an imm before it is forgotten."""
    @pc.setter
    def pc(self, value: int) -> None: ...
    @property
    def msr(self) -> int:
        """Machine Status Register; of what is written, bits of units that are not there stay 0."""
    @msr.setter
    def msr(self, value: int) -> None: ...
    @property
    def esr(self) -> int:
        """Exception Status Register."""
    @property
    def ear(self) -> int:
        """Exception Address Register."""
    @property
    def btr(self) -> int:
        """Branch Target Register."""
    @property
    def cycle(self) -> int:
        """Clock cycles that have passed."""
    @property
    def instructions(self) -> int:
        """Instructions executed."""
    @property
    def interrupt(self) -> bool:
        """The level of the interrupt line."""
    @interrupt.setter
    def interrupt(self, level: bool) -> None: ...
    def wake(self) -> None:
        """Something that it can load changed: what looked settled may not be."""
    @property
    def fault(self) -> tuple[str, int, int, int, str] | None:
        """What stopped it: ("illegal_opcode", "unaligned", "data_bus", "instruction_bus" or "refused", PC, opcode,
        address, one line of text)."""
    def run(self, cycles: int) -> str:
        """Run for at most so many more cycles (the last instruction may go beyond).

        "limit": they have passed. "settled": it goes round a loop that nothing in itself will end, and a whole round
        fits in what is left; or it sleeps. "fault": see :attr:`fault`. "yielded": the data bus asked for it.
        """
    def step(self, count: int = 1) -> str:
        """Execute exactly ``count`` instructions, or as many as it can before it sleeps or faults. As :meth:`run`."""
    def pass_(self, cycles: int) -> None:
        """When settled: go on by as many whole rounds of the loop as fit in so many cycles."""
    def delay(self, cycles: int) -> None:
        """Let so many cycles pass in which nothing is executed."""
    def reset(self) -> None:
        """PC and all registers are 0; memory, :attr:`cycle` and :attr:`instructions` keep what they have."""
    def trace(self, limit: int) -> list[tuple[int, int, int, str, int, int, int, int]]:
        """As :meth:`step`; what each instruction did: (cycle at which it began, PC, opcode, "load", "store" or "",
        bytes, address and value of the access, what rd has now or 0)."""

def disassemble_microblaze(opcode: int, address: int, prefix: int = -1) -> str:
    """One instruction in the notation of GNU objdump; ``prefix``: the 16 bits of an ``imm`` before it, or -1."""
