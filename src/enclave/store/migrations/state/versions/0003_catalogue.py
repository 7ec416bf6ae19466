"""catalogue"""

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """To be filled by the package that declares these tables."""
