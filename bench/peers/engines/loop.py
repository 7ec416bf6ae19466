"""How does an engine in an environment of its own answer the driver?

One JSON object a line, in on standard input, out on standard output; whatever the engine prints goes to standard error.

    {"verb": "load", "rows": FOLDER, "scratch": FOLDER}             {"seconds": …}
    {"verb": "ask", "shape": {…}, "bounds": {…}, "budget": {…}}     {"seconds": …, "cells": [[key, …, value], …]}
                                                                    {"failed": "how"}

`seconds` are those of the engine alone, from the question as the driver words it to the last number in hand: planning and
rewriting count, as parsing and pricing do on our side; reading files, and turning numbers into JSON, do not. Only the
standard library is used here, since every environment has that.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time

COLLECT_EVERY = 10_000
"""Objects between two looks of Python for garbage, as in our broker."""


def serve(engine) -> None:
    """Answer until the driver closes the pipe."""
    gc.set_threshold(COLLECT_EVERY, *gc.get_threshold()[1:])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries print; nothing of it may land between two answers
    for line in sys.stdin:
        answers.write(json.dumps(_answered(engine, json.loads(line))) + "\n")


def _answered(engine, wanted) -> dict:
    begun = time.perf_counter()
    if wanted["verb"] == "load":
        engine.load(wanted["rows"], wanted["scratch"])
        return {"seconds": time.perf_counter() - begun}
    try:
        begun = time.perf_counter()
        found = engine.ask(wanted["shape"], wanted["bounds"], wanted["budget"])
        seconds = time.perf_counter() - begun
    except Exception as failure:  # noqa: BLE001 - a peer's failure is a finding, not the end of the run
        return {"failed": f"{type(failure).__name__}: {' '.join(str(failure).split())[:300]}"}
    return {"seconds": seconds, "cells": [[str(key) for key in keys] + [value] for keys, value in found]}
