"""The chain of a delegation: archive, verification, evidence."""
