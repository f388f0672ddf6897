"""E-mail: rendered and sent."""
