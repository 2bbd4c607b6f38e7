"""The panels: one idea a file."""
