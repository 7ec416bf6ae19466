"""What a notebook declares for release: one MIME bundle per output.

    domicile.output.table(frame, title="…")
    domicile.output.chart(answer, mark="bar", x="dept", y="los", title="…")
    domicile.output.text("…", title="…")

Only what is declared here can leave; printed text, pictures and widgets stay behind the wall. The rules of the gate are
applied at once, so that what would be refused is refused while writing.
"""

from domicile.output.declare import OutputError, chart, model, table, text
from domicile.output.shown import Output

__all__ = ["Output", "OutputError", "chart", "model", "table", "text"]
