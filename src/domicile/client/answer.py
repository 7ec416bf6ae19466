"""What does a private answer hold, and how is it read?

Every number has its noise interval beside it: `x`, `x_se`, `x_low`, `x_high`. The interval is of the noise alone. Where the
dataset's profile was bought `x_clipped` stands there too: clipping moved x by no more than that (95 %); NULL where nobody
can say. The quote says under which clip, and who chose it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

import pyarrow as pa

from domicile.client.problem import refusal
from domicile.output.shown import html_table
from domicile.output.source import ATTRIBUTE
from domicile.wire.shapes import AnswerHead, Quote

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Answer:
    """A private answer: its head (id, price, ledger head) and its table."""

    head: AnswerHead
    _table: pa.Table = field(repr=False, compare=False)

    @classmethod
    def read(cls, head: AnswerHead, arrow: bytes) -> Answer:
        """From the wire; the table travels as an Arrow IPC stream."""
        try:
            with pa.ipc.open_stream(arrow) as reader:
                return cls(head, reader.read_all())
        except (pa.ArrowException, OSError) as broken:
            raise refusal("unexpected", status="arrow") from broken

    @property
    def id(self) -> str:
        return self.head.answer

    @property
    def quote(self) -> Quote:
        """What it cost, by which mechanisms, under which bounds."""
        return self.head.quote

    @property
    def spent(self) -> float:
        """ε this answer charged: 0.0 when the stored answer was returned."""
        return self.head.epsilon_spent

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of it, in words."""
        return self.head.notes

    def arrow(self) -> pa.Table:
        """The table as it came."""
        return self._table

    def frame(self) -> pd.DataFrame:
        """The table as a pandas frame that remembers which answer it came from."""
        frame = self._table.to_pandas()
        frame.attrs[ATTRIBUTE] = [self.id]
        return frame

    def __len__(self) -> int:
        return self._table.num_rows

    def __repr__(self) -> str:
        head = f"{self.id}: ε {self.spent:.4g} spent, {len(self)} rows"
        lines = [f"  {', '.join(self._row(row))}" for row in range(min(len(self), 20))]
        more = [f"  … {len(self) - 20} more"] if len(self) > 20 else []
        return "\n".join([head, *lines, *more])

    def _row(self, row: int) -> list[str]:
        """`dept=CARD`, `los=5.21 [5.02, 5.40] ≤ 0.3`: each with its noise interval and what clipping took."""
        names = self._table.column_names
        values = {name: self._table.column(name)[row].as_py() for name in names}
        beside = {f"{n}{end}" for n in names for end in ("_se", "_low", "_high", "_clipped") if f"{n}_se" in names}
        shown = []
        for name in names:
            if name not in beside:
                shown.append(f"{name}={_text(values[name])}{_interval(values, name)}")
        return shown

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.head.notes)
        price = f"ε {self.spent:.4g} spent · {escape(self.id)}"
        return f"<div>{html_table(self._table)}<small>{price}</small>{f'<ul>{notes}</ul>' if notes else ''}</div>"


def _text(value: object) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _interval(values: dict[str, object], name: str) -> str:
    low, high, most = (values.get(f"{name}{end}") for end in ("_low", "_high", "_clipped"))
    interval = f" [{_text(low)}, {_text(high)}]" if low is not None and high is not None else ""
    return interval + (f" ≤ {most:,.3g}" if isinstance(most, float) else "")
