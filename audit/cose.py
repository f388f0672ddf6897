"""Public keys of passkeys (COSE, RFC 9052 section 7) and the signatures made with them.

Read here, in a few lines, since a verifier should rest on as little as it can: one map of integers and byte strings.
"""

from collections.abc import Iterator

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

KTY, ALG, CURVE, X, Y = 1, 3, -1, -2, -3
N, E = -1, -2
"""What the labels -1 and -2 are of an RSA key (RFC 8230 section 4)."""

ES256 = (2, -7)
EDDSA = (1, -8)
RS256 = (3, -257)
P256, ED25519 = 1, 6

Key = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class KeyUnreadable(ValueError):
    """A public key of another kind, or none at all."""


def read_key(cose: bytes) -> Key:
    """Return a public key for ES256, EdDSA (Ed25519) or RS256; KeyUnreadable for every other."""
    said = _map(cose)
    kind = (said.get(KTY), said.get(ALG))
    try:
        if kind == ES256 and said.get(CURVE) == P256:
            x, y = (int.from_bytes(_octets(said, label)) for label in (X, Y))
            return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        if kind == EDDSA and said.get(CURVE) == ED25519:
            return ed25519.Ed25519PublicKey.from_public_bytes(_octets(said, X))
        if kind == RS256:
            n, e = (int.from_bytes(_octets(said, label)) for label in (N, E))
            return rsa.RSAPublicNumbers(e, n).public_key()
    except ValueError as invalid:
        raise KeyUnreadable("the numbers are no key") from invalid
    raise KeyUnreadable("a key of another kind")


def holds(key: Key, signature: bytes, content: bytes) -> bool:
    """Whether a signature over content was made with the private half of this key."""
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signature, content, ec.ECDSA(SHA256()))
            case ed25519.Ed25519PublicKey():
                key.verify(signature, content)
            case rsa.RSAPublicKey():
                key.verify(signature, content, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _octets(said: dict[int, int | bytes], label: int) -> bytes:
    value = said.get(label)
    if not isinstance(value, bytes):
        raise KeyUnreadable("a part of the key is missing")
    return value


def _map(cose: bytes) -> dict[int, int | bytes]:
    """Read a CBOR map (RFC 8949) whose keys are integers; the only kinds are integers and byte strings."""
    reading = iter(cose)
    try:
        kind, count = _head(reading)
        if kind != 5:
            raise KeyUnreadable("no map")
        found: dict[int, int | bytes] = {}
        for _ in range(count):
            label = _item(reading)
            if not isinstance(label, int) or label in found:
                raise KeyUnreadable("a label that is no integer, or stands twice")
            found[label] = _item(reading)
    except StopIteration:
        raise KeyUnreadable("cut off") from None
    if next(reading, None) is not None:
        raise KeyUnreadable("something stands behind the key")
    return found


def _item(reading: Iterator[int]) -> int | bytes:
    kind, number = _head(reading)
    match kind:
        case 0:
            return number
        case 1:
            return -1 - number
        case 2:
            return _taken(reading, number)
    raise KeyUnreadable("neither an integer nor a byte string")


def _taken(reading: Iterator[int], count: int) -> bytes:
    taken = bytearray()
    for _ in range(count):
        taken.append(next(reading))
    return bytes(taken)


def _head(reading: Iterator[int]) -> tuple[int, int]:
    first = next(reading)
    kind, short = first >> 5, first & 0x1F
    if short < 24:
        return kind, short
    if short > 27:
        raise KeyUnreadable("a length that is not said")
    return kind, int.from_bytes(_taken(reading, 1 << (short - 24)))
