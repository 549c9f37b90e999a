"""Assessments as they were made, and each customer's credit file, which knows the newest and when to look again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.credit.assessments.rules import Assessment, CreditFile, Material, Result, Standing
from services.credit.scorecards.rules import RiskClass
from shared.db import Tx

_MATERIAL = TypeAdapter(Material)
_RESULT = TypeAdapter(Result)

REASSESS_DUE = "(select min(reassess_at) from credit_file)"
"""The first entry of an index; nothing where nobody was assessed."""


async def lock_file(tx: Tx, customer_id: UUID) -> CreditFile | None:
    """Locked before the material is gathered, so that what happens meanwhile waits and asks for another look."""
    row = await tx.fetchrow("select * from credit_file where customer_id = $1 for update", customer_id)
    return _file(row) if row else None


async def standings(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, Standing]:
    rows = await tx.fetch("select * from credit_file where customer_id = any($1)", list(customer_ids))
    return {row["customer_id"]: _standing(row) for row in rows}


async def add(tx: Tx, assessment: Assessment) -> None:
    await tx.execute(
        _ADD,
        assessment.id,
        assessment.customer_id,
        assessment.assessed_at,
        assessment.material.assessed_on,
        assessment.assessed_by,
        list(assessment.because),
        assessment.scorecard,
        assessment.scorecard_version,
        _MATERIAL.dump_python(assessment.material, mode="json"),
        _RESULT.dump_python(assessment.result, mode="json"),
        assessment.result.valid_until,
    )


_ADD = """
insert into assessment (id, customer_id, assessed_at, assessed_on, assessed_by, because, scorecard, scorecard_version,
                        material, result, valid_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


async def save_file(tx: Tx, customer_id: UUID, file: CreditFile, reassess_at: datetime) -> None:
    standing = file.standing
    await tx.execute(
        _SAVE_FILE,
        customer_id,
        file.id,
        file.version,
        standing.assessment_id,
        file.scorecard,
        standing.risk_class,
        standing.score,
        standing.probability_of_default,
        file.assessed_at,
        standing.valid_until,
        reassess_at,
    )


_SAVE_FILE = """
insert into credit_file (customer_id, id, version, assessment_id, scorecard, risk_class, score, probability_of_default,
                         assessed_at, valid_until, reassess_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (customer_id) do update set
    version = excluded.version,
    assessment_id = excluded.assessment_id,
    scorecard = excluded.scorecard,
    risk_class = excluded.risk_class,
    score = excluded.score,
    probability_of_default = excluded.probability_of_default,
    assessed_at = excluded.assessed_at,
    valid_until = excluded.valid_until,
    reassess_at = excluded.reassess_at,
    reassess_because = '{}'
"""


async def remove_file(tx: Tx, customer_id: UUID) -> None:
    await tx.execute("delete from credit_file where customer_id = $1", customer_id)


async def note(tx: Tx, causes: Mapping[UUID, Collection[str]]) -> None:
    """Have these customers assessed again, those at least that have been: at once, but by itself once a day at most."""
    rows = [(customer_id, cause) for customer_id, found in sorted(causes.items()) for cause in sorted(found)]
    await tx.execute(_NOTE, [row[0] for row in rows], [row[1] for row in rows], tx.now)


_NOTE = """
update credit_file f
set reassess_at = least(f.reassess_at,
                        greatest($3, date_trunc('day', f.assessed_at, 'UTC') + interval '1 day')),
    reassess_because = array(select distinct unnest(f.reassess_because || n.causes) order by 1)
from (select customer_id, array_agg(cause) as causes
      from unnest($1::uuid[], $2::text[]) as t (customer_id, cause) group by customer_id) n
where f.customer_id = n.customer_id
"""


async def due(tx: Tx, count_max: int) -> list[UUID]:
    """Customers to assess again, in the one order in which customers are locked."""
    rows = await tx.fetch(_DUE, tx.now, count_max)
    return sorted(row["customer_id"] for row in rows)


_DUE = "select customer_id from credit_file where reassess_at <= $1 order by reassess_at limit $2"


async def find(tx: Tx, assessment_id: UUID) -> Assessment | None:
    row = await tx.fetchrow("select * from assessment where id = $1", assessment_id)
    return _assessment(row) if row else None


async def page(tx: Tx, customer_id: UUID, before: UUID | None, count_max: int) -> Sequence[Assessment]:
    """Newest first."""
    return [_assessment(row) for row in await tx.fetch(_PAGE, customer_id, before, count_max)]


_PAGE = """
select * from assessment
where customer_id = $1 and ($2::uuid is null or id < $2)
order by id desc
limit $3
"""


async def classes_until(
    tx: Tx, customer_ids: Sequence[UUID], until: datetime
) -> list[tuple[UUID, datetime, UUID, RiskClass]]:
    """(customer_id, assessed_at, assessment_id, risk_class) of every assessment before, the oldest first."""
    return [tuple(row) for row in await tx.fetch(_CLASSES_UNTIL, customer_ids, until)]


_CLASSES_UNTIL = """
select customer_id, assessed_at, id, result -> 'score' ->> 'risk_class'
from assessment where customer_id = any($1) and assessed_at < $2
order by customer_id, id
"""


async def materials(tx: Tx, assessment_ids: Collection[UUID]) -> dict[UUID, Material]:
    rows = await tx.fetch("select id, material from assessment where id = any($1)", list(assessment_ids))
    return {row["id"]: _MATERIAL.validate_python(row["material"]) for row in rows}


BOOK_CHUNK = 500


async def book(tx: Tx) -> AsyncIterator[tuple[UUID, Standing, Material]]:
    """Every customer's newest assessment, a chunk at a time."""
    after: UUID | None = None
    while rows := await tx.fetch(_BOOK, after, BOOK_CHUNK):
        for row in rows:
            yield row["customer_id"], _standing(row), _MATERIAL.validate_python(row["material"])
        after = rows[-1]["customer_id"]


_BOOK = """
select f.*, a.material
from credit_file f join assessment a on a.id = f.assessment_id
where $1::uuid is null or f.customer_id > $1
order by f.customer_id
limit $2
"""


def _standing(row: Any) -> Standing:
    return Standing(
        risk_class=row["risk_class"],
        score=row["score"],
        probability_of_default=row["probability_of_default"],
        valid_until=row["valid_until"],
        assessment_id=row["assessment_id"],
    )


def _file(row: Any) -> CreditFile:
    return CreditFile(
        id=row["id"],
        version=row["version"],
        scorecard=row["scorecard"],
        standing=_standing(row),
        assessed_at=row["assessed_at"],
        because=tuple(row["reassess_because"]),
    )


def _assessment(row: Any) -> Assessment:
    return Assessment(
        id=row["id"],
        customer_id=row["customer_id"],
        assessed_at=row["assessed_at"],
        assessed_by=row["assessed_by"],
        because=tuple(row["because"]),
        scorecard=row["scorecard"],
        scorecard_version=row["scorecard_version"],
        material=_MATERIAL.validate_python(row["material"]),
        result=_RESULT.validate_python(row["result"]),
    )
