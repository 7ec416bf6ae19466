"""What a notebook declares for release: one MIME bundle per output."""
