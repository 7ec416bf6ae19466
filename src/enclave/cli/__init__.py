"""The terminal door of the institution: it translates, it decides nothing."""
