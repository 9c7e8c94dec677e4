"""The host side of a soft processor, on the virtual boards: programs, mailbox, memory, waits, and what goes wrong."""

import asyncio

import numpy as np
import pytest

import gapless
from gapless.errors import (
    AddressError,
    BadArgumentError,
    BufferInFlightError,
    IopError,
    UnknownNameError,
    WaitTimeoutError,
)
from gapless.iop import FIRMWARE, Program
from microblaze_asm import image

BOARDS = ("virtual:pynq-z2", "virtual:zcu111")


@pytest.fixture(params=BOARDS)
def board(request):
    with gapless.open(request.param) as opened:
        yield opened
        assert not opened.findings


def fill(iop, buffer, first, length):
    iop.mailbox[1] = first
    iop.mailbox[2] = length
    iop.mailbox[0] = iop.device_address(buffer, 4 * length)


class TestTutorial:
    def test_fills_the_buffer_before_the_host_goes_on(self, board):
        iop = board.iop(1)
        iop.load("tutorial")
        iop.start()
        with board.memory["ps-cma"].allocate(1000, np.int32) as buffer:
            buffer.fill(-1)
            fill(iop, buffer, 1, 10)
            assert buffer[:12].tolist() == [*range(1, 11), -1, -1]
            iop.wait_idle()
            assert iop.mailbox[0] == 0

    def test_of_a_million_words_none_is_wrong(self, board):
        iop = board.iop(1)
        iop.load("tutorial")
        iop.start()
        count = 1 << 20
        with board.memory["ps-cma"].allocate(count, np.uint32) as buffer:
            fill(iop, buffer, 0xFFFF_FF00, count)
            iop.wait_idle(timeout=2)
            assert np.array_equal(buffer.read(), np.arange(count, dtype=np.uint32) + np.uint32(0xFFFF_FF00))
        bench = board.probe.iop(1)
        assert bench.instructions > 4 * count

    def test_a_command_written_before_the_start_is_not_lost(self, board):
        iop = board.iop(1)
        iop.load("tutorial")
        with board.memory["ps-cma"].allocate(16, np.uint32) as buffer:
            fill(iop, buffer, 7, 16)
            iop.start()
            iop.wait_idle()
            assert buffer.tolist() == list(range(7, 23))

    def test_a_program_that_clears_the_mailbox_at_its_start_loses_no_command(self, board):
        """As the published one does, after some 300 instructions; even where the host does not wait for it."""
        iop = board.iop(1)
        text = "addik r3, r0, 150\n count: addik r3, r3, -1\n bnei r3, count\n imm 0\n addik r5, r0, -4096\n"
        text += "swi r0, r5, 0\n poll: lwi r4, r5, 0\n beqi r4, poll\n swi r4, r5, 4\n swi r0, r5, 0\n bri poll"
        iop.load(image(text))
        board.probe.iop(1).lag = 50e-6
        iop.start()
        iop.mailbox[0] = 7
        iop.wait_idle()
        assert iop.mailbox[1] == 7

    def test_reset_keeps_local_memory_and_load_zeroes_it(self, board):
        iop = board.iop(1)
        iop.load("tutorial")
        iop.mailbox[100] = 0x1234_5678
        iop.reset()
        assert iop.mailbox[100] == 0x1234_5678
        iop.load("tutorial")
        assert iop.mailbox[100] == 0

    def test_two_processors_share_the_memory(self):
        with gapless.open("virtual:pynq-z2") as board, board.memory["ps-cma"].allocate(20_000, np.uint32) as buffer:
            halves = buffer[:10_000], buffer[10_000:]
            for number in (1, 2):
                board.iop(number).load("tutorial")
                board.iop(number).start()
                board.probe.iop(number).lag = 1e-6  # the host does not wait for the first before it has the second
            for number, half in zip((1, 2), halves, strict=True):
                fill(board.iop(number), half, 1000 * number, len(half))
            for number in (1, 2):
                board.iop(number).wait_idle()
            assert np.array_equal(halves[0], np.arange(1000, 11_000))
            assert np.array_equal(halves[1], np.arange(2000, 12_000))
            # They ran side by side: neither began when the other had ended.
            cycles = [board.probe.iop(number).cycles for number in (1, 2)]
            assert abs(cycles[0] - cycles[1]) < 0.01 * max(cycles)


