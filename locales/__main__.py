"""`python -m locales`: bring the catalogues up to what the code and the templates ask for."""

import sys

from locales.extraction import update_catalogues


def main() -> int:
    """Update every catalogue, name what is not translated yet, and return 1 if anything is not."""
    silent = {language: messages for language, messages in update_catalogues().items() if messages}
    for language, messages in silent.items():
        for message in messages:
            sys.stdout.write(f"{language}: nothing said for {message!r}\n")
    return 1 if silent else 0


if __name__ == "__main__":
    raise SystemExit(main())
