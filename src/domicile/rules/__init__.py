"""The disclosure rules as pure functions: value, thresholds → findings. Lint at home and gate inside are the same."""
