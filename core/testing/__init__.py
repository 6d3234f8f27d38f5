"""Running the cases of a plugin: `siquan test`, and pytest collects the same."""
