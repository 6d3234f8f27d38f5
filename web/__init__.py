"""The thin Flask UI over `siquan.core.service`."""

if __name__ == "web":
    raise ImportError("import siquan.web, not web: the repository root is on sys.path")
