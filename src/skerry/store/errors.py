"""What can go wrong with the place where things are kept, said so that a person can act."""


class StoreError(Exception):
    """The store cannot be used as it is. The message says why, ``hint`` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.hint = hint
