"""What the console's tests check proofs with is what this code makes."""

from tests.proof import cases


def test_the_consoles_cases_are_of_this_code() -> None:
    told = "python -m tests.proof.cases writes them again"
    assert cases.FILE.read_bytes() == cases.made(), told
