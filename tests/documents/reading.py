"""What a reader of a PDF sees: its text, page by page, as PDFium extracts it."""

import unicodedata

import pypdfium2


def pages(pdf: bytes) -> list[str]:
    """The text of each page, one space or line break between words."""
    document = pypdfium2.PdfDocument(pdf)
    texts = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    return [unicodedata.normalize("NFC", text.replace("\r\n", "\n")) for text in texts]


def lines(pdf: bytes) -> list[str]:
    """Every line of every page, without blanks at its ends."""
    return [line.strip() for page in pages(pdf) for line in page.split("\n")]


def flowing(pdf: bytes) -> str:
    """The whole text with its lines joined."""
    return " ".join(" ".join(pages(pdf)).split())
