"""The built-in functions of DMN 1.5, one file per chapter of the standard."""

from siquan.core.dmn.feel.library import calendar, contexts, conversion, lists, numeric, ranges, text
from siquan.core.dmn.feel.library.signature import FORMS, as_function

#: name -> function, all but `now` and `today`, which need a moment
FUNCTIONS = {name: as_function(name) for name in FORMS}

__all__ = ["FUNCTIONS", "calendar", "contexts", "conversion", "lists", "numeric", "ranges", "text"]
