"""The terminal door of the researcher."""
