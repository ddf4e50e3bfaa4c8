"""How long what is measured and said is kept."""

from dataclasses import dataclass
from datetime import timedelta

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Retention:
    """All of it in whole partitions, so up to one more: six hours of samples, a week of history, a
    day of logs. Raises ``ValueError`` for what would let go of something before its use."""

    samples: timedelta = _DAY
    """Points of 15 seconds."""
    history: timedelta = 90 * _DAY
    """Points of five minutes."""
    logs: timedelta = 7 * _DAY
    share: int = 1 << 30
    """Bytes of text that a workspace may keep of its logs; beyond them the oldest go first."""

    def __post_init__(self) -> None:
        for name, value, least in (
            ("samples", self.samples, 2 * _HOUR),
            ("history", self.history, self.samples),
            ("logs", self.logs, _DAY),
        ):
            if not least <= value <= 3660 * _DAY:
                hours = least // _HOUR
                raise ValueError(f"{name} are kept for {hours} hours at least, ten years at most")
        if self.share < 1:
            raise ValueError("a workspace keeps some of its logs")
