"""What a route may ask for, by type: `async def onboard(body: CustomerIn, once: Once, database: DatabaseDep)`."""

from typing import Annotated, Any

from fastapi import Depends, Request

from shared.db import Database
from shared.http.cursors import PageRequest, page_params
from shared.http.idempotency import Once
from shared.http.preconditions import if_match
from shared.http.security import PrincipalDep

__all__ = ["DatabaseDep", "IfMatch", "Once", "PageParams", "PrincipalDep", "ResourcesDep"]


async def _database(request: Request) -> Database:
    return request.app.state.database


async def _resources(request: Request) -> Any:
    return request.app.state.resources


DatabaseDep = Annotated[Database, Depends(_database)]
"""The service's open database: `async with reading(database) as tx`."""

ResourcesDep = Annotated[Any, Depends(_resources)]
"""What the service's `resources` factory opened, such as clients of other services."""

PageParams = Annotated[PageRequest, Depends(page_params)]
"""`?limit=&cursor=`: `.limit` and `.after`, the decoded sort values or None."""

IfMatch = Annotated[int, Depends(if_match)]
"""The version the caller saw; 428 without. 0 (`preconditions.CREATE`) says that it must not exist yet."""
