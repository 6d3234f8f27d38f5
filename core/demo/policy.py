"""The policy desk of the demo: drafts on their way, each step taken through the service by the person who would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from siquan.core.demo.days import Days
from siquan.core.service import Siquan
from siquan.core.spec.read import plain


def play_policy(service: Siquan, scripts: Iterable[Mapping[str, Any]], days: Days) -> None:
    """Drafts of plugins that are loaded; a script whose rule set is not there is left out."""
    for raw in scripts:
        script: dict[str, Any] = plain(raw)
        if script["ruleset"] not in service.app.catalogue.rulesets:
            continue
        by = script["by"]
        version = service.start_draft(script["ruleset"], by, script["name"]).id
        service.edit_draft(version, by, days.dated(script["edits"], days.today))
        if script.get("impact"):
            service.run_impact(version, by)
        if "submit" in script:
            effective = days.day(script["submit"]["effective"])
            assert effective is not None
            service.submit_draft(version, by, effective, script["submit"]["reason"])
        for sign in script.get("approve") or ():
            service.sign_draft(version, sign["by"], True, sign.get("opinion", ""))
        if "publish" in script:
            service.publish_draft(version, script["publish"])
