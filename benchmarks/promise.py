"""The command line of each file of this folder: measure a promise, or do one contender's job."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.row import HEAD, Row
from benchmarks.turns import ContenderError, Found


@dataclass(frozen=True)
class Promise:
    """What a file measures.

    Parameters
    ----------
    measure : callable
        Takes a folder to write to, the number of turns and the sizes; yields the rows.
    contenders : mapping of str to callable
        The jobs that are done in processes of their own; each returns what can be JSON.
    sizes : mapping of str to pair
        What is large: usually, and with ``--quick``. Each is an option; so is a flag that is off.
    turns : int
        How many, unless others are asked for.
    """

    measure: Callable[..., Iterator[Row]]
    contenders: Mapping[str, Callable[..., Found]]
    sizes: Mapping[str, tuple[Any, Any]]
    turns: int = 5

    def main(self, about: str | None) -> int:
        """Do what the command line asks; return 1 if a contender failed."""
        asked = self._parser(about).parse_args()
        if asked.contender:
            given = json.loads(asked.given)
            print(json.dumps(self.contenders[asked.contender](**given)))
            return 0
        sizes = {}
        for name, (usual, quick) in self.sizes.items():
            told = getattr(asked, name)
            sizes[name] = told if told is not None else quick if asked.quick else usual
        n_turns = asked.turns or (1 if asked.quick else self.turns)
        rows = []
        print(head(), flush=True)
        with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
            for row in self._rows(Path(scratch), n_turns, sizes):
                print(row.line(), flush=True)
                rows.append(row)
        if asked.rows_to:
            asked.rows_to.write_text(json.dumps([row.to_json() for row in rows]), encoding="utf-8")
        return int(any(row.failed for row in rows))

    def _rows(self, scratch: Path, turns: int, sizes: Mapping[str, Any]) -> Iterator[Row]:
        """Yield the rows, and one more if something fails before the contenders begin."""
        try:
            yield from self.measure(scratch, turns, **sizes)
        except ContenderError as error:
            print(error, file=sys.stderr, flush=True)
            why = f"failed before its turns: {str(error).splitlines()[-1]}"
            yield Row(promise=self.measure.__module__, why_not=why, failed=True)

    def _parser(self, about: str | None) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            description=about, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("--turns", type=int, help=f"that are counted; else {self.turns}")
        parser.add_argument("--quick", action="store_true", help="small, to try it")
        parser.add_argument("--rows-to", dest="rows_to", type=Path, help=argparse.SUPPRESS)
        parser.add_argument("--contender", choices=self.contenders, help=argparse.SUPPRESS)
        parser.add_argument("--given", default="{}", help=argparse.SUPPRESS)
        for name, (usual, _) in self.sizes.items():
            kind: dict[str, Any] = {"type": type(usual)}
            if isinstance(usual, list):
                kind = {"type": type(usual[0]), "nargs": "+"}
            if isinstance(usual, bool):
                kind = {"action": argparse.BooleanOptionalAction}
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, default=None, help=f"usually {usual}", **kind)
        return parser


def head() -> str:
    """Return the first lines of a table in Markdown."""
    return f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}"
