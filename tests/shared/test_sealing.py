"""Secrets at rest: what opens, what does not, and which settings are refused."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sealing import SealBroken, Seals, is_sealed, read_keys

OLD, NEW = b"o" * 32, b"n" * 32


def text(*keys: bytes) -> str:
    return " ".join(b64encode(key).decode() for key in keys)


@given(secret=st.binary(max_size=200), place=st.text(st.characters(codec="utf-8"), max_size=40))
def test_what_is_sealed_opens_for_its_place_alone(secret: bytes, place: str) -> None:
    seals = Seals([NEW, OLD])
    sealed = seals.seal(secret, place)
    assert is_sealed(sealed)
    assert seals.open(sealed, place) == secret
    with pytest.raises(SealBroken, match="another row's"):
        seals.open(sealed, place + "!")


@given(place=st.integers(0, 10_000))
def test_no_byte_of_it_can_be_changed_unseen(place: int) -> None:
    seals = Seals([NEW])
    sealed = bytearray(seals.seal(b"secret", "row 1"))
    place %= len(sealed)
    sealed[place] ^= 1
    if place == 0:  # It says of itself no more that it is sealed.
        assert seals.open(bytes(sealed), "row 1") != b"secret"
    else:
        with pytest.raises(SealBroken):
            seals.open(bytes(sealed), "row 1")


def test_the_same_secret_never_looks_the_same() -> None:
    seals = Seals([NEW])
    assert len({seals.seal(b"secret", "row 1") for _ in range(100)}) == 100


def test_the_newest_key_seals_and_the_others_open() -> None:
    before, between, after = Seals([OLD]), Seals([NEW, OLD]), Seals([NEW])
    sealed = before.seal(b"secret", "row 1")
    assert between.open(sealed, "row 1") == b"secret"
    assert not between.is_current(sealed)
    renewed = between.renewed(sealed, "row 1")
    assert between.renewed(renewed, "row 1") is renewed
    assert after.open(renewed, "row 1") == b"secret"
    with pytest.raises(SealBroken, match="no more the key"):
        after.open(sealed, "row 1")


@given(bare=st.binary(min_size=32, max_size=32))
def test_a_bare_key_is_never_taken_for_a_sealed_one(bare: bytes) -> None:
    assert Seals([NEW]).open(bare, "row 1") == bare
    assert not is_sealed(b"\x01" + bare[1:])
    assert not Seals([NEW]).is_current(bare)


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ("", "SECRETS_KEY is not set"),
        ("  ", "SECRETS_KEY is not set"),
        ("secret!", "key 1 of SECRETS_KEY is not base64"),
        (f"{text(NEW)} {text(OLD)[:-5]}", "key 2 of SECRETS_KEY is not base64"),
        (text(b"n" * 31), "key 1 of SECRETS_KEY has 31 bytes"),
        (f"{text(NEW)} {text(b'o' * 33)}", "key 2 of SECRETS_KEY has 33 bytes"),
    ],
)
def test_a_setting_that_seals_nothing_is_refused_in_words(setting: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_keys(setting)
    assert read_keys(text(NEW, OLD)) == [NEW, OLD]
