"""The web: JSON under /api and pages beside it, thin over the workflow and the read model."""
