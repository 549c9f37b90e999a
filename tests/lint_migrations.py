"""`python -m tests.lint_migrations`: squawk on what the migrations do going up; going down is for developers only."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from shared.migrate import ROOT, SERVICES, folders

DOWN = "-- migrate:down"


def main() -> int:
    """Squawk's exit code; its complaints name copies, whose lines are those of the originals."""
    places = dict.fromkeys(folder for service in SERVICES for folder in folders(service))
    migrations = [path for folder in places for path in sorted(folder.glob("*.sql"))]
    with tempfile.TemporaryDirectory() as scratch:
        copies = []
        for path in migrations:
            copy = Path(scratch) / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(path.read_text().partition(DOWN)[0])
            copies.append(str(copy.relative_to(scratch)))
        squawk = Path(sys.executable).with_name("squawk")
        command = [str(squawk), "--config", str(ROOT / ".squawk.toml"), *copies]
        return subprocess.run(command, cwd=scratch, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
