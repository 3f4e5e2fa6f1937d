"""A passphrase for the vault's key: where it is read from, and how the key is wrapped with it.

The wrapping key is made of the passphrase by scrypt (RFC 7914), and the vault's key is encrypted
and authenticated with ChaCha20-Poly1305 (RFC 8439). Both come from the package ``cryptography``,
an extra that is looked for when it is needed.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bidsanon.errors import MissingToolError, UsageError
from bidsanon.vault.storage import damaged

PASSPHRASE_VARIABLE = "BIDSANON_PASSPHRASE"  # noqa: S105 (the variable's name)

_FORM = "scrypt+ChaCha20-Poly1305"
_SALT_BYTES = 16
_NONCE_BYTES = 12
_WRAPPING_KEY_BYTES = 32
_MOST_MEMORY_BYTES = 1 << 31


@dataclass(frozen=True, kw_only=True)
class ScryptCost:
    """What one guess of a passphrase costs (RFC 7914, section 2).

    Attributes
    ----------
    n
        How often, a power of two: memory is 128 * n * r bytes.
    r
        The block size.
    p
        How many times in parallel.
    """

    n: int
    r: int
    p: int


# "Use scrypt with a minimum CPU/memory cost parameter of (2^17), a minimum block size of 8
# (1024 bytes), and a parallelization parameter of 1": OWASP, Password Storage Cheat Sheet.
RECOMMENDED_COST = ScryptCost(n=1 << 17, r=8, p=1)
# For tests only.
CHEAP_COST = ScryptCost(n=1 << 4, r=8, p=1)


def read_passphrase(file: Path | None = None) -> str | None:
    """Return the passphrase that the user gave, or None.

    Parameters
    ----------
    file
        A file whose first line it is; None: the environment variable BIDSANON_PASSPHRASE.

    Raises
    ------
    UsageError
        If the file cannot be read, or the passphrase is empty.
    """
    if file is None:
        passphrase = os.environ.get(PASSPHRASE_VARIABLE)
        where = f"the environment variable {PASSPHRASE_VARIABLE}"
    else:
        passphrase = _first_line(file)
        where = "the passphrase's file"
    if passphrase == "":
        raise UsageError(f"{where} is empty", cure="write the passphrase into it")
    return passphrase


def wrap_key(key: bytes, passphrase: str) -> bytes:
    """Encrypt a key with a passphrase.

    Raises
    ------
    MissingToolError
        If the package cryptography is not installed.
    """
    head: dict[str, Any] = {
        "form": _FORM,
        **asdict(RECOMMENDED_COST),
        "salt": _text(secrets.token_bytes(_SALT_BYTES)),
        "nonce": _text(secrets.token_bytes(_NONCE_BYTES)),
    }
    cipher = _cipher(passphrase, head)
    encrypted = cipher.encrypt(base64.b64decode(head["nonce"]), key, _signed(head))
    return json.dumps({**head, "key": _text(encrypted)}).encode()


def unwrap_key(wrapped: bytes, passphrase: str) -> bytes:
    """Decrypt a key.

    Raises
    ------
    UsageError
        If it is another passphrase's.
    MissingToolError
        If the package cryptography is not installed.
    StorageError
        If what is stored cannot be understood.
    """
    _require_cryptography()
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra

    try:
        head = dict(json.loads(wrapped))
        encrypted, nonce = base64.b64decode(head.pop("key")), base64.b64decode(head["nonce"])
        return bytes(_cipher(passphrase, head).decrypt(nonce, encrypted, _signed(head)))
    except InvalidTag as error:
        raise UsageError(
            "the passphrase does not open the vault",
            cure="check how it is spelled; without it the vault cannot be used, only destroyed",
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise damaged() from error


def _first_line(file: Path) -> str:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "the passphrase's file cannot be read", cure="check --passphrase-file"
        ) from error
    return lines[0] if lines else ""


def _cipher(passphrase: str, head: dict[str, Any]) -> Any:
    """Return what encrypts with a key made of the passphrase.

    Raises
    ------
    ValueError
        If the parameters are not those of :data:`_FORM`, or would fill the memory.
    """
    _require_cryptography()
    from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - an extra
        ChaCha20Poly1305,
    )

    cost = ScryptCost(n=head["n"], r=head["r"], p=head["p"])
    if head["form"] != _FORM or 128 * cost.n * cost.r * cost.p > _MOST_MEMORY_BYTES:
        raise ValueError("another form of wrapping")
    return ChaCha20Poly1305(_wrapping_key(passphrase, base64.b64decode(head["salt"]), cost))


@lru_cache(maxsize=4)
def _wrapping_key(passphrase: str, salt: bytes, cost: ScryptCost) -> bytes:
    """Derive a key. A run opens its vault several times; it pays the cost once."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415 - an extra

    derive = Scrypt(salt=salt, length=_WRAPPING_KEY_BYTES, n=cost.n, r=cost.r, p=cost.p)
    return derive.derive(passphrase.encode("utf-8", "surrogateescape"))


def _require_cryptography() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingToolError(
            "a passphrase needs the package cryptography, which is not installed",
            cure="pip install 'bidsanon[passphrase]'",
        ) from error


def _signed(head: dict[str, Any]) -> bytes:
    """Return the parameters as they are authenticated together with the key."""
    return json.dumps(head, sort_keys=True).encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
