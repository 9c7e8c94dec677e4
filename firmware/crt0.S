// What is in front of main(): the vectors and the way there from reset. UG984, "Reset, Interrupts, Exceptions, and Break".

// Each in a section of its own, for iop.ld puts them in their places: the linker makes branches shorter.
        .section .vector.reset, "ax"
        brai    _start
        .section .vector.user, "ax"     // what brki calls
        brai    stuck
        .section .vector.interrupt, "ax"
        brai    _interrupt_handler
        .section .vector.break, "ax"
        brai    stuck
        .section .vector.exception, "ax"
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
