"""How often does a broker look for objects that hold each other?

A question's tree and plan are thousands of small objects, nearly all gone by themselves when it is answered. Looked for
every 700 objects, the few that hold each other cost a tenth of a plan's time; every ten thousand, hardly anything, and
never more than some megabytes wait.
"""

from __future__ import annotations

import gc

SELDOM = 10_000


def looked_for_seldom() -> None:
    """From now on, in this process."""
    gc.set_threshold(SELDOM, *gc.get_threshold()[1:])
