"""The rungs by which a question is answered, best first. Knows no HTTP and no id.

```
full ─► retrieval ─► memory ─► last ─► popular      each with its own catch; `full` and `retrieval` with a time limit
```

From `memory` on no vector is read and no network asked: those are what may be broken.
"""

from __future__ import annotations

from dataclasses import dataclass

from trifocal.errors import ServingError
from trifocal.ranking import top_k
from trifocal.serve.engines import Engine
from trifocal.serve.last_lists import LastLists
from trifocal.serve.online import Candidates
from trifocal.serve.questions import Question
from trifocal.serve.rungs import Rung, StageLateError, first_usable
from trifocal.types import FloatArray, Rankings

__all__ = ["Ladder"]


@dataclass(frozen=True)
class Ladder:
    """The ladder over one engine. Stability: internal.

    Attributes:
        engine: encodes, retrieves, ranks and remembers.
        last_lists: the last good list of each user.
        popularity: (1, N) the greater, the more popular.
        limit_ms: a question that has taken longer is not ranked any more, or not retrieved.
    """

    engine: Engine
    last_lists: LastLists
    popularity: FloatArray
    limit_ms: float

    def rungs(self) -> tuple[Rung[Question, Rankings], ...]:
        """Return the rungs in the order of `RUNGS`."""
        return (
            Rung("full", self._full),
            Rung("retrieval", lambda question, k: self._candidates(question, k).ranking()),
            Rung("memory", self._remembered),
            Rung("last", lambda question, k: self.last_lists.list(question.request, k)),
            Rung("popular", lambda question, k: top_k(self.popularity, k, exclude=[question.request.exclude])),
        )

    def answer(self, question: Question, k: int, first: int) -> tuple[str, Rankings]:
        """Return the name and ranking of the rung that answers, from number `first` on.

        Raises:
            UnavailableError: when none could.
        """
        return first_usable(self.rungs()[first:], question, k)

    def _full(self, question: Question, k: int) -> Rankings:
        candidates = self._candidates(question, k)
        self._in_time(question, "rank")
        with question.watch.stage("rank"):
            return self.engine.rank(question.request, candidates)

    def _remembered(self, question: Question, k: int) -> Rankings:
        with question.watch.stage("remember"):
            return self.engine.remember(question.request, k).ranking()

    def _candidates(self, question: Question, k: int) -> Candidates:
        if question.user is None:
            raise ServingError("the user could not be encoded; the log says why")
        if question.candidates is None:
            self._in_time(question, "retrieve")
            with question.watch.stage("retrieve"):
                question.candidates = self.engine.retrieve(question.request, question.user, k)
        return question.candidates

    def _in_time(self, question: Question, stage: str) -> None:
        taken = sum(question.watch.stages_ms.values())
        if taken > self.limit_ms:
            raise StageLateError(
                f"{taken:.0f} ms were gone before `{stage}`, the limit is {self.limit_ms:.0f} ms; "
                "ask less at a time, or raise serve.limit_ms"
            )
