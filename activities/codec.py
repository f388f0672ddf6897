"""Payloads in Temporal's histories, encrypted with AES-256-GCM under the master key (every profile but the demo).

Each payload says which key sealed it, so that keys rotate while old histories stay readable. Headers, search attributes
and the types of failures stay plain: they carry codes and opaque references only.
"""

from collections.abc import Sequence
from dataclasses import replace

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadCodec, PayloadConverter
from temporalio.exceptions import ApplicationError

from storage.keyring import Keyring

ENCODING = b"binary/legation-aes-gcm"
CONTEXT = b"temporal-payload"


class EncryptingCodec(PayloadCodec):
    """Encrypts whole payloads, metadata included. A payload that was stored plain is read as it is."""

    def __init__(self, keyring: Keyring) -> None:
        """Seal with the newest master key of the keyring; open with whichever key a payload names."""
        self._keyring = keyring

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads sealed."""
        return [
            Payload(
                metadata={"encoding": ENCODING},
                data=self._keyring.encrypt(payload.SerializeToString(), context=CONTEXT),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads opened; raises CiphertextDamaged or UnknownMasterKey."""
        return [self._open(payload) for payload in payloads]

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        return Payload.FromString(self._keyring.decrypt(payload.data, context=CONTEXT))


class Stackless(DefaultFailureConverter):
    """Failures as codes and details, without the stack of whoever raised them.

    A refusal is an answer, not an accident; its stack would name a machine's folders in a history kept for years.
    """

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Write a failure, and by the same way each of its causes."""
        if isinstance(exception, ApplicationError):
            exception.__traceback__ = None
        super().to_failure(exception, payload_converter, failure)


class SealedStackless(Stackless):
    """The same, with the message among what the codec encrypts; kind and type stay plain."""

    def __init__(self) -> None:
        """Encode the attributes that all failures have."""
        super().__init__(encode_common_attributes=True)


def data_converter(keyring: Keyring | None) -> DataConverter:
    """Return how values travel through Temporal: as pydantic JSON, sealed when a keyring is given."""
    if keyring is None:
        return replace(pydantic_data_converter, failure_converter_class=Stackless)
    return replace(
        pydantic_data_converter,
        payload_codec=EncryptingCodec(keyring),
        failure_converter_class=SealedStackless,
    )
