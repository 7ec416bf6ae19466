"""release"""

revision = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    """To be filled by the package that declares these tables."""
