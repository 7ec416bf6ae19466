"""How does plain papermill run a notebook behind the wall?

    papermill in.ipynb out.ipynb --engine domicile -p k v

The cell that papermill injected is taken out again and the parameters travel apart: the enclave checks and injects them
itself. The run is watched with papermill's own progress bar. What comes back into the notebook is what was released, in the
places where it was declared; for what still waits for a decision it says so, and how to fetch it later.
"""

from __future__ import annotations

import io
import time
import zipfile
from typing import Any

import nbformat
from papermill.engines import Engine

from domicile.client.api import Api
from domicile.client.choice import chosen
from domicile.client.notebook import checked, schema_of
from domicile.client.problem import ProblemError, refusal
from domicile.client.session import load
from domicile.wire.shapes import RunCard
from domicile.wire.words import say

UNDECIDED = ("declared", "checked", "in review", "consolidated")
INJECTED = "injected-parameters"
_LOOK = 0.2


class DomicileEngine(Engine):  # type: ignore[misc]  # papermill ships no types
    """papermill's engine `domicile`."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **asked: Any) -> None:
        """Submit, watch, and bring back; ProblemError in the enclave's words when the run did not finish.

        Keywords of `papermill.execute_notebook`, or entries `domicile` of the notebook's metadata: `project`, `dataset`, and
        `wait`, the seconds to wait for a decision on what was declared, 0 unless said.
        """
        notebook = without_injected(nb_man.nb)
        parameters = checked(schema_of(notebook.metadata), nb_man.nb.metadata.papermill.get("parameters", {}))
        api = Api(load())
        said = {**nb_man.nb.metadata.get("domicile", {}), **asked}
        project, dataset = chosen(api, said.get("project"), said.get("dataset"))
        card = api.submit(
            nbformat.writes(notebook),
            project=project,
            dataset=dataset,
            parameters=parameters,
            name=str(said.get("input_path") or "notebook.ipynb").rpartition("/")[2],
        )
        card = followed(api, nb_man, card)
        if card.state != "finished":
            raise refusal("run_ended", run=card.run, state=card.state, why=card.why)
        brought_back(api, nb_man.nb, decided(api, card, float(said.get("wait", 0))))


def without_injected(node: Any) -> Any:
    """A copy for the enclave: no injected cell, no outputs, no metadata but the kernel's, the tags and what is declared."""
    cells = []
    for cell in node.cells:
        tags = cell.metadata.get("tags", [])
        if INJECTED in tags:
            continue
        kept = nbformat.from_dict({k: cell[k] for k in ("cell_type", "id", "source") if k in cell})
        kept.metadata = nbformat.from_dict({"tags": list(tags)} if tags else {})
        if cell.cell_type == "code":
            kept.outputs, kept.execution_count = [], None
        cells.append(kept)
    metadata = {k: node.metadata[k] for k in ("kernelspec", "language_info") if k in node.metadata}
    declared = node.metadata.get("domicile", {}).get("parameters")
    metadata |= {} if declared is None else {"domicile": {"parameters": declared}}
    head = {"nbformat": node.nbformat, "nbformat_minor": node.nbformat_minor, "metadata": metadata}
    return nbformat.from_dict({**head, "cells": cells})


def followed(api: Api, nb_man: Any, card: RunCard) -> RunCard:
    """Watch a run to its end; papermill's bar and cell metadata move as cells are done."""
    own = own_cells(nb_man.nb)
    done = 0
    while True:
        reached = len(own) if card.state == "finished" else min(card.cells_done, len(own))
        for index in own[done:reached]:
            nb_man.cell_complete(nb_man.nb.cells[index], index)
        done = max(done, reached)
        if card.has_ended:
            if card.error is not None and card.error.cell is not None:
                nb_man.cell_exception(nb_man.nb.cells[own[card.error.cell]], own[card.error.cell])
            return card
        time.sleep(_LOOK)
        card = api.run(card.run)


def own_cells(node: Any) -> list[int]:
    """The numbers of the cells that the enclave got, in order."""
    return [i for i, cell in enumerate(node.cells) if INJECTED not in cell.metadata.get("tags", [])]


def decided(api: Api, card: RunCard, seconds: float) -> RunCard:
    """The run once every output was checked, and, within `seconds`, decided on."""
    give_up = time.monotonic() + seconds
    while card.awaits_checks or (time.monotonic() < give_up and any(o.state in UNDECIDED for o in card.outputs)):
        time.sleep(_LOOK)
        card = api.run(card.run)
    return card


def brought_back(api: Api, node: Any, card: RunCard) -> None:
    """Put what was released in its places, and say what was not."""
    released = released_notebook(api, card.run) if any(o.state == "released" for o in card.outputs) else None
    own = own_cells(node)
    if released is not None:
        for index, cell in zip(own, released.cells, strict=True):
            if cell.cell_type == "code":
                node.cells[index].outputs = cell.outputs
    rest = [o for o in card.outputs if o.state != "released"]
    code = [i for i in own if node.cells[i].cell_type == "code"]
    if rest and code:
        lines = [say("client.not_released", title=o.title, state=o.state, why=o.why, run=card.run) for o in rest]
        node.cells[code[-1]].outputs.append(
            nbformat.v4.new_output("stream", name="stdout", text="\n".join(lines) + "\n")
        )


def released_notebook(api: Api, run: str) -> Any:
    """The executed notebook of the run's release; None while it is not made yet."""
    try:
        content = api.release(run)
    except ProblemError as refused:
        if refused.problem.code == "release.none":
            return None
        raise
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        name = next(n for n in packed.namelist() if n.rpartition("/")[2] == "notebook.ipynb")
        return nbformat.reads(packed.read(name).decode(), as_version=4)
