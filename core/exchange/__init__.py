"""A rule set on its way out and back: an Excel workbook, YAML text, what changed, and two changes made one.

Pure: bytes and texts in, bytes and texts out.
"""
