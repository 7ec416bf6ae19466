"""What does a laptop with notebooks get? papermill's engine; needs the extra `[lab]`."""
