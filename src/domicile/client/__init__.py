"""The researcher asks: the same client at home and behind the wall."""