class TestTime:
    def test_a_host_that_does_not_wait_is_found_by_a_lag(self, board):
        iop = board.iop(1)
        iop.load("tutorial")
        iop.start()
        board.probe.iop(1).lag = 1e-3
        with board.memory["ps-cma"].allocate(10, np.uint32) as buffer:
            buffer.fill(0)
            fill(iop, buffer, 1, 10)
            assert not buffer.any()
            iop.wait_idle()
            assert buffer.tolist() == list(range(1, 11))

    def test_a_program_begins_when_it_is_released_and_not_before(self, board):
        iop, bench = board.iop(1), board.probe.iop(1)
        iop.load(image("count: addik r3, r3, 1\n bri count"))
        bench.lag = 2e-3
        board.bus.sleep(0.5)
        iop.start()
        board.bus.sleep(5e-3)
        # Two instructions in four cycles, of the time since its start less the lag.
        assert bench.instructions == pytest.approx(3.1e-3 * 100e6 / 2, rel=1e-2)

    def test_the_same_program_takes_the_same_time_twice(self, board):
        def run():
            with gapless.open(board.uri) as other, other.memory["ps-cma"].allocate(1000, np.uint32) as buffer:
                iop = other.iop(1)
                iop.load("tutorial")
                iop.start()
                fill(iop, buffer, 1, 1000)
                iop.wait_idle()
                bench = other.probe.iop(1)
                return other.bus.time(), bench.cycles, bench.instructions

        assert run() == run()

    @pytest.mark.parametrize("period", [100_000, 99_991, 2_000])
    def test_ticks_of_a_timer_after_a_second_are_exact(self, period):
        with gapless.open("virtual:pynq-z2") as board:
            iop = board.iop(1)
            iop.load("ticks")
            iop.start()
            iop.mailbox[0] = period
            # The timer started a few hundred cycles after the word was written: at most one period earlier than now.
            begun = board.bus.time()
            board.bus.sleep(begun + 1.0 - board.bus.time())
            assert iop.mailbox[1] == 100_000_000 // period

    def test_a_lost_processor_costs_the_host_a_limited_time(self, firmware):
        with gapless.open("virtual:pynq-z2") as board:
            iop = board.iop(1)
            iop.load(firmware("mute"))
            iop.start()
            before = board.bus.time()
            for _ in range(10):
                iop.mailbox[5] = 1
            assert board.bus.time() - before < 0.1  # it has waited a second at the start, and not again


class TestWaits:
    def test_echo_interrupts_the_host(self, board):
        iop = board.iop(1)
        iop.load("echo")
        iop.start()
        board.probe.iop(1).lag = 1e-4
        iop.mailbox[0] = 41
        iop.wait_interrupt(timeout=1)
        assert iop.mailbox[1] == 42
        with pytest.raises(WaitTimeoutError, match="interrupt"):  # it was acknowledged
            iop.wait_interrupt(timeout=1e-3)

    def test_echo_in_an_asyncio_program(self, board):
        iop = board.iop(1)
        iop.load("echo")
        iop.start()
        board.probe.iop(1).lag = 1e-4
        iop.mailbox[0] = 1

        async def program():
            await iop.interrupt(timeout=1)
            return iop.mailbox[1]

        assert asyncio.run(program()) == 2

    def test_both_idle_words_are_accepted(self, board):
        iop = board.iop(1)
        # Writes 0xDEADBEEF into word 0, as the published binary does, and stays there.
        iop.load(words(0xB000DEAD, 0x3060BEEF, 0xB0000000, 0xF860F000, 0xB8000000))
        iop.start()
        iop.wait_idle(timeout=0.01)
        assert iop.mailbox[0] == 0xDEADBEEF

    def test_a_program_that_never_answers(self, board, firmware):
        iop = board.iop(1)
        iop.load(firmware("mute"))
        iop.start()
        with pytest.raises(
            WaitTimeoutError, match=r"waited 0.02 s for it to clear its command word; it is 0x1, .*PC 0x"
        ):
            iop.command(1, timeout=0.02)

    def test_what_is_in_reset_is_not_waited_for(self, board):
        iop = board.iop(1)
        with pytest.raises(IopError, match="no program"):
            iop.start()
        iop.load("tutorial")
        with pytest.raises(IopError, match="in reset: start"):
            iop.wait_idle()
        with pytest.raises(IopError, match="in reset: start"):
            iop.command(1)


