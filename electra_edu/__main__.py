"""`python -m electra_edu` is `electra-edu`."""

from electra_edu.cli import app

if __name__ == "__main__":
    app(prog_name="electra-edu")
