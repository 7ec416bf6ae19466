"""ledger"""

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """To be filled by the package that declares these tables."""
