"""`python -m embedded.mailbox …`: mail-devel, the development mailbox (SMTP, IMAP, webmail), with a silent log.

At its usual level it logs the addresses of senders and recipients, which are personal data.
"""

import logging

from mail_devel.__main__ import main

if __name__ == "__main__":
    logging.disable(logging.INFO)
    main()
