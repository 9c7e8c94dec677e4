"""Random programs on our MicroBlaze and QEMU's: ``python -m tests.peers.microblaze_differential``.

Prints what was executed. Ends with 1 when there is a difference, and says which instruction makes it.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator

from .microblaze import encodings as mb
from .microblaze.breakages import replaced
from .microblaze.compare import Tally, run
from .microblaze.ours import Ours
from .microblaze.programs import LONGEST, Program, random
from .microblaze.theirs import Qemu


def drawn(seed: int, rounds: int, longest: int = LONGEST) -> Iterator[Program]:
    """Programs without end, each from the next seed."""
    return (random(number, rounds, longest) for number in itertools.count(seed))


def table(tally: Tally) -> str:
    """A few lines: seeds, counts by class, endings of branches."""
    seeds = f"seeds {tally.seeds[0]} to {tally.seeds[-1]}" if tally.seeds else "no seeds"
    counted = sum(tally.executed.values())
    lines = [
        f"{seeds}: {len(tally.seeds)} programs, {tally.rounds} rounds, {tally.instructions:,} instructions executed",
        f"of which counted by mnemonic (a round of each program): {counted:,}",
    ]
    for name, mnemonics in mb.CLASSES.items():
        counts = sorted((tally.executed[mnemonic], mnemonic) for mnemonic in mnemonics)
        fewest = ", ".join(f"{mnemonic} {count}" for count, mnemonic in counts[:3])
        lines.append(f"  {name:26}{sum(count for count, _ in counts):>9,}  fewest: {fewest}")
    taken = sum(count for (_, ending), count in tally.endings.items() if ending)
    rarest = min((tally.endings[name, ending], name, ending) for name in mb.CONDITIONAL for ending in (True, False))
    lines.append(
        f"  conditions: {taken:,} taken, {sum(tally.endings.values()) - taken:,} not; "
        f"rarest: {rarest[1]} {'taken' if rarest[2] else 'not taken'} {rarest[0]}"
    )
    lines.append(f"  exceptions: {tally.exceptions:,}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.peers.microblaze_differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first program; the next has the next")
    parser.add_argument("--instructions", type=int, default=10_000_000, help="how many to execute at least")
    parser.add_argument("--rounds", type=int, default=40, help="how often a program's body is executed")
    parser.add_argument(
        "--break",
        metavar="MNEMONIC=INSTEAD",
        dest="broken",
        help="let ours take one instruction for another, such as add=addk: that has to be found",
    )
    arguments = parser.parse_args()
    ours = Ours()
    if arguments.broken:
        mnemonic, _, instead = arguments.broken.partition("=")
        for name in (mnemonic, instead):
            if name not in mb.MNEMONICS:
                parser.error(f"--break {arguments.broken}: there is no instruction {name!r}")
        ours = Ours(replaced(mnemonic, instead))
    began = time.monotonic()
    with Qemu() as qemu:
        tally, difference = run(qemu, ours, drawn(arguments.seed, arguments.rounds), arguments.instructions)
    print(table(tally))
    print(f"differences: {1 if difference else 0}, in {time.monotonic() - began:.1f} s")
    if difference:
        print(difference)
    return 1 if difference else 0


if __name__ == "__main__":
    raise SystemExit(main())
