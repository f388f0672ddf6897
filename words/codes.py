"""What the API names by stable codes, in words. A code that only a newer API knows is shown as it stands."""

from collections.abc import Mapping

from locales import Translator, mark

PHASES = {
    "drafted": mark("drafted"),
    "submitted": mark("submitted"),
    "under_approval": mark("under approval"),
    "returned": mark("returned"),
    "approved": mark("approved, being planned"),
    "inviting": mark("inviting"),
    "under_way": mark("under way"),
    "reporting": mark("reporting"),
    "closed": mark("closed"),
    "rejected": mark("rejected"),
    "postponed": mark("postponed"),
    "cancelled": mark("cancelled"),
}

COMMANDS = {
    "open_delegation": mark("Open a file"),
    "revise_request": mark("Change the request"),
    "attach_document": mark("Add a document"),
    "justify_limit": mark("Justify the limit"),
    "submit_request": mark("Submit the proposal"),
    "submit_change": mark("Submit the change"),
    "withdraw_request": mark("Take the proposal back"),
    "adopt_rules": mark("Adopt the newer rules"),
    "sign_off": mark("Sign"),
    "return_step": mark("Send it back"),
    "reject_step": mark("Refuse the proposal"),
    "record_external_decision": mark("Record the letter of the outside authority"),
    "issue_decision": mark("Issue the decision"),
    "add_member": mark("Add a delegate"),
    "replace_member": mark("Replace a delegate"),
    "withdraw_member": mark("Withdraw a delegate"),
    "appoint_participant": mark("Appoint a person"),
    "release_participant": mark("Release a person"),
    "schedule_item": mark("Add an item"),
    "move_item": mark("Move an item"),
    "revise_item": mark("Change an item"),
    "cancel_item": mark("Cancel an item"),
    "restore_item": mark("Take back the draft of an item"),
    "publish_programme": mark("Publish the programme"),
    "invite": mark("Send the invitations"),
    "choose_channel": mark("Choose how somebody hears"),
    "record_reply": mark("Record an answer"),
    "resend_mail": mark("Send again what did not arrive"),
    "record_formality": mark("Record a formality"),
    "hand_over": mark("Hand the file over"),
    "depart": mark("Record that the journey has begun"),
    "conclude": mark("Record that the journey has ended"),
    "file_report": mark("File the report"),
    "return_report": mark("Send the report back"),
    "accept_report": mark("Accept the report"),
    "postpone": mark("Put the delegation off"),
    "resume": mark("Take the delegation up again"),
    "cancel_delegation": mark("Call the delegation off"),
    "close_delegation": mark("Close the file"),
    "reopen_delegation": mark("Open the file again"),
    "tick": mark("Look at the due dates"),
    "review_desks": mark("Look who stands in"),
    "record_delivery": mark("Record what was delivered"),
    "record_document": mark("Record a document that was set in type"),
    "record_notice": mark("Record a notice"),
    "record_bounce": mark("Record a returned mail"),
    "record_failure": mark("Record what was given up"),
}
"""What somebody does who sends a command."""

DIRECTIONS = {"inbound": mark("inbound"), "outbound": mark("outbound")}

PERSON_ROLES = {
    "head": mark("head of delegation"),
    "member": mark("delegate"),
    "host": mark("host"),
    "escort": mark("escort"),
    "interpreter": mark("interpreter"),
    "driver": mark("driver"),
    "coordinator": mark("coordinator"),
}

ITEM_KINDS = {
    "session": mark("session"),
    "meeting": mark("meeting"),
    "ceremony": mark("ceremony"),
    "meal": mark("meal"),
    "transfer": mark("transfer"),
    "flight": mark("flight"),
    "hotel": mark("hotel"),
}

AUDIENCE_GROUPS = {
    "delegates": mark("delegates"),
    "hosts": mark("hosts"),
    "escorts": mark("escorts"),
    "interpreters": mark("interpreters"),
    "drivers": mark("drivers"),
    "coordinators": mark("coordinators"),
}

ANSWERS = {"accepted": mark("accepts"), "declined": mark("declines"), "tentative": mark("accepts with reservation")}

CHANNELS = {"mail": mark("messages by mail"), "feed": mark("a feed"), "caldav": mark("a CalDAV collection")}

STEP_STATES = {
    "waiting": mark("not yet its turn"),
    "open": mark("waits for a signature"),
    "signed": mark("signed"),
    "returned": mark("returned"),
    "rejected": mark("rejected"),
}

DEADLINE_STATES = {"open": mark("open"), "met": mark("met"), "missed": mark("missed"), "late": mark("met late")}

FACTORS = {
    "passkey_signature": mark("signed by passkey over the digest"),
    "passkey": mark("known by passkey"),
    "password": mark("known by password"),
    "oidc": mark("known by another provider’s word"),
    "token": mark("known by token"),
    "None": mark("without a word on how the signer was known"),
}

ACTS = {
    "sign_off": mark("signs"),
    "return_step": mark("returns"),
    "reject_step": mark("refuses"),
    "accept_report": mark("accepts"),
    "return_report": mark("returns"),
}

