"""What the rows of each side of the split hold, summed up as they are read for the first time."""

from collections.abc import Generator, Mapping
from contextlib import closing

from runner.base import Block, Part, Progress, Split
from runner.elsewhere import Then
from runner.fit.held_out import ReadBlocks
from runner.stream.content import description, digest
from runner.stream.reading import Transform
from runner.stream.stream import Stream

TRAIN, ALL = "train", "all"
MODULUS = 2**64


class Contents:
    """Sums of the contents of blocks, by part; they depend neither on chunks nor on an order.

    Parameters
    ----------
    stream : Stream
        Of the training blocks.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._sums: dict[str, tuple[int, int]] = {}

    def reading(
        self,
        name: str,
        part: Part,
        transform: Transform | None,
        *,
        ahead: bool = False,
        tolerant: bool = False,
    ) -> ReadBlocks:
        """Return what yields the blocks of a part, and sums up their contents the first time.

        Where other processes read them, ``read(then)`` yields what ``then`` makes of each there.

        Unless they are read ``ahead``, one is in this process at a time, because training blocks
        are waiting in memory meanwhile.
        """
        stream = self._stream if ahead else self._stream.one_by_one()
        source = stream.source(part, transform, tolerant=tolerant, hashed=True)

        def read(then: Then | None = None) -> Generator[Block]:
            if name in self._sums:
                return stream.in_order(source.unhashed(), then)
            return self._summed(name, stream.in_order(source, then))

        return read

    def digests(self, split: Split, progress: Progress) -> dict[str, str]:
        """Return a hash of the rows that were learned, and of each other part that was read.

        Parameters
        ----------
        split : Split
            The rows.
        progress : Progress
            Of the fit, which sums up what it learned.

        Returns
        -------
        dict of str to str
            By part, of 32 hexadecimal digits; "all" where every row was read.
        """
        learned = {TRAIN: (progress.content, progress.content_rows)}
        sums = {name: total for name, total in {**learned, **self._sums}.items() if total[1]}
        found = {
            name: digest(*total, description(part))
            for name, part in split.parts.items()
            if (total := sums.get(name)) is not None
        }
        if _is_whole(sums, split.parts):
            whole = sum(total for total, _ in sums.values()) % MODULUS
            n_rows = sum(n for _, n in sums.values())
            found[ALL] = digest(whole, n_rows, description(split.train))
        return found

    def _summed(self, name: str, blocks: Generator[Block]) -> Generator[Block]:
        total = n_rows = 0
        with closing(blocks):
            for block in blocks:
                if block.content is not None:
                    total = (total + block.content) % MODULUS
                    n_rows += block.n_rows
                yield block
                del block
        self._sums[name] = total, n_rows


def _is_whole(sums: Mapping[str, tuple[int, int]], parts: Mapping[str, Part]) -> bool:
    return all(name in sums and sums[name][1] == part.n_rows for name, part in parts.items())
