"""A file of invoices through `POST /v1/imports`, until its last row stands."""

from __future__ import annotations

import asyncio
import time
import uuid

import httpx

from deploy.local.layout import Layout
from tests.bench.issuing import invoice_body


async def import_invoices(layout: Layout, customers: list[str], rows: int) -> float:
    """Rows a second, from sending the file to the import being completed."""
    run = uuid.uuid4().hex[:6]
    file = b"\n".join(invoice_body(customers[n % len(customers)], f"IMPORT-{run}-{n}") for n in range(rows))
    headers = {"authorization": f"Bearer {layout.token.read_text().strip()}"}
    async with httpx.AsyncClient(base_url=layout.url("invoice"), headers=headers, timeout=120) as client:
        began = time.perf_counter()
        sent = await client.post(
            "/v1/imports",
            content=file,
            headers={"content-type": "application/x-ndjson", "idempotency-key": f"import-{run}"},
        )
        sent.raise_for_status()
        while (state := (await client.get(sent.headers["location"])).json())["status"] != "completed":
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - began
    if state["accepted"] != rows:
        raise RuntimeError(f"only {state['accepted']} of {rows} rows were accepted: {state['errors'][:3]}")
    return rows / seconds
