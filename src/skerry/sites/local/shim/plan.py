"""What the driver asks of a shim, and the names they share. Imports nothing that costs memory."""

STATE, LOCK, CONTROL, BELL, WORK, LOG = "state.json", "lock", "control", "bell", "work", "log"
FIGURES = "figures"
"""What only the shim knows of its task's use; see ``shim.figures``."""
DISK = "disk"
"""What a task in an image writes beside its working directory."""
RESERVE = "reserve"
"""A few blocks given up for the last record if the disk is full by then."""
DECISION = "decision.json"
"""In the workload's directory, two above a task's."""

DIES_AT = "SKERRY_SHIM_DIES_AT"
"""A variable by which a test ends shims without a word at a step of their life."""

READY_FD, GATE_FD, PROGRAM_FD, FIRST_MEMORY_FD = 3, 4, 5, 6
"""Open in what the shim starts: to say that the sandbox stands, to wait for the gate, the program
(``engines.inside``) that does both, and files in memory for the engine."""


class Plan:
    """One task as the shim sees it; travels as JSON.

    An agent goes on while Skerry is updated beneath it, and starts shims of the new version then:
    fields that were added since have a default, which is how it was before.
    """

    workload: str
    rank: int
    command: list[str]
    """As asked for, to name it in messages."""
    env: dict[str, str]
    """The command's. With secrets, so it stays in memory."""
    argv: list[str]
    """The engine's command, which ends in ``engines.inside``."""
    directory: str
    """Where ``argv`` starts."""
    pid_file: str
    """Where the engine leaves the number of the sandbox's first process, if it goes away and
    leaves that behind; else empty."""
    depth: int
    """How many generations below the engine's process, or that of ``pid_file``, the command is."""
    memory_files: list[str]
    """Base64; the program, then the engine's; open from ``PROGRAM_FD`` on."""
    cleanup: list[list[str]]
    """Commands that remove what the engine keeps of it."""
    group: dict[str, str]
    """Cgroup directories by controller (``""`` for version 2); empty if there are none."""
    join: bool
    """Whether ``argv`` is to run within the cgroup, for engines that don't put it there."""
    millicores: int
    memory: int
    pids: int
    disk: int
    watched: "list[tuple[str, int]]" = []
    """Directories with no limit but this one, in bytes."""
    time_limit: int
    grace: int
    restart: str
    max_restarts: int
    log_bytes: int
    boot_id: str
    network: int = -1
    """A descriptor of the network to run in, which the shim keeps in being; -1: the shim's own, or
    what the engine makes."""
    hub: int = -1
    """A descriptor of the network that joins its gang, which the shim keeps in being; -1: none."""

    def __init__(self, fields: dict[str, object]) -> None:
        known = set(type(self).__annotations__)
        needed = {name for name in known if not hasattr(type(self), name)}
        wrong = (needed - set(fields)) | (set(fields) - known)
        if wrong:
            raise ValueError(f"plan with wrong fields: {sorted(wrong)}")
        self.__dict__.update(fields)

    @property
    def descriptors(self) -> "tuple[int, ...]":
        """What the shim needs besides, open under the same numbers."""
        return tuple(n for n in (self.network, self.hub) if n >= 0)
