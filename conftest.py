"""How are tests dealt to the workers of pytest-xdist? A folder whose tests share one costly house stays together; what takes
long is dealt first, so that no worker is left alone with it at the end."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

SHARED = {"functional", "jail"}
"""Folders with a session-wide home or jail: made once, in one worker."""

LONGEST = ("functional", "jail", "integration", "generative", "attacks")
"""Kinds of test by how long one takes; the others come after."""


def _kind(nodeid: str) -> str:
    return nodeid.removeprefix("tests/").split("/", 1)[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {kind: n for n, kind in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(_kind(item.nodeid), len(order)))


class ByHouse(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """One scope per shared folder, else one per file."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        return kind if (kind := _kind(path)) in SHARED else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return ByHouse(config, log)
