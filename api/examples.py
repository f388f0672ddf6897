"""An example of every command, for the description of the API and for whoever tries it."""

from typing import Any

REF = "per_7m2k4x9q0w8e5r3t1y6u"
PERSON = {"ref": REF, "commitment": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}
TEXT = {
    "ref": "txt_4h8s2d6f0g9j3k5l7z1x",
    "commitment": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}
DIGEST = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
FILE = {"digest": DIGEST, "media_type": "application/pdf", "size": 48213}

EXAMPLES: dict[str, dict[str, Any]] = {
    "open_delegation": {
        "direction": "inbound",
        "title": "Đoàn nghiên cứu Nhật Bản – Đức – Hoa Kỳ",
        "purpose": "Trao đổi về hợp tác nhân dân",
        "organisation": "song-lam",
        "partner": "Hội Hữu nghị quốc tế",
        "countries": ["JP", "DE", "US"],
        "places": ["Hà Nội", "Huế"],
        "starts": "2027-04-05",
        "ends": "2027-04-11",
        "grade": "C",
    },
    "revise_request": {"ends": "2027-04-10"},
    "attach_document": {
        "document_id": "passport-m-2",
        "kind": "passport_copy",
        "attachment": FILE,
        "concerns": "m-2",
    },
    "justify_limit": {"limit": "LIMIT-MEMBERS", "justification": TEXT},
    "submit_request": {},
    "submit_change": {},
    "withdraw_request": {"reason": TEXT},
    "adopt_rules": {},
    "sign_off": {"step_id": "department-head", "dossier_digest": DIGEST},
    "return_step": {
        "step_id": "department-head",
        "dossier_digest": DIGEST,
        "kind": "incomplete",
        "reason": TEXT,
        "missing": ["02 bản sao hộ chiếu"],
    },
    "reject_step": {"step_id": "department-head", "dossier_digest": DIGEST, "reason": TEXT},
    "record_external_decision": {
        "step_id": "competent_authority",
        "dossier_digest": DIGEST,
        "outcome": "approved",
        "authority": "Ủy ban nhân dân tỉnh Sông Lam",
        "reference": "118/UBND-NV",
        "dated": "2026-05-04",
        "letter": FILE,
    },
    "issue_decision": {"number": "118/QĐ-LHHN", "document": FILE},
    "add_member": {"member_id": "m-2", "person": PERSON, "role": "member", "country": "JP"},
    "replace_member": {"member_id": "m-2", "by": "m-13", "person": PERSON, "country": "JP"},
    "withdraw_member": {"member_id": "m-2", "reason": TEXT},
    "appoint_participant": {"participant_id": "host-hue", "person": PERSON, "role": "host"},
    "release_participant": {"participant_id": "host-hue"},
    "schedule_item": {
        "item_id": "s-11",
        "kind": "session",
        "title": "Làm việc tại Thành phố Hồ Chí Minh",
        "starts": {"local": "2027-04-10T09:00", "zone": "Asia/Ho_Chi_Minh"},
        "ends": {"local": "2027-04-10T11:00", "zone": "Asia/Ho_Chi_Minh"},
        "place": "Trụ sở Liên hiệp",
        "audience": {"groups": ["delegates", "escorts", "coordinators"], "people": ["host-hcm"]},
    },
    "move_item": {
        "item_id": "s-11",
        "starts": {"local": "2027-04-10T14:30", "zone": "Asia/Ho_Chi_Minh"},
        "ends": {"local": "2027-04-10T16:30", "zone": "Asia/Ho_Chi_Minh"},
    },
    "revise_item": {"item_id": "s-11", "place": "Hội trường B"},
    "cancel_item": {"item_id": "s-11"},
    "restore_item": {"item_id": "s-11"},
    "publish_programme": {},
    "invite": {},
    "choose_channel": {"participant_id": "m-2", "channel": "feed"},
    "record_reply": {"participant_id": "m-2", "answer": "accepted", "item_id": "s-11"},
    "resend_mail": {"messages": [f"<{DIGEST}@songlam.example>"]},
    "record_formality": {"kind": "police_notified", "reference": "Công văn 45/LHHN"},
    "hand_over": {"to": "tran-thu"},
    "depart": {},
    "conclude": {},
    "file_report": {"results": TEXT, "annexes": [FILE]},
    "return_report": {"report_digest": DIGEST, "reason": TEXT},
    "accept_report": {"report_digest": DIGEST},
    "postpone": {"reason": TEXT},
    "resume": {"starts": "2027-05-03", "ends": "2027-05-09"},
    "cancel_delegation": {"reason": TEXT},
    "close_delegation": {},
    "reopen_delegation": {"reason": TEXT},
}
"""By the type of the command, without it."""


def command(kind: str) -> dict[str, Any]:
    """Return the example of a command as it is sent."""
    return {"type": kind} | EXAMPLES[kind]


COMMAND_EXAMPLES: Any = {
    **{kind: {"summary": kind, "value": command(kind)} for kind in EXAMPLES if kind != "open_delegation"},
    "batch": {
        "summary": "several, decided as one",
        "value": {"commands": [command("schedule_item"), command("publish_programme")]},
    },
}
OPENING_EXAMPLES: Any = {
    "open_delegation": {"summary": "open a file", "value": {"id": "study-visit-2027"} | command("open_delegation")},
    "batch": {
        "summary": "open a file with its first member",
        "value": {"id": "study-visit-2027", "commands": [command("open_delegation"), command("add_member")]},
    },
}
