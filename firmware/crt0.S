// What is in front of main(): the vectors and the way there from reset. UG984, "Reset, Interrupts, Exceptions, and Break".

// A branch to another section is always two words, imm and brai: all that a vector has room for.
        .section .vectors, "ax"
        .org    0x00                    // reset
        brai    _start
        .org    0x08                    // user vector: brki to it
        brai    stuck
        .org    0x10                    // interrupt
        brai    _interrupt_handler
        .org    0x18                    // break
        brai    stuck
        .org    0x20                    // hardware exception
        brai    stuck

// Reset keeps the memory, so that what a run before left is cleared here and not only by the loader.
        .section .text.start, "ax"
        .globl  _start
_start:
        addik   r1, r0, _stack
        addik   r5, r0, _bss_begin
        addik   r6, r0, _bss_end
        bri     2f
1:      swi     r0, r5, 0
        addik   r5, r5, 4
2:      rsubk   r7, r6, r5
        bnei    r7, 1b
        brlid   r15, main
        nop

// main() does not return, and what nobody expected ends here: the host sees a processor that goes on no more, and
// r14 (interrupt), r16 (break) or r17 (exception) says where it was.
stuck:
        bri     0

        .weak   _interrupt_handler
        .set    _interrupt_handler, stuck
