"""Keys and tokens for a local stack and for tests: what an identity provider does in production.

python -m shared.tokens keys --dir .local
python -m shared.tokens token --sub anna --scopes 'invoices:read payments:read' --keys .local
python -m shared.tokens link --url http://127.0.0.1:8004 --keys .local
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from shared import sealing
from shared.clock import real_now
from shared.http.security import AUDIENCE, SCOPES
from shared.http.session import ALL_SCOPES, Sessions
from shared.ids import new_id

ISSUER = "https://dueward.local"
KEY_FILE = "signing-key.pem"
KEY_SET_FILE = "jwks.json"
SESSION_SECRET_FILE = "session-secret"
SECRETS_KEY_FILE = "secrets-key"
TOKEN_LIFE = timedelta(days=30)
LINK_LIFE = timedelta(minutes=15)


def make_keys(folder: Path) -> Path:
    """Make a signing key and its public key set in a folder, unless they are there. Returns the key set's path."""
    key_set, key_file = folder / KEY_SET_FILE, folder / KEY_FILE
    if key_set.exists() and key_file.exists():
        return key_set
    folder.mkdir(parents=True, exist_ok=True)
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    public = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    key_set.write_bytes(orjson.dumps({"keys": [{**public, "kid": str(new_id()), "use": "sig", "alg": "ES256"}]}))
    return key_set


def session_secret(folder: Path) -> str:
    """What sessions and sign-in links of a folder are signed with, as in SESSION_SECRET; made when it is not there."""
    return _kept(folder / SESSION_SECRET_FILE, secrets.token_urlsafe(32))


def secrets_key(folder: Path) -> str:
    """What secrets in a folder's databases are sealed with, as in SECRETS_KEY; made when it is not there."""
    return _kept(folder / SECRETS_KEY_FILE, b64encode(secrets.token_bytes(sealing.KEY_BYTES)).decode())


def _kept(file: Path, new: str) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(new)
    return file.read_text()


def make_token(
    folder: Path,
    subject: str,
    scopes: str = "all",
    *,
    life: timedelta = TOKEN_LIFE,
    audience: str = AUDIENCE,
    issuer: str = ISSUER,
    client_id: str | None = None,
) -> str:
    """An access token (RFC 9068). `scopes` are separated by blanks, or `all`. Raises ValueError for an unknown one."""
    claims = {"client_id": client_id or subject, "scope": _scope_text(scopes)}
    return _sign(folder, "at+jwt", subject, audience, issuer, life, claims)


def make_link(
    folder: Path,
    url: str,
    subject: str = "local",
    scopes: str = "all",
    *,
    name: str | None = None,
    life: timedelta = LINK_LIFE,
    to: str = "/",
) -> str:
    """A sign-in link for a browser: it works once, and for a short time, where this folder's secret is SESSION_SECRET.

    Raises ValueError for an unknown scope.
    """
    expires_at = int((real_now() + life).timestamp())
    granted = scopes if scopes == ALL_SCOPES else _scope_text(scopes)
    code = Sessions(session_secret(folder)).link_code(subject, granted, name or subject, expires_at)
    return f"{url.rstrip('/')}/sign-in/{code}" + (f"?next={quote(to, safe='/')}" if to != "/" else "")


def _scope_text(scopes: str) -> str:
    names = list(SCOPES) if scopes == ALL_SCOPES else scopes.split()
    if unknown := set(names) - SCOPES.keys():
        raise ValueError(f"no such scope: {', '.join(sorted(unknown))}; there are {', '.join(SCOPES)}")
    return " ".join(names)


def _sign(
    folder: Path, kind: str, subject: str, audience: str, issuer: str, life: timedelta, claims: dict[str, str]
) -> str:
    key_id = orjson.loads((folder / KEY_SET_FILE).read_bytes())["keys"][0]["kid"]
    now = real_now()
    claims = {**claims, "iss": issuer, "aud": audience, "sub": subject, "jti": str(new_id())}
    timed = {**claims, "iat": int(now.timestamp()), "exp": int((now + life).timestamp())}
    return jwt.encode(timed, (folder / KEY_FILE).read_bytes(), algorithm="ES256", headers={"typ": kind, "kid": key_id})


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m shared.tokens", description="Keys and tokens for a local stack.")
    commands = parser.add_subparsers(dest="command", required=True)

    keys = commands.add_parser("keys", help="make a signing key and its public key set, unless they are there")
    keys.add_argument("--dir", type=Path, default=Path(".local"), help="folder of %(default)s")

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--keys", type=Path, default=Path(".local"), help="folder with the keys (%(default)s)")
    common.add_argument("--scopes", default=ALL_SCOPES, help="blank-separated, or all (%(default)s)")

    token = commands.add_parser("token", parents=[common], help="print an access token")
    token.add_argument("--sub", required=True, help="who it is for")
    token.add_argument("--issuer", default=ISSUER, help="%(default)s")
    token.add_argument("--client-id", help="the client; the subject itself by default")
    token.add_argument("--ttl", type=int, default=int(TOKEN_LIFE.total_seconds()), help="seconds (%(default)s)")

    link = commands.add_parser("link", parents=[common], help="print a one-time sign-in link")
    link.add_argument("--url", required=True, help="where the pages are, such as http://127.0.0.1:8004")
    link.add_argument("--sub", default="local", help="who signs in (%(default)s)")
    link.add_argument("--name", help="how the pages call them")
    link.add_argument("--to", default="/", help="the page to open (%(default)s)")
    link.add_argument("--ttl", type=int, default=int(LINK_LIFE.total_seconds()), help="seconds (%(default)s)")

    given = parser.parse_args(arguments)
    try:
        print(_run(given))
    except (ValueError, OSError) as error:
        print(f"shared.tokens: {error}", file=sys.stderr)
        return 1
    return 0


def _run(given: argparse.Namespace) -> str:
    if given.command == "keys":
        return str(make_keys(given.dir))
    life = timedelta(seconds=given.ttl)
    if given.command == "token":
        return make_token(
            given.keys, given.sub, given.scopes, life=life, issuer=given.issuer, client_id=given.client_id
        )
    return make_link(given.keys, given.url, given.sub, given.scopes, name=given.name, life=life, to=given.to)


if __name__ == "__main__":
    sys.exit(main())
