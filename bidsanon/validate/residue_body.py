"""Searches bytes of no known form: as text or as other bytes, and what is packed within them."""

from __future__ import annotations

from collections.abc import Iterator

from bidsanon.validate.residue_needles import Context
from bidsanon.validate.residue_pieces import Piece, end_of, is_binary
from bidsanon.validate.residue_sealed import Seals
from bidsanon.validate.residue_unpack import DEEPEST, TEXT_COSTS, Budget, NotSearchableError
from bidsanon.validate.residue_within import Opened, Within, without_long_runs


class Body:
    """Bytes that go by chunk by chunk.

    Parameters
    ----------
    budget
        What is left to unpack.
    problems
        Is told why something within cannot be searched.
    depth
        In how much it is packed.
    context
        What kind of content it is; None: it is told from each chunk.
    place
        Where it stands within the file.
    offset
        Where it begins within the file; None where that says nothing.
    skipped
        Where members of a ZIP archive begin that are searched already.
    seals
        Marks of what cannot be searched.
    """

    def __init__(
        self,
        budget: Budget,
        problems: list[str],
        depth: int,
        *,
        context: Context | None = None,
        place: tuple[str, ...] = (),
        offset: int | None = 0,
        skipped: frozenset[int] = frozenset(),
        seals: Seals | None = None,
    ) -> None:
        if depth > DEEPEST:
            raise NotSearchableError(f"it is packed more than {DEEPEST} times over")
        self._budget = budget
        self._problems = problems
        self._depth = depth
        self._context = context
        self._place = place
        self._offset = offset
        self._seals = seals or Seals()
        self._within = Within(budget, problems, skipped)
        self._inner: dict[int, tuple[Opened, Body]] = {}
        self._tail = b""

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """Take what follows, and yield what is to be searched."""
        yield from self.written(chunk)
        yield from self.within(chunk)

    def written(self, chunk: bytes) -> Iterator[Piece]:
        """Take what follows, and yield only what stands there as it is."""
        if chunk.strip(b"\0"):
            joined = self._tail + chunk
            yield from self._pieces(joined, chunk)
            self._tail = end_of(joined)
            self._problems += self._seals.problems(joined)
        else:
            self._tail = b""
        if self._offset is not None:
            self._offset += len(chunk)

    def within(self, chunk: bytes) -> Iterator[Piece]:
        """Take what follows, and yield only what is packed within it."""
        for opened, content in self._within.find(chunk):
            yield from self._into(opened, content)
        self._inner = {key: one for key, one in self._inner.items() if not one[0].is_over}

    def _pieces(self, joined: bytes, chunk: bytes) -> Iterator[Piece]:
        begin = None if self._offset is None else self._offset - len(joined) + len(chunk)
        context = self._context or (Context.BYTES if is_binary(joined) else Context.TEXT)
        rest, runs = without_long_runs(joined)
        yield Piece(rest, context, self._place, begin)
        for start, run in runs:
            yield Piece(run, Context.VOXELS, self._place, None if begin is None else begin + start)

    def _into(self, opened: Opened, content: bytes) -> Iterator[Piece]:
        known = self._inner.get(id(opened))
        if known is None:
            body = Body(
                self._budget,
                self._problems,
                self._depth + 1,
                place=self._place or (opened.label,),
                offset=None,
                seals=self._seals.within(),
            )
            known = self._inner[id(opened)] = (opened, body)
        for piece in known[1].feed(content):
            if piece.context is not Context.BYTES:
                self._budget.spend((TEXT_COSTS - 1) * len(piece.content))
            yield piece
