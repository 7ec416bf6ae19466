"""access"""

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """To be filled by the package that declares these tables."""
