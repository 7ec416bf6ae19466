"""How are tests dealt to the workers of pytest-xdist? A folder whose tests share one costly house stays together."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

SHARED = {"functional", "jail"}
"""Folders with a session-wide home or jail: made once, in one worker."""

LONG = {"tests/integration/test_queue_exactly_once.py", "tests/integration/test_kill_worker.py"}
"""Files of one long test: begun last they would keep one worker busy while the other has nothing left, so they go with
the functional tests, which are dealt early."""


class ByHouse(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """One scope per shared folder, else one per file."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        kind = path.removeprefix("tests/").split("/", 1)[0]
        return "functional" if path in LONG else kind if kind in SHARED else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return ByHouse(config, log)
