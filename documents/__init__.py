"""Letters, lists and reports as PDF and DOCX."""
