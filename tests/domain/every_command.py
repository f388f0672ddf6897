"""One well-formed command of every type, and the list of types, taken from the union that the API parses."""

from typing import get_args

from domain import commands as c
from domain.values import Value
from tests.builders import member, moved, opening, pdf, person, serving, session, text

NO_DIGEST = "0" * 64
MESSAGE = f"<{NO_DIGEST}@songlam.example>"


def types_of(union: object) -> dict[str, type[Value]]:
    """Return the commands of an annotated union by their type."""
    inner = get_args(union)[0]
    found = [part for each in get_args(inner) for part in (types_of(each).values() if get_args(each) else [each])]
    return {command.model_fields["type"].default: command for command in found}


PUBLIC = types_of(c.PublicCommand)
SYSTEM = types_of(c.SystemCommand)
ALL = PUBLIC | SYSTEM

EXAMPLES: tuple[Value, ...] = (
    opening(),
    c.ReviseRequest(title="Another title"),
    c.AttachDocument(document_id="letter", kind="letter", attachment=pdf()),
    c.JustifyLimit(limit="OUT-MEMBERS", justification=text()),
    c.SubmitRequest(),
    c.SubmitChange(),
    c.WithdrawRequest(reason=text()),
    c.AdoptRules(),
    c.SignOff(step_id="department_head", dossier_digest=NO_DIGEST),
    c.ReturnStep(step_id="department_head", dossier_digest=NO_DIGEST, reason=text()),
    c.RejectStep(step_id="department_head", dossier_digest=NO_DIGEST, reason=text()),
    c.RecordExternalDecision.model_validate(
        {
            "step_id": "external",
            "dossier_digest": NO_DIGEST,
            "outcome": "approved",
            "authority": "Provincial People's Committee",
            "reference": "118/UBND-NV",
            "dated": "2026-03-05",
            "letter": pdf("letter"),
        }
    ),
    c.IssueDecision(number="27/QĐ"),
    member("kato"),
    c.ReplaceMember(member_id="ito", by="mori", person=person("mori"), country="JP"),
    c.WithdrawMember(member_id="ito"),
    serving("lan"),
    c.ReleaseParticipant(participant_id="bao"),
    session("wednesday", "2026-04-08T09:00", "2026-04-08T10:00"),
    moved("monday", "2026-04-06T15:00", "2026-04-06T16:00"),
    c.ReviseItem(item_id="monday", title="Welcome"),
    c.CancelItem(item_id="monday"),
    c.RestoreItem(item_id="monday"),
    c.PublishProgramme(),
    c.Invite(),
    c.ChooseChannel(participant_id="ito", channel="feed"),
    c.RecordReply(participant_id="ito", answer="accepted"),
    c.ResendMail(messages=(MESSAGE,)),
    c.RecordFormality(kind="police_notified"),
    c.HandOver(to="coordinator-2"),
    c.Depart(),
    c.Conclude(),
    c.FileReport(results=text()),
    c.ReturnReport(report_digest=NO_DIGEST, reason=text()),
    c.AcceptReport(report_digest=NO_DIGEST),
    c.Postpone(reason=text()),
    c.Resume.model_validate({"starts": "2026-05-11", "ends": "2026-05-17"}),
    c.CancelDelegation(reason=text()),
    c.CloseDelegation(),
    c.ReopenDelegation(reason=text()),
    c.Tick(),
    c.ReviewDesks(),
    c.RecordDelivery(issue=1, sent=1),
    c.RecordDocument(
        kind="final_report", number=1, versions=(c.RenderedDocument(language="vi", attachment=pdf("rendered")),)
    ),
    c.RecordNotice(effect="reminder:report:2026-04-15:1", sent=1),
    c.RecordBounce(message_id=MESSAGE, status="5.1.1", kind="itinerary_request"),
    c.RecordFailure(effect="calendars:1", code="mail_refused"),
)
