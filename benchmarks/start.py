"""The whole of ``runner run quickstart``, against the import of the libraries that it needs.

The command is measured from the first to the last moment of its process. The libraries are all
modules of other distributions that it has imported at its end, told once before the turns by a
process that runs the same command. Another process imports them, one after the other in the same
order, and ends. What the lock of the runner itself does not list, such as what only tests need, is
hidden from either. The project's record exists already; or there is none, and the store is made.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from itertools import count
from pathlib import Path

from benchmarks.promise import Promise
from benchmarks.row import Row, at_most
from benchmarks.turns import ROOT, Found, alternate, command

LIBRARIES, AGAIN, FIRST = "importing the libraries", "a record exists", "no record yet"
NEVER_HIDDEN = {"hydra_plugins", "runner"}
HIDE = """
import json, sys
from importlib.machinery import PathFinder
with open(sys.argv[1]) as file:
    told = json.load(file)
hidden = set(told["hidden"])
class Seen(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in hidden:
            return super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Seen
"""
RUN = f"""{HIDE}
from runner.cli import main
sys.argv = ["runner", "run", "quickstart", "--quiet"]
sys.exit(main())
"""
TELL = f"""{HIDE}
from runner.cli import main
code = main(["run", "quickstart", "--quiet"])
with open(sys.argv[1], "w") as file:
    json.dump(told | {{"imported": list(sys.modules)}}, file)
sys.exit(code)
"""
IMPORT = f"""{HIDE}
from importlib import import_module
for name in told["needed"]:
    try:
        import_module(name)
    except Exception:
        pass
"""


def top_levels() -> tuple[set[str], set[str]]:
    """Return the top-level modules of what the runner requires, and of all else installed."""
    locked = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    required = {canonical(name) for name in re.findall(r"^([\w.-]+)==", locked, re.MULTILINE)}
    owners = metadata.packages_distributions()
    needed = {name for name, of in owners.items() if required & {canonical(each) for each in of}}
    return needed, owners.keys() - needed - NEVER_HIDDEN


def canonical(name: str) -> str:
    """Return the name of a distribution as an index writes it.

    Examples
    --------
    >>> canonical("Types_PyYAML")
    'types-pyyaml'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def measure(scratch: Path, turns: int) -> Iterator[Row]:
    """Compare them."""
    numbers = count()

    def project() -> Path:
        folder = scratch / f"project-{next(numbers)}"
        folder.mkdir()
        return folder

    kept, told = project(), scratch / "told.json"
    needed, hidden = top_levels()
    told.write_text(json.dumps({"hidden": sorted(hidden)}), encoding="utf-8")

    def way(code: str, where: Path) -> Found:
        return {"wall": command([sys.executable, "-c", code, str(told)], where)[0]}

    way(TELL, kept)
    found = json.loads(told.read_text(encoding="utf-8"))
    found["needed"] = [n for n in found.pop("imported") if n.partition(".")[0] in needed]
    told.write_text(json.dumps(found), encoding="utf-8")
    ways = {
        LIBRARIES: lambda: way(IMPORT, kept),
        AGAIN: lambda: way(RUN, kept),
        FIRST: lambda: way(RUN, project()),
    }
    taken = alternate(ways, turns)
    for name in (AGAIN, FIRST):
        yield taken.row("runner run quickstart", name, LIBRARIES, reach=at_most(1.3))


PROMISE = Promise(measure, {}, {}, turns=4)

if __name__ == "__main__":
    sys.exit(PROMISE.main(__doc__))
