"""Delivery reports as servers write them, from the facts of RFC 3464, 3462 and 6533; nothing is copied from anybody."""

ORIGINAL = "<0123456789abcdef@songlam.example>"
GUEST = "tanaka@guests.example"


def report(
    *groups: str,
    original: str | None = f"Message-ID: {ORIGINAL}\r\nTo: {GUEST}\r\nSubject: =?utf-8?b?TeG7nWk=?=",
    third: str = "message/rfc822",
    head: str = "",
    kind: str = 'multipart/report; report-type=delivery-status; boundary="b"',
    second: str = "message/delivery-status",
    encoding: str = "",
) -> bytes:
    """A report with these groups of recipient fields."""
    fields = "\r\n\r\n".join(["Reporting-MTA: dns; mail.guests.example", *groups])
    parts = [
        "Content-Type: text/plain; charset=utf-8\r\n\r\nYour message could not be delivered.",
        f"Content-Type: {second}\r\n{encoding}\r\n{fields}",
    ]
    if original is not None:
        parts.append(f"Content-Type: {third}\r\n\r\n{original}\r\n\r\n")
    body = "".join(f"--b\r\n{part}\r\n" for part in parts) + "--b--\r\n"
    return (
        f"From: MAILER-DAEMON@mail.guests.example\r\nTo: lich@songlam.example\r\n{head}"
        f"MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}"
    ).encode()


def failed(recipient: str = GUEST, status: str = "5.1.1", action: str = "failed") -> str:
    """The fields of one recipient."""
    return (
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} <{recipient}> is unknown here"
    )
