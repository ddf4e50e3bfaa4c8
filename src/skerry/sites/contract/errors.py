"""What a driver raises."""


class Refused(Exception):
    """The driver can't or won't do it; the words are for the tenant to read."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class NoRoom(Refused):
    """Not enough free cores, memory or devices just now."""


class StaleFence(Refused):
    """A newer worker has taken over this workload."""


class UnknownWorkload(Refused):
    """No workload of that id here (never made, or deleted)."""


class CursorExpired(Exception):
    """Events that old are no longer kept: list, then watch from the list's cursor."""


class SiteUnreachable(Exception):
    """No contact with the site. Nothing follows from it about what runs there."""
