"""Secrets at rest: sealed with AES-256-GCM (NIST SP 800-38D) under a key of the operator's, each for one place.

A sealed value is a version byte, the first four bytes of its key's SHA-256, a nonce and the ciphertext with its tag.
The place, such as a table and the id of a row, is authenticated with it: copied into another row it does not open.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Sequence
from hashlib import sha256
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import DomainError

KEY_BYTES = 32
_VERSION = b"\x01"
_NAME_BYTES, _NONCE_BYTES, _TAG_BYTES = 4, 12, 16
_NONCE_AT = len(_VERSION) + _NAME_BYTES
_TEXT_AT = _NONCE_AT + _NONCE_BYTES


class SealBroken(DomainError):
    status = 500
    slug = "secret-unreadable"
    title = "A secret in the database cannot be opened"


def read_keys(setting: str) -> list[bytes]:
    """Keys as they stand in SECRETS_KEY, the newest first, with blanks between. Raises ValueError."""
    keys = []
    for number, text in enumerate(setting.split(), 1):
        try:
            keys.append(b64decode(text, validate=True))
        except Error:
            raise ValueError(f"key {number} of SECRETS_KEY is not base64") from None
        if len(keys[-1]) != KEY_BYTES:
            raise ValueError(f"key {number} of SECRETS_KEY has {len(keys[-1])} bytes, and needs {KEY_BYTES}")
    if not keys:
        raise ValueError("SECRETS_KEY is not set: 32 random bytes in base64, such as `openssl rand -base64 32` prints")
    return keys


def is_sealed(value: bytes) -> bool:
    """Whether a value is one of these. A bare key of 32 bytes or a text never is: the one is too short, and the other
    begins otherwise."""
    return len(value) >= _TEXT_AT + _TAG_BYTES and value.startswith(_VERSION)


class Seals:
    """The newest key seals; each of them opens what it sealed. What was kept bare, before there were seals, opens as
    it is."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_name_of(key): AESGCM(key) for key in reversed(keys)}
        self._newest = _name_of(keys[0])

    def seal(self, secret: bytes, place: str) -> bytes:
        nonce = token_bytes(_NONCE_BYTES)
        return _VERSION + self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, secret, place.encode())

    def open(self, value: bytes, place: str) -> bytes:
        """Raises SealBroken."""
        if not is_sealed(value):
            return value
        cipher = self._ciphers.get(value[len(_VERSION) : _NONCE_AT])
        if cipher is None:
            raise SealBroken(f"SECRETS_KEY has no more the key under which the secret of {place} is sealed")
        try:
            return cipher.decrypt(value[_NONCE_AT:_TEXT_AT], value[_TEXT_AT:], place.encode())
        except InvalidTag:
            raise SealBroken(f"the secret of {place} was changed, or is another row's") from None

    def is_current(self, value: bytes) -> bool:
        """Whether it is sealed, and under the newest key."""
        return is_sealed(value) and value[len(_VERSION) : _NONCE_AT] == self._newest

    def renewed(self, value: bytes, place: str) -> bytes:
        """The same secret under the newest key. Raises SealBroken."""
        return value if self.is_current(value) else self.seal(self.open(value, place), place)


def _name_of(key: bytes) -> bytes:
    return sha256(key).digest()[:_NAME_BYTES]
