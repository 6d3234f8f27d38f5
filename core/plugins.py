"""Discovery: bundled plugins, wheels with the entry point `siquan.plugins`, folders in SIQUAN_PLUGIN_DIRS.

Bundled plugins are found exactly as a third party's folder is. A plugin that cannot be loaded is reported and left
out; the others work on.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pluggy

from siquan.core import hookspecs
from siquan.core.engine.definition import Binder, Definition
from siquan.core.errors import Errors, NotFound, SiquanError
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.load import DuplicateId, load_fragments, load_plugin
from siquan.core.spec.model import PluginSpec
from siquan.core.spec.source import Map


class PluginBroken(SiquanError):
    """the plugin `{name}` cannot be loaded: {why}"""

    code = "SQ044"
    zh = "插件 `{name}` 装不上：{why}"


@dataclass(frozen=True)
class Found:
    """A plugin as found on disk; `spec` is None when it is broken and `error` says why."""

    name: str
    path: str
    spec: PluginSpec | None
    error: SiquanError | None = None
    hooks: tuple[str, ...] = ()
    origin: str = "folder"


@dataclass
class Catalogue:
    """All loaded plugins, bound to each other: processes, rule sets, parameters."""

    found: list[Found] = field(default_factory=list)
    definitions: dict[str, Definition] = field(default_factory=dict)
    rulesets: dict[str, RuleSet] = field(default_factory=dict)
    book: ParameterBook = field(default_factory=ParameterBook)

    @property
    def plugins(self) -> list[PluginSpec]:
        return [f.spec for f in self.found if f.spec is not None]

    def definition(self, id: str) -> Definition:
        """Raises NotFound. A plugin with a single process may be named by the plugin alone."""
        found = self.definitions.get(id)
        if found is None and "." not in id:
            own = [d for d in self.definitions.values() if d.spec.plugin == id and d.spec.child_of is None]
            found = own[0] if len(own) == 1 else None
        if found is None:
            raise NotFound(kind="流程", name=id)
        return found

    def ruleset(self, id: str) -> RuleSet:
        found = self.rulesets.get(id)
        if found is None:
            near = "、".join(sorted(self.rulesets))
            raise NotFound(kind="规则集", name=id, help=f"已有：{near}")
        return found

    def plugin(self, name: str) -> PluginSpec:
        for spec in self.plugins:
            if spec.name == name:
                return spec
        broken = next((f for f in self.found if f.name == name), None)
        if broken is not None and broken.error is not None:
            raise broken.error
        raise NotFound(kind="插件", name=name)


def bundled_dirs() -> list[Path]:
    """The folders of the plugins and fragments that come with Siquan, found by package name, never imported."""
    out = []
    for package in ("siquan.plugins", "siquan.workflows"):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            out.append(Path(next(iter(spec.submodule_search_locations))))
    return out


def candidates(folder: Path) -> list[Path]:
    """Plugin folders and one-file plugins directly below `folder`."""
    out = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith((".", "_")):
            continue
        if path.is_file() and path.suffix == ".yaml":
            out.append(path)
        elif path.is_dir() and any((path / d).is_dir() for d in ("workflows", "rules")) or (path / "plugin.py").exists():
            out.append(path)
    return out


def manager() -> pluggy.PluginManager:
    pm = pluggy.PluginManager("siquan")
    pm.add_hookspecs(hookspecs)
    return pm


def _module(path: Path, name: str) -> ModuleType:
    """Imports a plugin's plugin.py under a private name; whatever it raises is a PluginBroken."""
    full = f"siquan_plugin_{name}"
    spec = importlib.util.spec_from_file_location(full, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as fault:
        del sys.modules[full]
        if isinstance(fault, KeyboardInterrupt):
            raise
        raise PluginBroken(name=name, why=f"plugin.py: {fault.__class__.__name__}: {fault}") from fault
    return module


def _register(pm: pluggy.PluginManager, module: ModuleType, name: str) -> tuple[str, ...]:
    """Registers and checks a plugin's hooks; a misspelt hook is refused."""
    try:
        pm.register(module, name)
        pm.check_pending()
    except (pluggy.PluginValidationError, ValueError) as fault:
        if pm.has_plugin(name):
            pm.unregister(name=name)
        raise PluginBroken(name=name, why=" ".join(str(fault).split())) from None
    return tuple(h.name for h in pm.get_hookcallers(module) or ())


def _one(pm: pluggy.PluginManager, path: Path, library: Mapping[str, Map], origin: str) -> Found:
    name = path.stem if path.is_file() else path.name
    hooks: tuple[str, ...] = ()
    try:
        code = path / "plugin.py"
        if path.is_dir() and code.exists():
            hooks = _register(pm, _module(code, name), name)
        return Found(name, str(path), load_plugin(path, library), None, hooks, origin)
    except SiquanError as fault:
        return Found(name, str(path), None, fault, hooks, origin)


def _entry_points(pm: pluggy.PluginManager) -> list[tuple[str, Path | None, SiquanError | None]]:
    from importlib.metadata import entry_points

    out: list[tuple[str, Path | None, SiquanError | None]] = []
    for point in entry_points(group="siquan.plugins"):
        try:
            module = point.load()
            _register(pm, module, point.name)
            hook = getattr(module, "siquan_plugin_path", None)
            path = hook() if hook else None
            out.append((point.name, Path(path) if path else None, None))
        except SiquanError as fault:
            out.append((point.name, None, fault))
        except Exception as fault:
            out.append((point.name, None, PluginBroken(name=point.name, why=f"{fault.__class__.__name__}: {fault}")))
    return out


def discover(dirs: Sequence[Path] = (), *, bundled: bool = True, only: Iterable[Path] = ()) -> Catalogue:
    """Everything that can be found, loaded and bound. Broken plugins stand in `found` with their error."""
    pm = manager()
    base = bundled_dirs() if bundled else []
    library: dict[str, Map] = {}
    for folder in [*base, *dirs]:
        library.update(load_fragments(folder))
        library.update(load_fragments(folder / "workflows"))
    catalogue = Catalogue()
    for name, path, fault in _entry_points(pm) if bundled else ():
        if fault is not None:
            catalogue.found.append(Found(name, "", None, fault, (), "wheel"))
        elif path is not None:
            catalogue.found.append(_one(pm, path, library, "wheel"))
    for paths in pm.hook.siquan_fragment_paths():
        for folder in paths or ():
            library.update(load_fragments(Path(folder)))
    for folder in base[:1]:
        catalogue.found += [_one(pm, p, library, "bundled") for p in candidates(folder)]
    for folder in dirs:
        catalogue.found += [_one(pm, p, library, "folder") for p in candidates(folder)]
    catalogue.found += [_one(pm, p, library, "folder") for p in only]
    _bind(catalogue)
    return catalogue


def _bind(catalogue: Catalogue) -> None:
    """Each plugin is bound on its own: one plugin's mistake never takes another down."""
    seen: dict[str, str] = {}
    for n, found in enumerate(catalogue.found):
        if found.spec is None:
            continue
        try:
            if found.name in seen:
                raise DuplicateId(found.spec.where, kind="plugin", kind_zh="插件", id=found.name)
            book = ParameterBook(found.spec.parameters)
            definitions, rulesets = Binder(found.spec.processes, found.spec.rulesets, book.types()).bind()
            clash = set(book.specs) & set(catalogue.book.specs)
            if clash:
                raise DuplicateId(found.spec.where, kind="parameter", kind_zh="参数", id="、".join(sorted(clash)))
        except SiquanError as fault:
            errors = fault.errors if isinstance(fault, Errors) else [fault]
            catalogue.found[n] = Found(found.name, found.path, None, Errors(errors) if len(errors) > 1 else errors[0], found.hooks, found.origin)
            continue
        seen[found.name] = found.path
        for ruleset in rulesets.values():
            ruleset.locales = found.spec.locales
        catalogue.book = catalogue.book.with_specs(found.spec.parameters)
        catalogue.definitions.update(definitions)
        catalogue.rulesets.update(rulesets)
