"""Rule sets as the policy team reads them: versions on any day, what differs between two, files out."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from siquan.core.dmn.from_rules import from_rules
from siquan.core.errors import NoAccess, NotFound
from siquan.core.exchange.content import Content
from siquan.core.exchange.diff import Difference, diff
from siquan.core.exchange.workbook import write_workbook
from siquan.core.exchange.yaml import write_yaml
from siquan.core.exchange.yamllines import parameters_in, write_parameters
from siquan.core.policy.examined import Examined, examine
from siquan.core.policy.force import Bound
from siquan.core.policy.life import Life, label, signed, writers
from siquan.core.policy.prover import Prover
from siquan.core.policy.reading import Reading, said
from siquan.core.policy.timeline import Span, spans
from siquan.core.policy.views import (
    DifferenceLine,
    IntentLine,
    RuleSetCard,
    RuleSetPage,
    Signature,
    VersionLine,
)
from siquan.core.rules.decide import rules_hash
from siquan.core.rules.decision import VERDICTS
from siquan.core.rules.parameters import ParameterBook
from siquan.core.service.app import APPROVER, AUTHOR, POLICY_ROLES, ZONE, App
from siquan.core.store.policies import OPEN
from siquan.core.store.rows import RuleEvent, RuleVersion
from siquan.core.store.transaction import Tx


class Rules:
    """The reading half; `Drafts` changes things."""

    def __init__(self, app: App) -> None:
        self.app, self.life, self.prover = app, Life(app.force), Prover()

    # who

    def posts(self, tx: Tx, person: str) -> set[str]:
        """The roles a person holds today."""
        return {g.role for g in tx.people.grants(person, self.app.today())}

    def must(self, tx: Tx, person: str, *roles: str) -> None:
        """Raises NoAccess unless the person holds one of the policy posts."""
        if self.posts(tx, person).isdisjoint(roles):
            raise NoAccess(why=f"这要“{'”或“'.join(POLICY_ROLES[r] for r in roles)}”的岗位")

    # versions

    def spans(self, tx: Tx, ruleset: str) -> list[Span]:
        return spans(self.app.force.versions(tx, ruleset))

    def version_line(
        self, tx: Tx, version: RuleVersion | None, ruleset: str, spans_: Sequence[Span], you: str = "", lang: str = "zh",
        events: Sequence[RuleEvent] | None = None,
    ) -> VersionLine:
        today = self.app.today()
        if version is None:
            own = [s for s in spans_ if s.version is None]
            last = own[-1] if own else Span(None, None, None)
            status = "published" if any(s.holds(today) for s in own) else "superseded"
            known = self.app.force.shipped(ruleset.partition(".")[0]).rulesets[ruleset].hash
            return VersionLine("", "随程序" if lang == "zh" else "shipped", status, last.since, last.until, None, "", "", known)
        own = [s for s in spans_ if s.version is not None and s.version.id == version.id]
        span = own[-1] if own else None
        status = version.status
        if status == "published":
            status = "published" if span and span.holds(today) else "future" if version.effective and version.effective > today else "superseded"
        found = events if events is not None else tx.policies.events(ruleset, version.id)
        if status == "draft" and found and any(e.kind == "returned" for e in found[-1:]):
            status = "returned"
        return VersionLine(
            version.id, label(version), status, version.effective, span.until if span else version.withdrawn_on,
            version.published_at.astimezone(ZONE) if version.published_at else None, self.app.person_name(tx, version.author), version.reason,
            rules_hash(self.life.content(version, ruleset).ruleset), tuple(self._signature(tx, e, you) for e in found if e.kind not in ("edited", "merged", "uploaded")),
        )  # fmt: skip

    def _signature(self, tx: Tx, event: RuleEvent, you: str) -> Signature:
        data = event.data or {}
        opinion = data.get("opinion") or data.get("reason") or ""
        return Signature(self.app.person_name(tx, event.actor), event.kind, event.at.astimezone(ZONE), opinion, event.actor == you)

    def find(self, tx: Tx, ruleset: str, version: str) -> RuleVersion | None:
        """A version of this rule set by id or label; None is the shipped one. Raises NotFound."""
        if version in ("", "shipped", "随程序"):
            return None
        for row in tx.policies.of(ruleset):
            if row.id == version or (label(row) == version and row.status != "discarded"):
                return row
        raise NotFound(kind="规则版本", name=version)

    # pages

    def cards(self, person: str, lang: str) -> tuple[RuleSetCard, ...]:
        out = []
        today = self.app.today()
        with self.app.store.read() as tx:
            posts = self.posts(tx, person)
            author, approver = AUTHOR in posts, APPROVER in posts
            waiting: dict[str, list[RuleVersion]] = {}
            for row in tx.policies.with_status(OPEN):
                waiting.setdefault(row.ruleset, []).append(row)
            published = {v.ruleset for v in tx.policies.with_status(("published", "withdrawn"))}
            for plugin in self.app.catalogue.plugins:
                bound = self.app.in_force(tx, plugin.name)
                for id, ruleset in bound.rulesets.items():
                    timeline = self.spans(tx, id) if id in published else [Span(None, None, None)]
                    now = next(s for s in timeline if s.holds(today))
                    line = self.version_line(tx, now.version, id, timeline, person, lang)
                    ahead = [s.version for s in timeline if s.since is not None and s.since > today]
                    drafts = waiting.get(id, []) if author or approver else []
                    events = tx.policies.events_of([v.id for v in drafts])
                    out.append(
                        RuleSetCard(
                            id, self.title(ruleset.spec.id, bound, lang), plugin.name, plugin.title or plugin.name, "table" if ruleset.spec.table else "list",
                            len(ruleset.spec.rules), line, tuple(self.version_line(tx, v, id, timeline, person, lang) for v in ahead),
                            tuple(self.version_line(tx, v, id, timeline, person, lang, events[v.id]) for v in drafts),
                            *self._yours(drafts, events, person, author, approver),
                        )
                    )  # fmt: skip
        return tuple(out)

    def _yours(self, drafts: Sequence[RuleVersion], events: dict[str, list[RuleEvent]], person: str, author: bool, approver: bool) -> tuple[str, str]:
        """What waits for a person, the most pressing first, and on which version."""
        found: dict[str, str] = {}
        for v in drafts:
            wrote = person in writers(events[v.id])
            if v.status == "review" and approver and not wrote and person not in signed(events[v.id]).people:
                found.setdefault("approve", v.id)
            elif v.status == "approved" and (author or approver):
                found.setdefault("publish", v.id)
            elif v.status == "draft" and author and wrote:
                returned = bool(events[v.id]) and events[v.id][-1].kind == "returned"
                found.setdefault("returned" if returned else "edit", v.id)
        first = next((k for k in ("approve", "publish", "returned", "edit") if k in found), "")
        return ("edit" if first == "returned" else first), found.get(first, "")

    def title(self, ruleset: str, bound: Bound, lang: str) -> str:
        spec = bound.rulesets[ruleset].spec
        texts, short = bound.spec.locales.get(lang, {}), ruleset.rpartition(".")[2]
        home = bound.definitions.get(spec.process)
        alone = sum(1 for r in bound.rulesets.values() if r.spec.process == spec.process) == 1
        named = (home.spec.title if alone else f"{home.spec.title}：{short}") if home else ruleset
        return texts.get(f"rules.{short}.title") or spec.title or named

    def page(self, ruleset: str, person: str, lang: str, on: dt.date | None = None, version: str = "") -> RuleSetPage:
        """A version by id or label, or the one in force on a day (default today)."""
        day = on or self.app.today()
        self.app.catalogue.ruleset(ruleset)
        with self.app.store.read() as tx:
            bound = self.app.in_force(tx, ruleset, day)
            if version:
                row = self.find(tx, ruleset, version)
                if row is not None and row.status in OPEN:
                    self.must(tx, person, AUTHOR, APPROVER)
                content = self.life.content(row, ruleset)
            else:
                row = next(s for s in self.spans(tx, ruleset) if s.holds(day)).version
                content = Content(ruleset=bound.rulesets[ruleset].spec)
            examined = self.examined(tx, bound, content.model_copy(update={"lines": ()}), ruleset)
            return self.view(tx, bound, examined, row, person, lang, day)

    def examined(self, tx: Tx, bound: Bound, content: Content, ruleset: str, other: Content | None = None) -> Examined:
        """A content with the book it would stand on: everything published, without the lines of `other`."""
        return examine(content, bound.rulesets[ruleset], without(self.ahead(tx, ruleset), other or content))

    def ahead(self, tx: Tx, ruleset: str) -> ParameterBook:
        return self.app.force.ahead(tx, ruleset.partition(".")[0])

    def place_name(self, tx: Tx) -> Callable[[str], str]:
        def name(place: str) -> str:
            unit = tx.people.find_unit(place)
            return unit.name if unit else place

        return name

    def reading(self, tx: Tx, bound: Bound, examined: Examined, day: dt.date, lang: str, before: Examined | None = None) -> Reading:
        return Reading(bound, examined, day, lang, self.place_name(tx), before)

    def view(
        self, tx: Tx, bound: Bound, examined: Examined, row: RuleVersion | None, person: str, lang: str, day: dt.date, *,
        before: Examined | None = None, differences: Sequence[Difference] = (),
    ) -> RuleSetPage:  # fmt: skip
        ruleset = examined.content.ruleset.id
        spec, timeline = examined.content.ruleset, self.spans(tx, ruleset)
        reading = self.reading(tx, bound, examined, day, lang, before)
        home = bound.definitions.get(spec.process)
        posts = self.posts(tx, person)
        insider = not posts.isdisjoint((AUTHOR, APPROVER))
        versions = [v for v in tx.policies.of(ruleset) if v.status != "discarded" and (v.status not in OPEN or insider)]
        events = tx.policies.events_of([v.id for v in versions])
        lines = [self.version_line(tx, v, ruleset, timeline, person, lang, events[v.id]) for v in versions]
        lines.append(self.version_line(tx, None, ruleset, timeline, person, lang))
        return RuleSetPage(
            ruleset, self.title(ruleset, bound, lang), "", bound.spec.name,
            bound.spec.title or bound.spec.name, spec.process, home.spec.title if home else "", "table" if spec.table else "list",
            spec.hit_policy, self.version_line(tx, row, ruleset, timeline, person, lang), day, reading.rules(differences), reading.columns(),
            reading.parameters(), reading.cases(), tuple(lines),
            tuple(IntentLine(i.id, i.say or i.never or f"只许更{'严' if i.only == 'stricter' else '宽'}", "") for i in spec.intents),
            AUTHOR in posts, VERDICTS, reading.names(), reading.choices(),
            tuple((u.id, u.name) for u in tx.people.units() if u.active),
        )  # fmt: skip

    def differences(self, ruleset: str, before: str, after: str, person: str, lang: str) -> tuple[DifferenceLine, ...]:
        """What two versions differ in, in meaning."""
        self.app.catalogue.ruleset(ruleset)
        with self.app.store.read() as tx:
            rows = [self.find(tx, ruleset, v) for v in (before, after)]
            if any(r is not None and r.status in OPEN for r in rows):
                self.must(tx, person, AUTHOR, APPROVER)
            bound = self.app.in_force(tx, ruleset)
            old, new = (self.life.content(r, ruleset) for r in rows)
            return said(self.diff(tx, bound, old.model_copy(update={"lines": ()}), new, lang))

    def diff(self, tx: Tx, bound: Bound, old: Content, new: Content, lang: str) -> tuple[Difference, ...]:
        home = bound.rulesets[new.ruleset.id]
        return diff(old, new, home.schema, without(self.ahead(tx, new.ruleset.id), new), lang, scope=home.scope)

    def file(self, ruleset: str, version: str, kind: str, person: str) -> tuple[str, bytes]:
        """A version as xlsx, dmn or yaml; without a version the one in force today."""
        self.app.catalogue.ruleset(ruleset)
        with self.app.store.begin() as tx:
            bound = self.app.in_force(tx, ruleset)
            row = self.find(tx, ruleset, version) if version else next(s for s in self.spans(tx, ruleset) if s.holds(self.app.today())).version
            if row is not None and row.status in OPEN:
                self.must(tx, person, AUTHOR, APPROVER)
            content, book = self.life.content(row, ruleset), self.ahead(tx, ruleset)
            files = self.yaml(tx, content) if kind == "yaml" else {}
            tx.access.add(person, "export", f"{ruleset} {label(row)}", None)
        name = f"{content.ruleset.title or ruleset}-{label(row)}"
        if kind == "xlsx":
            home = bound.rulesets[ruleset]
            text = write_workbook(content, home.schema, book, title=content.ruleset.title, version=row.id if row else "", scope=home.scope)
            return f"{name}.xlsx", text
        if kind == "dmn":
            return f"{name}.dmn", self.dmn(bound, content, book)
        if kind == "yaml":
            return (f"{name}.yaml", next(iter(files.values())).encode()) if len(files) == 1 else (f"{name}.zip", packed(files))
        raise NotFound(kind="文件格式", name=kind)

    def dmn(self, bound: Bound, content: Content, book: ParameterBook) -> bytes:
        home = bound.rulesets[content.ruleset.id]
        return from_rules(content.ruleset, home.schema, book, scope=home.scope, derived=home.derived)

    def yaml(self, tx: Tx, content: Content) -> dict[str, str]:
        """The plugin's files with only the differences written into them, comments and order kept: the rule set's own, and
        those of the parameters that got lines. File name -> text."""
        plugin = self.app.catalogue.plugin(content.ruleset.id.partition(".")[0])
        where = self.app.catalogue.ruleset(content.ruleset.id).spec.where
        home = Path(plugin.path)
        path = home.parent / where.file if where is not None else home
        if not path.is_file() or home not in (path, *path.parents):
            raise NotFound(kind="规则文件", name=where.file if where else content.ruleset.id)
        out = {path.relative_to(home.parent).as_posix(): write_yaml(path.read_text(encoding="utf-8"), content)}
        lines = {x.key: x for x in content.lines}
        lines |= {x.key: x for x in self.app.force.lines(tx, plugin.name)}
        files = [home] if home.is_file() else sorted([*(home / "parameters").glob("*.yaml"), *(home / "workflows").glob("*.yaml")])
        for file in files if lines else ():
            name = file.relative_to(home.parent).as_posix()
            text = out.get(name) or file.read_text(encoding="utf-8")
            known = set(parameters_in(text, name))
            dated = any(n.startswith("basis.") for n in known)
            own = [lines.pop(k) for k in sorted(lines) if k[0] in known or (dated and k[0].startswith("basis."))]
            if own:
                out[name] = write_parameters(text, own)
        return out


def without(book: ParameterBook, content: Content) -> ParameterBook:
    """The book as it was before a content's own lines were published."""
    own = {x.key for x in content.lines}
    specs = [s.model_copy(update={"lines": tuple(n for n in s.lines if (s.name, n.place, n.since) not in own)}) for s in book.specs.values()]
    return ParameterBook([s for s in specs if s.lines], book.overrides, book.version) if own else book


def packed(files: Mapping[str, str]) -> bytes:
    """The files of a plugin that changed, in a zip that is the same for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), text.encode())
    return out.getvalue()
