"""`python -m deploy.local up | down | demo | status | logs | token | link`: what the Makefile's targets call."""

from __future__ import annotations

from deploy.local.commands import main

if __name__ == "__main__":
    main()
