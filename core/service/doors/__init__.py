"""The one door, a leaf for each house it leads to: `Siquan` in `service/door.py` is all of them together."""
