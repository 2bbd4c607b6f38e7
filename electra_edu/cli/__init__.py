"""The command line: `electra-edu lab` opens the course, `electra-edu doctor` looks after the installation."""

from electra_edu.cli.app import app

__all__ = ["app"]
