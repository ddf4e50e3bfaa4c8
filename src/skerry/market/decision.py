"""What ``match`` answers: which offer, at what price, and why not the others."""

from datetime import datetime

from skerry.market.ask import Ask, Evidence, Fact, Isolation
from skerry.market.policy import Policy
from skerry.market.prices import Breakdown


class Place(Fact, frozen=True, kw_only=True):
    """Where an offer is and who stands behind it, as far as is known."""

    operator: str = ""
    site: str = ""
    host: str = ""
    """Of a site with several hosts: which one."""
    region: str = ""
    zone: str = ""
    jurisdiction: str = ""
    tier: int = 0
    evidence: Evidence = "declared"

    @property
    def at(self) -> str:
        """What whoever speaks for the place is known by: the site, or the host at the site."""
        return f"{self.site}/{self.host}" if self.host else self.site


class Choice(Fact, frozen=True, kw_only=True):
    """An offer that serves the ask, and its terms."""

    offer: str
    version: int
    """The state of the offer that was matched."""
    place: Place
    isolation: Isolation
    """The weakest the offer has that is strong enough."""
    gpu_model: str = ""
    spot: bool = False
    price: Breakdown
    price_version: int = 0
    notice: int = 0
    """Seconds of warning before the seller may take it back."""
    score: int
    """Nano per hour: the price and what latency and company are worth; the lowest wins."""


class Failure(Fact, frozen=True, kw_only=True):
    """One filter that an offer fails."""

    reason: str
    """A slug of ``reasons.Reason``."""
    words: str
    """What it lacks, and what would have to change."""


class Near(Fact, frozen=True, kw_only=True):
    """A refused offer that came near, with everything that stands against it."""

    offer: str
    version: int
    place: Place
    per_hour: int | None = None
    """What it would have cost; None: unknown."""
    failures: tuple[Failure, ...]


class Decision(Fact, frozen=True, kw_only=True):
    """The answer to one ask, with all that is needed to compute it again."""

    ask: Ask
    policy: Policy
    at: datetime
    snapshot: str
    """Digest of the offers that were looked at."""
    considered: int
    """Lines looked at: offers, or an offer's GPU models where it has several."""
    eligible: int
    refused: dict[str, int]
    """Lines by the first filter they fail; with ``eligible`` they add up to ``considered``."""
    chosen: Choice | None = None
    runner_up: Choice | None = None
    nearest: tuple[Near, ...] = ()
    """Up to ten refused lines, the nearest first (``reasons`` says what near means)."""
