"""Whether a consumer gets anywhere: what its watchdog goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Progress:
    """Looks at a member of a consumer group again and again, and remembers since when it has got nowhere.

    It gets nowhere while something waits and no position grows. Something waits where the log goes on behind the
    position, where the broker does not say what the position is, and while the group is not `settled`: it has not
    answered which partitions are the member's.
    """

    nothing_since: float
    _seen: dict[Any, int] = field(default_factory=dict)

    def look(self, now: float, *, settled: bool, places: Mapping[Any, tuple[int | None, int | None]]) -> float:
        """Since when nothing has been consumed of what waits; `now` when all is well.

        `places` has the position in each partition and where its log ends, None where that is not known (an end is not
        before the first fetch). A partition that comes back where it was left has not grown: a group that only moves
        its partitions about consumes nothing. `now` is in seconds of a clock that never goes back.
        """
        grown = any(
            position is not None and position > self._seen.get(place, position)
            for place, (position, _) in places.items()
        )
        waits = not settled or any(
            position is None or (end is not None and position < end) for position, end in places.values()
        )
        self._seen |= {place: position for place, (position, _) in places.items() if position is not None}
        if grown or not waits:
            self.nothing_since = now
        return self.nothing_since
