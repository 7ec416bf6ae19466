"""The state of a run is found without reading its notebook."""

from alembic import op

revision = "0015"
down_revision: str | None = "0014"


def upgrade() -> None:
    op.create_index("state_of_run", "runs", ["run", "state"])
