"""Calls to gateways and hooks: what is certain about a message after one, and which addresses may be called at all.

A call is made once. What certainly did not leave may be tried again; what may have arrived is in doubt, unless the
other side can tell a repeat.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpx

from shared.mail import Fate

ANSWER_BYTES_MAX = 64 * 1024
REASON_CHARACTERS_MAX = 300
RETRY_AFTER_SECONDS_MAX = 3_600

_NAT64 = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are an IPv4 address."""
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a message. `opted_out`: its owner wants no more on this channel; `provider_id` is the other
    side's name for it; `retry_after_seconds` is how long it asks to be left alone."""

    fate: Fate
    reason: str | None = None
    address_refused: bool = False
    opted_out: bool = False
    provider_id: str | None = None
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the other side said."""

    status: int
    text: str
    retry_after_seconds: float | None


class AddressForbidden(ValueError):
    """The address leads into a private network, or is none for HTTP."""


@asynccontextmanager
async def outside_client(timeout_seconds: float) -> AsyncIterator[httpx.AsyncClient]:
    """A client for calls that are made once: no retries, no redirects, no proxies, and no kept connection, since one
    that the other side is just closing would leave a message in doubt."""
    limits = httpx.Limits(max_connections=50, max_keepalive_connections=0)
    timeout = httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 5.0))
    async with httpx.AsyncClient(limits=limits, timeout=timeout, follow_redirects=False, trust_env=False) as client:
        yield client


async def post(
    client: httpx.AsyncClient, url: str, *, private: bool, auth: tuple[str, str] | None = None, **sent: Any
) -> Reply | Answer:
    """Make the call. An Answer comes back when there is no reply: `deferred` if nothing left, else `doubtful`.

    `private` allows addresses of private networks: for those that the operator set, and for local use. Otherwise the
    name is looked up first and the call goes to the very address that was found fit, whatever the name says later.
    """
    headers: dict[str, str] = dict(sent.pop("headers", {}))
    extensions: Mapping[str, Any] = {}
    target = url
    try:
        if not private:
            target, host, extensions = await _pinned(url)
            headers["host"] = host
        request = client.build_request("POST", target, headers=headers, extensions=dict(extensions), **sent)
    except AddressForbidden as fault:
        return Answer("refused", str(fault))
    except (httpx.InvalidURL, ValueError) as fault:
        return Answer("refused", f"the address cannot be called: {fault}")
    except OSError as fault:
        return Answer("deferred", f"the address was not found: {fault}")
    try:
        # Bounds the whole call: a timeout of httpx's begins anew with every byte.
        async with asyncio.timeout(_seconds(client)):
            return await _send(client, request, auth)
    except _UNSENT as fault:
        return Answer("deferred", f"no connection: {_said(fault)}")
    except (TimeoutError, httpx.TimeoutException):
        return Answer("doubtful", "there was no answer in time")
    except (httpx.HTTPError, OSError) as fault:
        return Answer("doubtful", f"the connection was lost: {_said(fault)}")


async def _send(client: httpx.AsyncClient, request: httpx.Request, auth: tuple[str, str] | None) -> Reply:
    response = await client.send(request, stream=True, auth=auth)
    try:
        body = b""
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    break
        except httpx.HTTPError:
            body = body[:ANSWER_BYTES_MAX]  # The status was said: what it is worth does not hang on the rest.
        return Reply(response.status_code, body.decode(errors="replace"), _retry_after(response))
    finally:
        await response.aclose()


async def _pinned(url: str) -> tuple[httpx.URL, str, Mapping[str, Any]]:
    """The address with its host replaced by an IP address that may be called, the Host header, and the name that the
    certificate has to bear."""
    asked = check_address(url)
    addresses = await _addresses(asked.host, asked.port or 443)
    for address in addresses:
        if not is_public(address):
            raise AddressForbidden(f"{asked.host} leads to {address}, which is not a public address")
    return asked.copy_with(host=str(addresses[0])), asked.netloc.decode("ascii"), {"sni_hostname": asked.host}


async def _addresses(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(str(each[4][0]).partition("%")[0]) for each in found]


def check_address(url: str, *, private: bool = False) -> httpx.URL:
    """An address that people may set: HTTPS, with a host, without a password in it. Raises AddressForbidden for what
    is plain without a look at the network; whether the host is public is seen when it is called. `private` allows
    addresses of private networks, and HTTP."""
    try:
        asked = httpx.URL(url)
    except httpx.InvalidURL as fault:
        raise AddressForbidden(f"this is no address: {fault}") from None
    if asked.scheme != "https" and not (private and asked.scheme == "http"):
        raise AddressForbidden("an address begins with https://")
    if not asked.host or asked.userinfo:
        raise AddressForbidden("an address has a host, and no user or password")
    try:
        literal = ip_address(asked.host)
    except ValueError:
        return asked
    if not private and not is_public(literal):
        raise AddressForbidden(f"{asked.host} is not a public address")
    return asked


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the internet at large, seen through the ways to write IPv4 as IPv6."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def brief(text: str) -> str:
    """As much of an answer as goes into a reason, in one line."""
    return " ".join(text.split())[:REASON_CHARACTERS_MAX]


def _retry_after(response: httpx.Response) -> float | None:
    """In seconds, at most an hour; a date is not read, since nobody's clock but ours counts here."""
    given = response.headers.get("retry-after", "").strip()
    return min(float(given), RETRY_AFTER_SECONDS_MAX) if given.isascii() and given.isdecimal() else None


def _seconds(client: httpx.AsyncClient) -> float:
    return (client.timeout.connect or 5.0) + (client.timeout.read or 30.0)


def _said(fault: BaseException) -> str:
    return brief(str(fault)) or type(fault).__name__
