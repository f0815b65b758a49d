"""``python -m tenure``: the command line, where the script is not in the path."""

from tenure.cli.main import run

if __name__ == "__main__":
    run()
