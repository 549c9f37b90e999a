"""`python -m shared.events.registry check|freeze`"""

from __future__ import annotations

import argparse
import sys

from shared.events import catalogue, registry


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m shared.events.registry", description=registry.__doc__)
    parser.add_argument("action", choices=["check", "freeze"])
    faults = registry.check() if parser.parse_args().action == "check" else registry.freeze()
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"{len(catalogue.EVENTS)} event types agree with their frozen schemas")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
