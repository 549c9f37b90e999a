"""A ledger replayed through the whole stack comes out at the figures worked out from it by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from deploy.local import ledger
from tests.system.books import differences
from tests.system.stand import Stand, generated, running_stack

SHARED = Path(os.environ.get("DUEWARD_SHARED") or Path(__file__).parents[2].parent / "shared")
PUBLISHED = SHARED / "data" / "late-payments.csv"
CHECK = SHARED / "checks" / "ledger_check.py"


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with running_stack(tmp_path / "local") as running:
        yield running


@pytest.mark.timeout(600)
def test_a_generated_ledger_comes_out_at_its_own_figures(stand: Stand, tmp_path: Path) -> None:
    rows = generated(seed=7, customers=60, until=date(2024, 3, 10), into=tmp_path / "ledger.csv")
    replayed = stand.replay(rows)
    assert differences(stand, rows) == []
    assert replayed.invoices == len(rows)
    assert replayed.disputes > 0
    assert len({row.amount.currency for row in rows}) > 3


@pytest.mark.timeout(1200)
@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"the published ledger is not at {PUBLISHED}")
def test_the_published_ledger_comes_out_at_the_published_figures(stand: Stand) -> None:
    rows = ledger.load(PUBLISHED)
    replayed = stand.replay(rows)
    print(f"{replayed.invoices} invoices in {replayed.seconds:.0f} s")
    assert differences(stand, rows) == []
    if CHECK.exists():
        command = [sys.executable, str(CHECK), str(PUBLISHED), "--token-file", str(stand.layout.token)]
        port = ["--port-offset", str(stand.layout.offset)]
        checked = subprocess.run([*command, *port], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout
        assert "all agree" in checked.stdout
