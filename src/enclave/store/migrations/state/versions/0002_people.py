"""people"""

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """To be filled by the package that declares these tables."""
