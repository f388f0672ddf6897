"""What somebody answers on the page of a step, as a command: the form read, the reason written."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from api.access import ALLOWED
from api.installation import Installation
from api.pages.turns import Turn
from api.problems import Problem
from domain.canonical import digest_of
from domain.commands import AcceptReport, RejectStep, ReturnReport, ReturnStep, SignOff
from domain.sign_in import Acting
from domain.values import BusinessText, Digest, TextRef
from locales import mark
from storage.idempotency import IdempotencyConflict
from storage.texts import TextRefused

AnyAnswer = SignOff | ReturnStep | RejectStep | AcceptReport | ReturnReport

KEY = re.compile(r"^[0-9a-f]{32}$")
REASONED = ("return_step", "reject_step", "return_report")
MOST_MISSING = 50

NO_REASON = mark("Write the reason: it is sent with the answer and stays in the file.")
REASON_REFUSED = mark("The reason cannot be kept as it is: it is too long, or has characters that are no text.")
MISSING_REFUSED = mark("Each thing that is missing is one line of at most 300 characters, 50 lines at most.")

_LINE: TypeAdapter[str] = TypeAdapter(BusinessText)
_DIGEST: TypeAdapter[str] = TypeAdapter(Digest)


class AnswerRefused(Exception):
    """Fields that must be put right: (field, sentence to be translated, its parameters)."""

    def __init__(self, *errors: tuple[str, str, dict[str, object]]) -> None:
        super().__init__("the form is not complete")
        self.errors = errors


@dataclass(frozen=True)
class Answered:
    """The form of a step, read. `digest` is that of the dossier which the page showed."""

    act: str
    digest: str
    key: str
    reason: str
    kind: str
    missing: tuple[str, ...]
    signature: dict[str, Any] | None

    @classmethod
    def read(cls, form: Mapping[str, str], turn: Turn) -> Self:
        """Return what a form says; raises AnswerRefused for what a person can put right, else `body_malformed`."""
        act, key, kind = form.get("act", ""), form.get("key", ""), form.get("kind", "amend")
        try:
            digest = _DIGEST.validate_python(form.get("digest", ""))
            signature = json.loads(form["signature"]) if form.get("signature") else None
        except ValueError:
            raise Problem("body_malformed") from None
        if act not in turn.acts or not KEY.fullmatch(key) or kind not in ("amend", "incomplete"):
            raise Problem("body_malformed")
        reason, lines = form.get("reason", ""), form.get("missing", "").splitlines()
        if act in REASONED and not reason.strip():
            raise AnswerRefused((f"{act}-reason", NO_REASON, {}))
        try:
            missing = tuple(_LINE.validate_python(line) for line in lines if line.strip())
        except ValidationError:
            raise AnswerRefused((f"{act}-missing", MISSING_REFUSED, {})) from None
        if len(missing) > MOST_MISSING:
            raise AnswerRefused((f"{act}-missing", MISSING_REFUSED, {}))
        return cls(act, digest, key, reason, kind, missing, signature)


async def command_of(at: Installation, delegation: str, turn: Turn, answered: Answered, actor: Acting) -> AnyAnswer:
    """Return the command, its reason in the register; raises AnswerRefused, Problem `idempotency_key_reused`."""
    said: dict[str, Any] = (
        {"report_digest": answered.digest}
        if turn.of_report
        else {"step_id": turn.id, "dossier_digest": answered.digest}
    )
    if answered.signature is not None:
        said["signature"] = answered.signature
    if answered.act in REASONED:
        said["reason"] = await _written(at, delegation, answered, actor)
    if answered.act == "return_step":
        said |= {"kind": answered.kind, "missing": answered.missing}
    try:
        return KINDS[answered.act].model_validate(said)
    except ValidationError:
        raise Problem("body_malformed") from None


KINDS: dict[str, type[AnyAnswer]] = {
    "sign_off": SignOff,
    "return_step": ReturnStep,
    "reject_step": RejectStep,
    "accept_report": AcceptReport,
    "return_report": ReturnReport,
}


async def _written(at: Installation, delegation: str, answered: Answered, actor: Acting) -> TextRef:
    if not set(actor.roles) & set(ALLOWED["write_text"]):
        raise Problem("role_not_allowed")
    try:
        return await at.texts.write(
            delegation, answered.reason, idempotency_key=digest_of(["text", actor.id, delegation, answered.key])
        )
    except TextRefused:
        raise AnswerRefused((f"{answered.act}-reason", REASON_REFUSED, {})) from None
    except IdempotencyConflict:
        raise Problem("idempotency_key_reused") from None
