"""Where jails are counted together: found where it may be, made whole or not at all. The kernel's files are plain here."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclave.errors import NoWall
from enclave.run import Limits, SandboxFiles
from enclave.run.cgroup import Cage, Cages, caps_of

LIMITS = Limits.default(SandboxFiles.find())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree as the kernel shows it: a service that was given its own part, and the group its processes are in."""
    own = tmp_path / "system.slice" / "enclave.service"
    (own / "self").mkdir(parents=True)
    for folder in (tmp_path, own, own / "self"):
        (folder / "cgroup.controllers").write_text("cpu memory pids\n")
        (folder / "cgroup.subtree_control").write_text("")
    return tmp_path


def found(root: Path, line: str) -> Cages | None:
    mine = root / "own"
    mine.write_text(f"4:memory:/elsewhere\n{line}\n")
    return Cages.find(root, mine)


def test_jails_are_counted_beside_the_group_we_are_in(root: Path) -> None:
    cages = found(root, "0::/system.slice/enclave.service/self")
    service = root / "system.slice" / "enclave.service"
    assert cages == Cages(service)
    assert (service / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"


def test_where_the_processor_is_not_shared_by_folder_memory_is_counted_all_the_same(root: Path) -> None:
    (root / "cgroup.controllers").write_text("memory pids\n")
    cages = found(root, "0::/")
    assert cages == Cages(root) and not cages.shares
    assert (root / "cgroup.subtree_control").read_text() == "+memory +pids"
    assert not cages.make({}).weigh(5), "the session has to do"


def test_in_the_root_itself_they_are_counted_there(root: Path) -> None:
    assert found(root, "0::/") == Cages(root)


@pytest.mark.parametrize("missing", ["controllers", "all", "version"])
def test_where_nothing_counts_there_is_none(root: Path, missing: str) -> None:
    if missing == "controllers":
        (root / "cgroup.controllers").write_text("cpu pids\n")
    elif missing == "all":
        (root / "cgroup.controllers").unlink()
    assert found(root, "" if missing == "version" else "0::/") is None


def test_a_jail_gets_every_cap_or_no_folder(root: Path) -> None:
    cage = Cages(root).make(caps_of(LIMITS))
    told = {path.name: path.read_text() for path in cage.folder.iterdir()}
    assert told["memory.max"] == str(LIMITS.jail_mib << 20)
    assert (told["memory.oom.group"], told["pids.max"]) == ("1", str(LIMITS.processes + 1))
    (cage.folder / "cpu.weight.nice").write_text("0")  # the kernel makes it where folders have shares
    assert cage.weigh(15) and (cage.folder / "cpu.weight.nice").read_text() == "15"
    cage.take(4711)
    assert (cage.folder / "cgroup.procs").read_text() == "4711"
    with pytest.raises(NoWall, match="no cgroup"):
        Cages(root / "nowhere").make(caps_of(LIMITS))


def test_what_was_used_up_is_told(root: Path) -> None:
    cage = Cage(root)
    assert not cage.ran_out()
    (root / "memory.events").write_text("low 0\noom 1\noom_kill 0\n")
    assert not cage.ran_out()
    (root / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    assert cage.ran_out()


def test_what_a_killed_worker_left_is_removed(root: Path) -> None:
    (root / "domicile-1-ab").mkdir()
    (root / "other").mkdir()
    found(root, "0::/")
    assert not (root / "domicile-1-ab").exists() and (root / "other").exists()