REASONS = {
    "chain_broken": mark("the chain of the trail does not hold"),
    "parts_differ": mark("the dossier is not the one of this digest"),
    "digest_unknown": mark("nothing of this digest was submitted before"),
    "proof_malformed": mark("the proof cannot be read"),
    "statement_differs": mark("something else was signed"),
    "party_differs": mark("the passkey was made for another site"),
    "not_verified": mark("the device did not look who held it"),
    "key_unreadable": mark("the public key cannot be read"),
    "superseded": mark("another dossier stood to be signed then"),
    "step_not_open": mark("it was not this step’s turn"),
    "position_differs": mark("the step asks for another position"),
    "carried_from_nothing": mark("no such signature was given before"),
    "carried_void": mark("the signature was void by then"),
    "carried_differs": mark("the signature was given by another right or another letter"),
    "plan_differs": mark("the step is another than the one that was signed"),
    "parts_changed": mark("what the step looks at was changed since"),
    "signature_invalid": mark("the signature does not fit the key and the content"),
}

DOCUMENTS = {"invitation_letter": mark("invitation letter"), "final_report": mark("final report")}

DOCUMENT_KINDS = DOCUMENTS | {
    "decision": mark("decision"),
    "annex": mark("annex"),
    "request_letter": mark("letter of request"),
    "passport_copy": mark("copy of a passport"),
    "partner_invitation": mark("the partner’s letter of invitation"),
    "estimate": mark("estimate of costs"),
    "itinerary": mark("itinerary"),
    "other_document": mark("another document"),
}

LEFT = {"withdrawn": mark("withdrawn"), "replaced": mark("replaced"), "released": mark("released")}


CEILING_LINES = {
    "meals": mark("Meals"),
    "lodging_heads": mark("Lodging, heads of delegation"),
    "lodging_members": mark("Lodging, members"),
    "flowers": mark("Flowers"),
}

FORMALITIES = {
    "entry_papers_requested": mark("entry papers requested"),
    "entry_papers_granted": mark("entry papers granted"),
    "guest_data_sent": mark("guest data sent"),
    "delegation_list_sent": mark("list of the delegation sent"),
    "police_notified": mark("police notified"),
    "department_notified": mark("foreign-affairs department notified"),
    "note_verbale_sent": mark("note verbale sent"),
    "visas_granted": mark("visas granted"),
}
"""What the shipped rules and scenarios call formalities; an office may have kinds of its own."""

MAIL_STATES = {
    "pending": mark("waits to be sent"),
    "sending": mark("is being sent"),
    "sent": mark("sent"),
    "refused": mark("refused"),
    "dead": mark("given up after many attempts"),
    "bounced": mark("came back"),
    "unreached": mark("no mailbox"),
    "waiting": mark("waits, unless it changes again"),
}

MAIL_KINDS = {
    "itinerary_request": mark("invitation"),
    "itinerary_changed": mark("changed invitation"),
    "itinerary_cancelled": mark("cancellation"),
    "invitation_letter": mark("invitation letter"),
    "deadline_reminder": mark("reminder of a due date"),
    "deadline_missed": mark("notice that a day has passed"),
    "deadline_escalated": mark("notice to who stands above"),
    "step_waits": mark("notice that a step waits"),
    "step_escalated": mark("notice that a step waits too long"),
    "report_waits": mark("notice that a report waits"),
    "letter_awaited": mark("notice that a letter is awaited"),
    "desk_stuck": mark("notice that nobody can sign"),
    "desk_returned": mark("notice that a leave is over"),
    "answered": mark("notice of an answer"),
    "handed_over": mark("notice of a hand-over"),
    "digest": mark("summary of the day"),
    "account_notice": mark("notice about an account"),
}


def word(words: Mapping[str, str], code: object, translator: Translator) -> str:
    """The word for a code."""
    known = words.get(str(code))
    return str(code) if known is None else translator.tr(known)


def sentence_case(text: str) -> str:
    """The text with its first letter in upper case, the others as they are."""
    return text[:1].upper() + text[1:]


AGEING = {
    "up_to_2": mark("up to 2 working days"),
    "3_to_5": mark("3 to 5 working days"),
    "6_to_10": mark("6 to 10 working days"),
    "over_10": mark("more than 10 working days"),
}

WHY_NOT = {
    "not_entitled_to_sign": mark("you do not hold the position"),
    "desk_of_another_organisation": mark("you hold the position at another organisation"),
    "substitute_not_entitled": mark("you stand in only inside the registered leave"),
    "organisation_out_of_reach": mark("your organisation does not reach the file"),
    "own_request": mark("your own request, or that of the one you stand in for"),
    "own_trip": mark("your own trip, or that of the one you stand in for"),
    "signed_another_step": mark("you signed another place of this chain; four eyes are asked for"),
    "step_not_open": mark("it waits no more"),
}
"""Why somebody at whose desk something lies may not sign it, by the code of the refusal."""
