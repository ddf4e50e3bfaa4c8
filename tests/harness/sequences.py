"""State machines of hypothesis against a real database: as many sequences as a test asks for."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def run_sequences(machine: type[RuleBasedStateMachine], sequences: int, steps: int) -> None:
    """``steps`` are those of each sequence, at most. How slow a database is fails nothing."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
        ),
    )
