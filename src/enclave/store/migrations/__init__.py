"""Shapes of the databases over time: plain operations that import nothing of ours."""
