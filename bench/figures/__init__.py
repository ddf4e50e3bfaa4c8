"""How a figure with a limit and a peer is printed."""


def line(name: str, ours: float, limit: float, *, most: bool, peer: float | None = None) -> None:
    """Print one figure. ``most``: the limit is the most allowed, else the least."""
    ratio = limit / ours if most else ours / limit
    bound = "at most" if most else "at least"
    beside = f"{ours / peer:8.2f} x the peer's {peer:,.1f}" if peer else ""
    print(
        f"{name:44} {ours:12,.1f} {bound:8} {limit:9,.1f} ratio {ratio:8.1f} {beside}", flush=True
    )