class TestMemory:
    def test_what_was_passed_cannot_be_freed_until_the_program_is_done(self, board):
        iop = board.iop(1)
        iop.load("tutorial")
        iop.start()
        board.probe.iop(1).lag = 1e-3
        buffer = board.memory["ps-cma"].allocate(10, np.uint32)
        fill(iop, buffer, 1, 10)
        with pytest.raises(BufferInFlightError, match="iop1"):
            buffer.free()
        iop.wait_idle()
        buffer.free()

    def test_stop_ends_the_use_of_a_buffer(self, board):
        iop = board.iop(1)
        iop.load("tutorial")
        buffer = board.memory["ps-cma"].allocate(10, np.uint32)
        iop.device_address(buffer)
        iop.stop()
        buffer.free()

    def test_a_length_beyond_the_buffer(self, board):
        buffer = board.memory["ps-cma"].allocate(10, np.uint32)
        with pytest.raises(BadArgumentError, match=r"44 bytes of a buffer .* that has 40"):
            board.iop(1).device_address(buffer, 44)
        assert board.iop(1).device_address(buffer.physical_address + 36, 4)
        with pytest.raises(AddressError, match="go beyond the buffer there, which has 40"):
            board.iop(1).device_address(buffer.physical_address, 44)

    def test_an_address_where_no_buffer_is(self, board):
        buffer = board.memory["ps-cma"].allocate(10, np.uint32)
        address = buffer.physical_address
        buffer.free()
        for wrong in (address, 0x1000, -4, 1 << 40):
            with pytest.raises(AddressError, match="no buffer is at"):
                board.iop(1).device_address(wrong)

    def test_memory_outside_the_window(self):
        with gapless.open("virtual:zcu111") as board:
            buffer = board.memory["pl-ddr"].allocate(10)
            with pytest.raises(AddressError, match=r"sees only 0x0 to 0x7FFF_FFFF; allocate below=0x8000_0000"):
                board.iop(1).device_address(buffer)

    def test_memory_that_is_no_dma_memory(self, board):
        with pytest.raises(BadArgumentError, match="not in DMA memory"):
            board.iop(1).device_address(np.zeros(4))


class TestWrongUse:
    def test_a_program_larger_than_the_local_memory(self, board):
        with pytest.raises(BadArgumentError, match=r"has 65540 bytes: iop1 has 65536 \(64 KiB\) of local memory"):
            board.iop(1).load(bytes(65540))
        board.iop(1).load(bytes(65536))

    @pytest.mark.parametrize("number", [0, 3, -1])
    def test_an_iop_that_is_not_in_the_design(self, number):
        with gapless.open("virtual:pynq-z2") as board, pytest.raises(UnknownNameError, match="there is 1, 2"):
            board.iop(number)

    @pytest.mark.parametrize("index", [-1, 1024, 1 << 40])
    def test_a_word_that_the_mailbox_has_not(self, board, index):
        mailbox = board.iop(1).mailbox
        for access in (lambda: mailbox[index], lambda: mailbox.write(index, [1]), lambda: mailbox.read(index, 1)):
            with pytest.raises(BadArgumentError, match="it has words 0 to 1023"):
                access()
        with pytest.raises(BadArgumentError, match="it has words 0 to 1023"):
            mailbox[index] = 1

    @pytest.mark.parametrize("value", [1 << 32, -(1 << 31) - 1, 1.5, "1", None])
    def test_what_does_not_fit_into_a_word(self, board, value):
        with pytest.raises(BadArgumentError, match="word of a mailbox"):
            board.iop(1).mailbox[0] = value

    def test_a_program_that_is_not_there(self, tmp_path):
        with pytest.raises(BadArgumentError, match=r"No such file.*programs of ours are tutorial"):
            Program.load("tutoriel")
        empty = tmp_path / "empty.bin"
        empty.touch()
        with pytest.raises(BadArgumentError, match="is empty"):
            Program.load(empty)


class TestMemoryTest:
    """firmware/memory_test.c; its words are in docs/firmware.md."""

    RESULT, PATTERN, DONE, ERRORS, BAD_PATTERN, BAD_ADDRESS, EXPECTED, FOUND = range(3, 11)
    ADDRESSES, ALL, VERIFY = 2, 7, 0x100

    def test_good_memory_has_no_errors_and_bad_memory_is_located(self, board):
        iop = board.iop(1)
        iop.load("memory_test")
        iop.start()
        with board.memory["ps-cma"].allocate(5000, np.uint32) as buffer:
            base = iop.device_address(buffer)
            iop.mailbox.write(0, [base, buffer.nbytes, 7])
            iop.command(self.ALL)
            assert iop.mailbox.read(self.RESULT, 4).tolist() == [0, 4 | self.VERIFY, 5000, 0]
            iop.command(self.ADDRESSES)
            assert np.array_equal(buffer, base + 4 * np.arange(5000))
            buffer[1234] ^= 0x10
            buffer[4321] ^= 0x20
            iop.command(self.ADDRESSES | self.VERIFY)
            address = base + 4 * 1234
            assert iop.mailbox[self.ERRORS] == 2
            assert iop.mailbox.read(self.BAD_PATTERN, 4).tolist() == [2, address, address, address ^ 0x10]


def test_every_program_of_ours_settles(board):
    for name in FIRMWARE:
        board.iop(1).load(name)
        board.iop(1).start()
        assert board.probe.iop(1).state == "settled", name


def words(*opcodes):
    return np.array(opcodes, "<u4").tobytes()
