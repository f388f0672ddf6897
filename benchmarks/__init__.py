"""What Legation costs above the engine it runs on, measured in one run on one server."""
