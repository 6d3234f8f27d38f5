"""A plugin from disk: one YAML file, or a folder of them. All problems of a plugin are reported together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from siquan.core.errors import Errors, SiquanError, Where
from siquan.core.spec import read
from siquan.core.spec.model import CaseSpec, ParamSpec, PluginSpec, ProcessSpec, RuleSetSpec
from siquan.core.spec.process import UnknownReference, _full, read_process
from siquan.core.spec.source import Cursor, Map, Seq, WrongShape, read_yaml
from siquan.core.spec.version import content_hash


class DuplicateId(SiquanError):
    """the {kind} `{id}` is defined twice"""

    code = "SQ041"
    zh = "{kind_zh} `{id}` 定义了两次"


class NoProcess(SiquanError):
    """`{path}` holds no process and no rule set"""

    code = "SQ042"
    zh = "`{path}` 里没有流程，也没有规则集"


def load_fragments(folder: Path) -> dict[str, Map]:
    """Every `NAME/fragment.yaml` below the folder."""
    out = {}
    for path in sorted(folder.glob("*/fragment.yaml")):
        raw = read_yaml(path, f"workflows/{path.parent.name}/fragment.yaml")
        out[Cursor(raw, "fragment").text("fragment", path.parent.name)] = raw
    return out


def load_plugin(path: Path, library: Mapping[str, Map]) -> PluginSpec:
    """Raises Errors (or the one error) with file:line for everything that is wrong."""
    return _Loader(path, library).load()


class _Loader:
    def __init__(self, path: Path, library: Mapping[str, Map]) -> None:
        self.path, self.library = path, library
        self.errors: list[SiquanError] = []
        self.name = path.stem if path.is_file() else path.name

    def shown(self, path: Path) -> str:
        return f"{self.name}.yaml" if path == self.path else f"{self.name}/{path.relative_to(self.path).as_posix()}"

    def files(self, folder: str) -> Iterator[tuple[Path, Any]]:
        for path in sorted((self.path / folder).glob("*.yaml")):
            try:
                yield path, read_yaml(path, self.shown(path))
            except SiquanError as fault:
                self.errors.append(fault)

    def guard(self, call: Any, *args: Any, **kw: Any) -> Any:
        try:
            return call(*args, **kw)
        except Errors as many:
            self.errors += many.errors
        except SiquanError as fault:
            self.errors.append(fault)
        return None

    def load(self) -> PluginSpec:
        spec = self._file() if self.path.is_file() else self._folder()
        if self.errors:
            raise Errors(self.errors) if len(self.errors) > 1 else self.errors[0]
        assert spec is not None
        return spec

    def _file(self) -> PluginSpec | None:
        raw = self.guard(read_yaml, self.path, self.shown(self.path))
        if raw is None:
            if not self.errors:
                self.errors.append(NoProcess(Where(self.shown(self.path)), path=self.path.name))
            return None
        head = PluginSpec(name=self.name, path=str(self.path))
        if isinstance(raw, Map) and "ruleset" in raw:
            alone = self.guard(self._ruleset, raw, Where(self.shown(self.path)))
            return self._finish([], [alone[0]], alone[1], head) if alone else None
        found = self.guard(read_process, raw, self.name, self.library, {}, Where(self.shown(self.path)))
        if found is None:
            return None
        processes, rulesets = found
        return self._finish(processes, rulesets, (), head)

    def _folder(self) -> PluginSpec | None:
        head = PluginSpec(name=self.name, path=str(self.path))
        manifest = self.path / "plugin.yaml"
        if manifest.exists():
            raw = self.guard(read_yaml, manifest, self.shown(manifest))
            if raw is not None:
                head = self.guard(self._manifest, raw) or head
        parameters: tuple[ParamSpec, ...] = ()
        for _, raw in self.files("parameters"):
            parameters += self.guard(lambda raw=raw: read.read_parameters(_mapping(raw))) or ()
        rule_files = list(self.files("rules"))
        shared = {str(raw["ruleset"]): f"{self.name}.{raw['ruleset']}" for _, raw in rule_files if isinstance(raw, Map) and "ruleset" in raw}
        processes: list[ProcessSpec] = []
        rulesets: list[RuleSetSpec] = []
        workflows = list(self.files("workflows"))
        siblings = {str(raw["process"]): f"{self.name}.{raw['process']}" for _, raw in workflows if isinstance(raw, Map) and "process" in raw}
        for path, raw in workflows:
            found = self.guard(read_process, raw, self.name, self.library, shared, Where(self.shown(path)), siblings=siblings)
            if found:
                processes += found[0]
                rulesets += found[1]
        for path, raw in rule_files:
            done = self.guard(self._ruleset, raw, Where(self.shown(path)))
            if done:
                rulesets.append(done[0])
                parameters += done[1]
        cases: list[CaseSpec] = []
        bases: dict[str, Any] = {}
        for path, raw in self.files("cases"):
            more = self.guard(self._cases, raw, Where(self.shown(path)), bases)
            cases += more or ()
        only = processes[0].id if len(processes) == 1 else ""
        ids = [p.id for p in processes]
        cases = [x if x.process else x.model_copy(update={"process": only}) for x in cases]
        self.errors += [
            UnknownReference(x.where, name=x.process, what="process", what_zh="流程", known="、".join(ids)) for x in cases if x.process not in ids
        ]
        processes = [
            p.model_copy(update={"cases": (*p.cases, *(x for x in cases if x.process == p.id)), "bases": {**bases, **p.bases}})
            for p in processes
        ]
        return self._finish(processes, rulesets, parameters, head)

    def _manifest(self, raw: Any) -> PluginSpec:
        c = Cursor(raw, "plugin")
        spec = PluginSpec(
            where=c.where, name=c.text("plugin", self.name), title=c.text("title"), about=c.text("about"), path=str(self.path),
            sources=c.table("sources"),
        )  # fmt: skip
        c.done()
        return spec

    def _ruleset(self, raw: Any, where: Where) -> tuple[RuleSetSpec, tuple[ParamSpec, ...]]:
        c = Cursor(raw, "ruleset", where)
        name, process = c.text("ruleset", need=True), c.text("process")
        spec = read.read_ruleset(f"{self.name}.{name}", raw, where, process=_full(process, self.name) if process else "", alone=True)
        return spec, read.read_parameters(c.map("parameters"))

    def _cases(self, raw: Any, where: Where, bases: dict[str, Any]) -> list[CaseSpec]:
        process = ""
        entries: Any = raw
        if isinstance(raw, Map):
            c = Cursor(raw, "cases", where)
            process, entries = c.text("process"), c.list("cases")
            bases.update(read.plain(c.map("bases")))
            c.done()
        if not isinstance(entries, Seq):
            raise WrongShape(where, key="cases", wanted="a list of cases", wanted_zh="一列用例", value=entries)
        full = _full(process, self.name) if process else ""
        out = []
        for entry, at in zip(entries, entries.at, strict=True):
            case = self.guard(read.read_case, entry, at, process=full)
            if case:
                own = _full(case.process, self.name) if case.process and case.process != full else case.process
                out.append(case.model_copy(update={"process": own}))
        return out

    def _locales(self) -> dict[str, dict[str, str]]:
        out: dict[str, dict[str, str]] = {}
        if self.path.is_dir():
            for path, raw in self.files("locales"):
                if isinstance(raw, Map):
                    out[path.stem] = {k: str(v) for k, v in _flat(raw).items()}
        return out

    def _finish(
        self, processes: list[ProcessSpec], rulesets: list[RuleSetSpec], parameters: tuple[ParamSpec, ...], head: PluginSpec
    ) -> PluginSpec:
        for kind, kind_zh, items in (("process", "流程", processes), ("rule set", "规则集", rulesets)):
            seen: set[str] = set()
            for item in items:
                if item.id in seen:
                    self.errors.append(DuplicateId(item.where, kind=kind, kind_zh=kind_zh, id=item.id))
                seen.add(item.id)
        self._books(processes, {x.name for x in parameters} | {x.name for p in processes for x in p.parameters})
        if not processes and not rulesets and not self.errors:
            self.errors.append(NoProcess(Where(self.shown(self.path)), path=self.path.name))
        processes = [p.model_copy(update={"hash": content_hash(p)}) for p in processes]
        parameters += tuple(x for p in processes for x in p.parameters)
        return head.model_copy(
            update={
                "name": self.name, "title": head.title or (processes[0].title if processes else self.name),
                "processes": tuple(processes), "rulesets": tuple(rulesets), "parameters": parameters, "locales": self._locales(),
            }
        )  # fmt: skip


    def _books(self, processes: list[ProcessSpec], params: set[str]) -> None:
        """Accounts are the plugin's: any of its processes may post to them."""
        accounts = [a for p in processes for a in p.accounts]
        catalogues = [p.catalogue for p in processes if p.catalogue]
        for kind, kind_zh, ids in (("account", "账户", [(a.name, a.where) for a in accounts]), ("catalogue", "兑换目录", [(self.name, c.where) for c in catalogues])):
            self.errors += [DuplicateId(at, kind=kind, kind_zh=kind_zh, id=id) for n, (id, at) in enumerate(ids) if id in [x for x, _ in ids[:n]]]
        known = {a.name for a in accounts}
        named = [(x.account, x.where) for p in processes for x in (*p.balances, *([p.catalogue] if p.catalogue else ()))]
        posts = [(p, x) for p in processes for t in (*(t for s in p.states for t in s.transitions), *p.anywhere) for x in t.post]
        named += [(x.account, x.where) for _, x in posts if x.account]
        self.errors += [
            UnknownReference(at, name=name.rpartition(".")[2], what="account", what_zh="账户", known="、".join(sorted(known)))
            for name, at in named if name not in known
        ]  # fmt: skip
        spans = [(x, a.where) for a in accounts for x in (a.start, a.expires, a.notice)] + [(x.until, x.where) for _, x in posts]
        spans += [(x, c.where) for c in catalogues for x in c.prices.values()]
        self.errors += [
            UnknownReference(at, name=text.split()[0], what="parameter", what_zh="参数", known="、".join(sorted(params)))
            for text, at in spans if text and not text[:1].isdigit() and text.split()[0] not in params
        ]  # fmt: skip
        for process in processes:
            strange = [(r, a.where) for a in process.accounts for r in a.by if r not in process.roles]
            self.errors += [UnknownReference(at, name=r, what="role", what_zh="角色", known="、".join(process.roles)) for r, at in strange]
        for process, post in posts:
            if post.kind in ("order", "stock"):
                fact = next((f for f in process.facts if catalogues and f.name == catalogues[0].fact), None)
                lost = [v for v in fact.values if v not in catalogues[0].prices] if fact else [catalogues[0].fact if catalogues else "catalogue"]
                self.errors += [UnknownReference(post.where, name=v, what="priced item", what_zh="有标价的礼品", known="catalogue.prices") for v in lost]


def _mapping(raw: Any) -> Map:
    return Cursor(raw, "parameters").raw if raw is not None else Map()


def _flat(raw: Map, head: str = "") -> dict[str, Any]:
    """Nested locale keys as dotted paths."""
    out: dict[str, Any] = {}
    for key, value in raw.items():
        if isinstance(value, Map):
            out.update(_flat(value, f"{head}{key}."))
        else:
            out[f"{head}{key}"] = value
    return out
