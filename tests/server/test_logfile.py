"""A log file never outgrows its limit by more than a line, and loses nothing before the oldest."""

from pathlib import Path

from skerry.logfile import LogFile


def test_old_lines_are_kept_for_a_while_and_then_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    log = LogFile(path, limit=100, kept=2)
    for number in range(100):
        log.write(f"line {number:04}\n")
    log.close()
    files = sorted(p.name for p in tmp_path.iterdir())
    assert files == ["server.log", "server.log.1", "server.log.2"]
    text = "".join((tmp_path / n).read_text() for n in reversed(files))
    lines = text.splitlines()
    assert lines == [f"line {n:04}" for n in range(100 - len(lines), 100)]
    assert all((tmp_path / n).stat().st_size <= 110 for n in files)
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    for word in ("one", "two"):
        log = LogFile(tmp_path / "log")
        log.write(word + "\n")
        log.flush()
        log.close()
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
