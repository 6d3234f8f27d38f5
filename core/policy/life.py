"""The life of a version: draft, review, approved, published on a date, superseded or withdrawn.

What was published never changes. Every step is a link in the chain of its rule set, signed over the digest of the whole
content; who drafted cannot approve, and rules that may reject somebody take two others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from siquan.core.errors import SiquanError, Stale
from siquan.core.exchange.content import Content
from siquan.core.exchange.merge import merge
from siquan.core.policy.edits import BadEdit, Edit, Editor
from siquan.core.policy.force import Force
from siquan.core.policy.timeline import in_force, known_by
from siquan.core.rules.facts import CONTROL
from siquan.core.store.rows import RuleEvent, RuleVersion
from siquan.core.store.transaction import Tx

SYSTEM = "system"
#: a longer reason or opinion is an attachment
LONGEST = 4000


class VersionRefused(SiquanError):
    """{label} of the rules cannot be {act}: {why}"""

    code = "SQ181"
    zh = "规则版本 {label} 现在不能{act_zh}：{why_zh}"
    exit = 1
    http = 409


@dataclass(frozen=True)
class Signed:
    """What the chain says of a version since it was last submitted."""

    submitted: RuleEvent | None
    approvals: tuple[RuleEvent, ...]

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(e.actor for e in self.approvals)


def label(version: RuleVersion | None) -> str:
    return f"v{version.number}" if version is not None else "随程序"


def may_reject(content: Content) -> bool:
    """Whether any rule can propose to turn somebody down: two others then have to approve."""
    return any("REJECT" in r.outcome for r in content.ruleset.rules)


def signed(events: Sequence[RuleEvent]) -> Signed:
    """Approvals count from the last submission on: what was returned starts over."""
    last = max((n for n, e in enumerate(events) if e.kind in ("submitted", "returned", "recalled", "edited", "merged", "uploaded")), default=-1)
    if last < 0 or events[last].kind != "submitted":
        return Signed(None, ())
    return Signed(events[last], tuple(e for e in events[last + 1 :] if e.kind == "approved"))


class Life:
    """Every step takes the transaction it is part of, and checks what anybody's step needs; who may take it is the
    service's to know."""

    def __init__(self, force: Force) -> None:
        self.force = force

    # what a version stands on

    def shipped(self, ruleset: str) -> Content:
        return Content(ruleset=self.force.shipped(ruleset.partition(".")[0]).rulesets[ruleset].spec)

    def content(self, version: RuleVersion | None, ruleset: str) -> Content:
        return Content.from_json(version.content) if version is not None else self.shipped(ruleset)

    def newest(self, tx: Tx, ruleset: str) -> RuleVersion | None:
        """The version the next one follows: the last of the timeline, in force already or not; None is the shipped."""
        return in_force(known_by(tx.policies.of(ruleset, ("published", "withdrawn"))), dt.date.max)

    def base(self, tx: Tx, version: RuleVersion) -> Content:
        return self.content(tx.policies.get(version.base_id) if version.base_id else None, version.ruleset)

    # drafting

    def start(self, tx: Tx, ruleset: str, person: str, title: str = "") -> RuleVersion:
        base = self.newest(tx, ruleset)
        content = self.content(base, ruleset).model_copy(update={"lines": ()})
        return self._add(tx, ruleset, person, content, base, "draft", title)

    def _add(
        self, tx: Tx, ruleset: str, person: str, content: Content, base: RuleVersion | None, origin: str, reason: str
    ) -> RuleVersion:
        shipped = self.shipped(ruleset)
        tx.definitions.put(shipped.digest, "ruleset", ruleset, shipped.to_json())
        row = tx.policies.add(
            ruleset=ruleset, plugin=ruleset.partition(".")[0], content=content.to_json(), hash=content.hash, author=person, base=base,
            base_hash=base.hash if base else shipped.hash, baseline=shipped.digest, origin=origin, reason=bounded(reason),
        )  # fmt: skip
        tx.policies.append(ruleset, row.id, person, "drafted", {"base": label(base), "content": content.digest, "origin": origin})
        return row

    def edit(self, tx: Tx, version: RuleVersion, person: str, edits: Sequence[Edit], editor: Editor) -> RuleVersion:
        """All edits or none. Raises BadEdit; VersionRefused when the version is no draft any more."""
        content = editor.apply(Content.from_json(version.content), edits)
        return self.put(tx, version, person, content, "edited", {"ops": [str(e.get("op")) for e in edits]})

    def put(self, tx: Tx, version: RuleVersion, person: str, content: Content, kind: str, data: dict[str, Any]) -> RuleVersion:
        """Another content for a draft; the same content is no change."""
        self.check(version, "draft", "edited", "修改")
        if content.ruleset.id != version.ruleset:
            raise refused(version, "edited", "修改", "the content is another rule set's", "内容是另一个规则集的")
        text = content.to_json()
        if text == version.content:
            return version
        tx.policies.append(version.ruleset, version.id, person, kind, {**data, "content": content.digest})
        return tx.policies.change(version, content=text, hash=content.hash, impact=None)

    def merge(self, tx: Tx, version: RuleVersion, person: str) -> RuleVersion:
        """Takes in what was published after the draft was begun; where both changed the same, the draft's word stays and
        the conflict is recorded."""
        self.check(version, "draft", "merged", "并入新版")
        newest = self.newest(tx, version.ruleset)
        if (newest.id if newest else None) == version.base_id:
            raise refused(version, "merged", "并入新版", "nothing was published meanwhile", "这期间没有发布过别的版本")
        theirs = self.content(newest, version.ruleset).model_copy(update={"lines": ()})
        base = self.base(tx, version).model_copy(update={"lines": ()})
        merged = merge(base, Content.from_json(version.content), theirs)
        data = {
            "with": label(newest), "content": merged.content.digest,
            "conflicts": [[c.rule, c.field, str(c.base), str(c.ours), str(c.theirs)] for c in merged.conflicts],
        }  # fmt: skip
        tx.policies.append(version.ruleset, version.id, person, "merged", data)
        return tx.policies.change(
            version, content=merged.content.to_json(), hash=merged.content.hash, base_id=newest.id if newest else None,
            base_hash=newest.hash if newest else self.shipped(version.ruleset).hash, impact=None,
        )  # fmt: skip

    def discard(self, tx: Tx, version: RuleVersion, person: str) -> RuleVersion:
        self.check(version, "draft", "discarded", "丢弃")
        tx.policies.append(version.ruleset, version.id, person, "discarded", {})
        return tx.policies.change(version, status="discarded")

    # review

    def submit(self, tx: Tx, version: RuleVersion, person: str, effective: dt.date, reason: str, today: dt.date, gates: dict[str, Any]) -> RuleVersion:
        """Locks the content for review. `gates` is what was proved and measured, for the record."""
        self.check(version, "draft", "submitted", "送审")
        self.fits(tx, version, effective, today, "submitted", "送审")
        content = Content.from_json(version.content)
        data = {"content": content.digest, "effective": effective.isoformat(), "reason": bounded(reason), **gates}
        tx.policies.append(version.ruleset, version.id, person, "submitted", data)
        return tx.policies.change(version, status="review", effective=effective, reason=bounded(reason))

    def fits(self, tx: Tx, version: RuleVersion, effective: dt.date, today: dt.date, act: str, zh: str) -> None:
        """Raises VersionRefused where the date or the base do not fit what is published."""
        if effective < today:
            raise refused(version, act, zh, f"{effective} has passed", f"生效日 {effective} 已经过去，最早是今天 {today}")
        newest = self.newest(tx, version.ruleset)
        if (newest.id if newest else None) != version.base_id:
            raise refused(version, act, zh, f"{label(newest)} was published meanwhile", f"这期间发布了 {label(newest)}，先并入再继续")
        if newest is not None and newest.effective is not None and effective <= newest.effective:
            zh_why = f"{label(newest)} 从 {newest.effective} 起生效，这一版要晚于那一天；要在那天之前生效，先撤回 {label(newest)}"
            raise refused(version, act, zh, f"{label(newest)} takes effect on {newest.effective}", zh_why)
        # read here and not from what `force` keeps: in the transaction of a publication that is not settled yet
        others = [v for v in known_by(tx.policies.with_status(("published",))) if v.plugin == version.plugin]
        known = {x.key for v in others for x in self.force.content(v).lines}
        for line in Content.from_json(version.content).lines:
            if line.since < effective:
                why = f"参数 {line.name} 的新值从 {line.since} 起，早于这一版的生效日 {effective}"
                raise refused(version, act, zh, f"the new value of {line.name} starts before the version takes effect", why)
            if line.key in known:
                why = f"参数 {line.name} 在 {line.since} 已经有一个发布了的值"
                raise refused(version, act, zh, f"{line.name} has a published value on {line.since} already", why)

    def sign(self, tx: Tx, version: RuleVersion, person: str, approve: bool, opinion: str, today: dt.date) -> RuleVersion:
        """Approve, or return to the author. The author cannot sign, nobody twice."""
        if approve or version.status != "approved":  # what was approved can still be returned
            self.check(version, "review", "signed", "签署")
        if approve:
            self.independent(tx, version, person)
        content = Content.from_json(version.content)
        if approve and version.effective is not None:
            self.fits(tx, version, version.effective, today, "signed", "签署")
        found = signed(tx.policies.events(version.ruleset, version.id))
        if not approve and not opinion.strip():
            raise refused(version, "returned", "退回", "a return needs a reason", "退回要写明理由")
        tx.policies.append(
            version.ruleset, version.id, person, "approved" if approve else "returned", {"content": content.digest, "opinion": bounded(opinion)}
        )
        if not approve:
            return tx.policies.change(version, status="draft")
        enough = len(found.approvals) + 1 >= self.needs(tx, version)
        return tx.policies.change(version, status="approved" if enough else "review")

    def independent(self, tx: Tx, version: RuleVersion, person: str) -> None:
        """Raises VersionRefused for whoever wrote the version or has signed it."""
        events = tx.policies.events(version.ruleset, version.id)
        if person in writers(events) or person == version.author:
            raise refused(version, "signed", "签署", "whoever wrote it cannot approve it", "起草或改过这一版的人不能签署它")
        if person in signed(events).people:
            raise refused(version, "signed", "签署", "you have signed it already", "你已经签过了")

    def recall(self, tx: Tx, version: RuleVersion, person: str) -> RuleVersion:
        """Whoever wrote it takes it back to go on writing; the signatures fall."""
        if version.status not in ("review", "approved"):
            self.check(version, "review", "recalled", "撤回送审")
        tx.policies.append(version.ruleset, version.id, person, "recalled", {})
        return tx.policies.change(version, status="draft")

    def needs(self, tx: Tx, version: RuleVersion) -> int:
        """How many others have to approve: two where the old or the new rules, or rules that read a changed parameter, may
        reject."""
        content = Content.from_json(version.content)
        names = {x.name for x in content.lines}
        readers = [r.spec for r in self.force.shipped(version.plugin).rulesets.values() if names & set(r.params)]
        return 2 if any(may_reject(c) for c in (content, self.base(tx, version), *(Content(ruleset=r) for r in readers))) else 1

    # force

    def publish(self, tx: Tx, version: RuleVersion, person: str, today: dt.date) -> RuleVersion:
        tx.policies.changed_force()  # two publications wait for each other here
        version = tx.policies.get(version.id)
        self.check(version, "approved", "published", "发布")
        assert version.effective is not None
        self.fits(tx, version, version.effective, today, "published", "发布")
        content = Content.from_json(version.content)
        data = {"content": content.digest, "effective": version.effective.isoformat(), "number": version.number}
        tx.policies.append(version.ruleset, version.id, person, "published", data)
        return tx.policies.change(version, status="published", published_at=tx.at)

    def withdraw(self, tx: Tx, version: RuleVersion, person: str, reason: str, today: dt.date) -> RuleVersion:
        """From today on the version before applies again, and the values its lines had replaced; one that was still to come
        never applies."""
        tx.policies.changed_force()
        version = tx.policies.get(version.id)
        self.check(version, "published", "withdrawn", "撤回")
        if not reason.strip():
            raise refused(version, "withdrawn", "撤回", "a withdrawal needs a reason", "撤回要写明理由")
        newest = self.newest(tx, version.ruleset)
        if newest is None or newest.id != version.id:
            zh = f"它已被 {label(newest)} 接替，要撤回先撤回 {label(newest)}"
            raise refused(version, "withdrawn", "撤回", f"{label(newest)} follows on it", zh)
        assert version.effective is not None
        day = max(today, version.effective) if version.effective > today else today
        data = {"reason": bounded(reason), "on": day.isoformat()}
        tx.policies.append(version.ruleset, version.id, person, "withdrawn", data)
        return tx.policies.change(version, status="withdrawn", withdrawn_on=day, withdrawn_at=tx.at)

    # what came with a new release of the program

    def arrivals(self, tx: Tx) -> list[RuleVersion]:
        """A shipped rule set that changed under a published version becomes a draft with both changes in it; it never
        overwrites what was published."""
        out = []
        for ruleset in sorted({v.ruleset for v in tx.policies.with_status(("published",))}):
            plugin = ruleset.partition(".")[0]
            if plugin not in self.force.plugins or ruleset not in self.force.shipped(plugin).rulesets:
                continue
            newest, shipped = self.newest(tx, ruleset), self.shipped(ruleset)
            waiting = tx.policies.of(ruleset, ("draft", "review", "approved", "discarded"))
            if newest is None or newest.baseline == shipped.digest or any(v.baseline == shipped.digest and v.origin == "baseline" for v in waiting):
                continue
            base = Content.from_json(tx.definitions.get(newest.baseline).document)
            merged = merge(base, Content.from_json(newest.content).model_copy(update={"lines": ()}), shipped)
            row = self._add(tx, ruleset, SYSTEM, merged.content, newest, "baseline", "程序自带的规则有更新")
            if merged.conflicts:
                conflicts = [[c.rule, c.field, str(c.base), str(c.ours), str(c.theirs)] for c in merged.conflicts]
                tx.policies.append(ruleset, row.id, SYSTEM, "merged", {"with": "随程序", "content": merged.content.digest, "conflicts": conflicts})
            out.append(row)
        return out

    def check(self, version: RuleVersion, status: str, act: str, zh: str) -> None:
        """Raises VersionRefused unless the version is in that state."""
        words = {
            "draft": "草稿", "review": "审查中", "approved": "已批准", "published": "已发布", "withdrawn": "已撤回", "discarded": "已丢弃",
        }  # fmt: skip
        if version.status != status:
            raise refused(version, act, zh, f"it is {version.status}", f"它是“{words.get(version.status, version.status)}”")


def writers(events: Sequence[RuleEvent]) -> set[str]:
    """Everybody whose hand is in the content."""
    return {e.actor for e in events if e.kind in ("drafted", "edited", "uploaded", "merged") and e.actor != SYSTEM}


def seen(version: RuleVersion, revision: int | None) -> None:
    """Raises Stale when a form was made from an older revision."""
    if revision is not None and revision != version.revision:
        raise Stale(seen=revision, now=version.revision)


def refused(version: RuleVersion, act: str, act_zh: str, why: str, why_zh: str) -> VersionRefused:
    return VersionRefused(label=label(version), act=act, act_zh=act_zh, why=why, why_zh=why_zh)


def bounded(text: str) -> str:
    text = text.strip()
    if CONTROL.search(text):
        raise BadEdit(why="文字里有控制字符")
    if len(text) > LONGEST:
        raise BadEdit(why=f"文字有 {len(text)} 个字，最多 {LONGEST} 个")
    return text
