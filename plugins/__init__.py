"""Bundled plugins, one folder or one file each; they use nothing a third party could not use."""
