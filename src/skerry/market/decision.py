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
    node: str = ""
    """Of a place with several machines: which one, where it is one."""
    rack: str = ""
    link: str = ""
    region: str = ""
    zone: str = ""
    jurisdiction: str = ""
    tier: int = 0
    evidence: Evidence = "declared"

    @property
    def at(self) -> str:
        """What whoever speaks for the place is known by: the site, or the host at the site."""
        return f"{self.site}/{self.host}" if self.host else self.site

    @property
    def where(self) -> str:
        """The machine: ``at``, or the node there."""
        return f"{self.at}/{self.node}" if self.node else self.at


class Share(Fact, frozen=True, kw_only=True):
    """What one offer takes of a gang that no single offer holds."""

    offer: str
    version: int
    node: str
    tasks: int
    """So many, by rank: the first share has the first ranks."""


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
    shares: tuple[Share, ...] = ()
    """Of a gang over several nodes, ``offer`` being the first of them; empty: one offer has all."""
    level: str = ""
    """How near to each other its shares are, one of ``ask.LEVELS``."""
    domain: str = ""
    """The NVLink domain, rack, zone or site that they are in."""
    score: int
    """Nano per hour: the price and what latency and company are worth; the lowest wins."""

    @property
    def versions(self) -> dict[str, int]:
        """The offers it takes of, in the order of ranks, and the states that were matched."""
        if not self.shares:
            return {self.offer: self.version}
        return {share.offer: share.version for share in self.shares}


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
    together: str = ""
    """Why no nodes serve it together, where there were some that could have served a part."""
    nearest: tuple[Near, ...] = ()
    """Up to ten refused lines, the nearest first (``reasons`` says what near means)."""
