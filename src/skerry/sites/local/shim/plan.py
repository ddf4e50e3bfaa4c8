"""What the driver asks of a shim, and the names they share. Imports nothing that costs memory."""

STATE, LOCK, CONTROL, BELL, WORK, LOG = "state.json", "lock", "control", "bell", "work", "log"
RESERVE = "reserve"
"""A few blocks given up for the last record if the disk is full by then."""
DECISION = "decision.json"
"""In the workload's directory, two above a task's."""

DIES_AT = "SKERRY_SHIM_DIES_AT"
"""A variable by which a test ends shims without a word at a step of their life."""

READY_FD, GATE_FD, FIRST_MEMORY_FD = 3, 4, 5

INIT = (
    f"echo >&{READY_FD} && read -r go <&{GATE_FD} "
    f"&& exec {READY_FD}>&- {GATE_FD}<&- 5>&2 2>/dev/null || exit 125\n"
    '(exec "$@" 2>&5 5>&-)\n'
    "exit $?"
)
"""First process of every sandbox, for ``sh -c``. It tells that the sandbox stands, waits for the
gate to open (at its end it gives up), runs the command in a child of its own and leaves with its
exit code; as the first process it also reaps what others leave behind. A command run directly as
process 1 would not even die of its own signals. The shell's own remarks go nowhere; descriptor 5
is the command's standard error meanwhile."""


class Plan:
    """One task as the shim sees it; travels as JSON."""

    workload: str
    rank: int
    command: list[str]
    """As asked for, to name it in messages."""
    argv: list[str]
    """The engine's command, ending in ``INIT`` and the workload's."""
    env: dict[str, str]
    """Of ``argv``; with secrets, so it stays in memory."""
    directory: str
    """Where ``argv`` starts."""
    pid_file: str
    """Where the engine leaves the number of the sandbox's first process, if it goes away and
    leaves that behind; else empty."""
    outside: bool
    """Whether the engine's process stays outside, as the parent of the sandbox's first one."""
    memory_files: list[str]
    """Base64; each is a file in memory, open from ``FIRST_MEMORY_FD`` on."""
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
    time_limit: int
    grace: int
    restart: str
    max_restarts: int
    log_bytes: int
    boot_id: str

    def __init__(self, fields: dict[str, object]) -> None:
        missing = set(type(self).__annotations__) ^ set(fields)
        if missing:
            raise ValueError(f"plan with wrong fields: {sorted(missing)}")
        self.__dict__.update(fields)
