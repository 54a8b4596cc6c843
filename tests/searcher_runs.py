"""Driving a model-based searcher the way a scheduler with several workers does."""

from collections import deque
from collections.abc import Callable, Mapping

from hpoctl.core.space import Value
from hpoctl.schedulers.searcher import Searcher, Suggestion

Objective = Callable[[Mapping[str, Value], int], float]
"""The value of a configuration at a resource level."""


def drive(
    searcher: Searcher, objective: Objective, trials: int, *, level: int = 27, workers: int = 4, levels: int = 1
) -> list[Suggestion]:
    """A number of suggestions; each trial reports at `level`, every third one at `level * 3` as well, and so on."""
    running: deque[tuple[int, Suggestion]] = deque()
    suggestions: list[Suggestion] = []
    while len(suggestions) < trials:
        suggestion = searcher.suggest(len(suggestions))
        if suggestion is not None:
            searcher.pending(len(suggestions), level)
            running.append((len(suggestions), suggestion))
            suggestions.append(suggestion)
        if len(running) == workers or (suggestion is None and running):
            trial_id, done = running.popleft()
            for step in range(levels):
                if trial_id % 3**step == 0:
                    searcher.pending(trial_id, level * 3**step)
                    searcher.observe(trial_id, level * 3**step, objective(done.config, level * 3**step))
            searcher.ended(trial_id)
        elif suggestion is None:
            break
    return suggestions
