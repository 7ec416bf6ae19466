"""The institution's side: from raw records to released aggregates.

One package per step of the data's path, each with the question it answers; imports run one way (`.importlinter`).
"""

try:
    import duckdb as _duckdb  # noqa: F401  the extra's first and heaviest part stands for all of it
except ModuleNotFoundError as missing:  # pragma: no cover - only a plain `pip install domicile` comes here
    raise ModuleNotFoundError("the institution's side is not installed: pip install 'domicile[enclave]'") from missing
