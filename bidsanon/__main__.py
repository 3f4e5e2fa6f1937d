"""``python -m bidsanon`` is the ``bidsanon`` command."""

from bidsanon.cli import main

if __name__ == "__main__":
    main()
