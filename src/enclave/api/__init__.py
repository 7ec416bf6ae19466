"""The HTTP door: it translates, it decides nothing."""
