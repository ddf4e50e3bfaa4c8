"""What the console's tests check proofs with is what this code makes."""

import json

from tests.proof import cases


def test_the_consoles_cases_are_of_this_code() -> None:
    told = "python -m tests.proof.cases writes them again"
    # The console's formatter has its own way with lines.
    assert json.loads(cases.FILE.read_bytes()) == json.loads(cases.made()), told
