"""`python -m deploy.local.training play | start | list | begin | check | next | links`: what `make training` calls."""

from __future__ import annotations

from deploy.local.training.commands import main

if __name__ == "__main__":
    main()
