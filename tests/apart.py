"""What stands for workers in quick tests: blocks are out of reach but for pickled questions."""

from contextlib import contextmanager

from runner.cluster.cluster import DATA, DaskCluster
from runner.cluster.layouts import dumps, loads
from runner.cluster.outcomes import Outcome


class Apart:
    """Workers in this process, which hold blocks; a worker is lost at each of some questions.

    Attributes
    ----------
    n_questions : int
        How many were asked.
    """

    def __init__(self, placement=DATA, lost_at=()):
        self.placement = placement
        self.lost_at = {*lost_at}
        self.n_questions = 0

    def ahead(self, work, given, tasks, n_ahead):
        for task in tasks:
            yield answered(work, given, task)

    def held(self, work, given, tasks, about):
        for task in tasks:
            yield Kept(self, work, given, task, about)

    def check_files(self, paths):
        pass

    def check_loads(self, value):
        pass


class Kept:
    """A result in pickled form."""

    def __init__(self, workers, work, given, task, about):
        self.workers = workers
        self.making = dumps((work, given, task))
        self.result = dumps(loads(dumps(answered(work, given, task))))
        self.about = self.answer(about, count=False)

    def ask(self, function, *arguments):
        return self.answer(function, *arguments)

    def answer(self, function, *arguments, count=True):
        question = dumps((function, arguments))
        if count:
            self.workers.n_questions += 1
            if self.workers.n_questions in self.workers.lost_at:
                self.answered(question)
                self.result = dumps(answered(*loads(self.making)))
        return self.answered(question)

    def answered(self, content):
        function, arguments = loads(content)
        return answered(function, loads(self.result), *arguments)


def answered(function, *arguments):
    """Return what a function returns, or raise what it raises, as it arrives from a process."""
    outcome = Outcome()
    try:
        outcome.value = function(*loads(dumps(arguments)))
    except Exception as error:  # noqa: BLE001  (as a worker does)
        outcome.error = error
    outcome = loads(dumps(outcome))
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


class Near(DaskCluster):
    """Has such workers, and knows them afterwards."""

    called = "near"

    def __init__(self, lost_at=(), **settings):
        super().__init__(**{"placement": DATA} | settings)
        self.workers = Apart(self.placement, lost_at)

    def connected(self, heard):
        raise AssertionError("there is nothing to connect to")

    @contextmanager
    def open(self):
        yield self.workers
