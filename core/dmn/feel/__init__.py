"""FEEL, the expression language of DMN 1.5, with the standard's behaviour: what cannot be computed is null, never an
exception. Separate from `core.rules`, whose subset of FEEL answers EVIDENCE where a fact is missing."""
