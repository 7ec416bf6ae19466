"""What does the result of a model hold, whichever model it is?

Its table with an interval beside every number, the answer it was made of (id, price, what was spent), and notes in words
where something had to be left out. `domicile.output.table` and `chart` take it like an answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from domicile.output.shown import html_table
from domicile.output.source import ATTRIBUTE
from domicile.wire.shapes import Quote

if TYPE_CHECKING:
    import pandas as pd


class Given(Protocol):
    """A private answer, as the client holds it."""

    @property
    def id(self) -> str: ...

    @property
    def quote(self) -> Quote: ...

    @property
    def spent(self) -> float: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def arrow(self) -> pa.Table: ...

    def frame(self) -> pd.DataFrame: ...


@dataclass(frozen=True)
class Result:
    """A model made of one private answer. Intervals named `x_low`, `x_high` cover sampling and noise together;
    `x_noise_se` and `x_sampling_se` say what each brings."""

    answer: Given = field(repr=False, compare=False)
    table: pd.DataFrame = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """What was said of the answer is true of what is made of it."""
        object.__setattr__(self, "notes", (*self.answer.notes, *self.notes))

    @property
    def id(self) -> str:
        """The answer it was made of: outputs name it."""
        return self.answer.id

    @property
    def quote(self) -> Quote:
        """What it cost, by which mechanism, under which bound."""
        return self.answer.quote

    @property
    def spent(self) -> float:
        """ε it charged: 0.0 when the stored answer was returned."""
        return self.answer.spent

    def frame(self) -> pd.DataFrame:
        """The table as a pandas frame that remembers which answer it came from."""
        return self.remembered(self.table.copy())

    def arrow(self) -> pa.Table:
        return pa.Table.from_pandas(self.table, preserve_index=False)

    def remembered(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Any other table made of the same answer."""
        frame.attrs[ATTRIBUTE] = [self.id]
        return frame

    def __repr__(self) -> str:
        lines = [f"{self.id}: ε {self.spent:.4g} spent", self.table.to_string(index=False, max_rows=40)]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        price = f"ε {self.spent:.4g} spent · {escape(self.id)}"
        return f"<div>{html_table(self.arrow())}<small>{price}</small>{f'<ul>{notes}</ul>' if notes else ''}</div>"
