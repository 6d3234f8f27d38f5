"""The engine of Siquan: what a process is, how a rule decides, what an act writes."""

if __name__ == "core":
    raise ImportError("import siquan.core, not core: the repository root is on sys.path")

__version__ = "0.1.0"
