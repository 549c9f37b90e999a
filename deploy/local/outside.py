"""Servers that are not the stack's own: whether they answer, asked before anything is started against them.

Somebody who mistyped an address reads within half a minute which variable names it; afterwards the services wait for
their servers as long as it takes, as they do in production.
"""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit

import asyncpg

from shared import broker as brokers

ANSWERS_WITHIN_S = 15.0
LOOK_AGAIN_S = 1.0
POSTGRES_PORT = 5432


class OutsidePartFailed(Exception):
    """A server that the environment names cannot be used; the message names the variable, the address and the fault."""


def database_address(url: str) -> str:
    """`host:port` of a DATABASE_URL, which may hold a password and is never shown whole."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or POSTGRES_PORT}"


async def require_database(url: str, within_s: float = ANSWERS_WITHIN_S) -> None:
    """Return once PostgreSQL lets this user in; whether the database named exists does not matter, others are made.

    Raises:
        OutsidePartFailed: nothing answered in time, or the user was refused.
    """
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        left = deadline - asyncio.get_running_loop().time()
        try:
            connection = await asyncpg.connect(url, timeout=max(1, round(left)))
        except asyncpg.InvalidCatalogNameError:
            return
        except asyncpg.CannotConnectNowError as error:  # It is starting up.
            fault = str(error)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ssl.SSLError, ValueError) as error:
            raise _failed("DATABASE_URL", database_address(url), f"PostgreSQL refuses: {error}") from None
        except (OSError, TimeoutError) as error:
            fault = _words(error)
        else:
            await connection.close()
            return
        if left <= LOOK_AGAIN_S:
            raise _failed("DATABASE_URL", database_address(url), f"no PostgreSQL answers there: {fault}")
        await asyncio.sleep(LOOK_AGAIN_S)


async def require_broker(house: brokers.Broker, within_s: float = ANSWERS_WITHIN_S) -> None:
    """Return once a broker says which cluster it is.

    Raises:
        OutsidePartFailed: none did in time.
    """
    try:
        async with asyncio.timeout(within_s), brokers.admin(house) as client:
            await brokers.cluster_id(client)
    except TimeoutError:
        fault = f"no Kafka broker answered there within {within_s:g} s"
        raise _failed("KAFKA_BOOTSTRAP_SERVERS", house.bootstrap_servers, fault) from None


def _failed(variable: str, address: str, fault: str) -> OutsidePartFailed:
    return OutsidePartFailed(f"{variable} names {address}, but {fault}. Correct it, or unset it for the stack's own.")


def _words(error: Exception) -> str:
    return str(error) or "it took too long"
