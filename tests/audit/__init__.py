"""The derivation of sealed events from histories."""
