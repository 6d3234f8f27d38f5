"""Discovery: bundled plugins, wheels with the entry point `siquan.plugins`, folders in SIQUAN_PLUGIN_DIRS.

Bundled plugins are found exactly as a third party's folder is. A plugin that cannot be loaded is reported and left
out; the others work on.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TypeVar, cast

import pluggy

from siquan.core import hookspecs
from siquan.core.engine.definition import Binder, Definition
from siquan.core.errors import NotFound, SiquanError, Where
from siquan.core.rules.decide import RuleSet
from siquan.core.rules.parameters import ParameterBook
from siquan.core.spec.load import DuplicateId, load_fragments, load_plugin
from siquan.core.spec.model import PluginSpec
from siquan.core.spec.source import Map

T = TypeVar("T")


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
    #: plugin -> its parameters; two plugins may use the same name for different things
    books: dict[str, ParameterBook] = field(default_factory=dict)

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

    def book_of(self, id: str) -> ParameterBook:
        """The parameters of the plugin a process or rule set belongs to."""
        return self.books[id.partition(".")[0]]

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


def _guard(name: str, call: Callable[[], T]) -> T | SiquanError:
    """What the call gives, or what is wrong with the plugin: no plugin takes the others down."""
    try:
        return call()
    except SiquanError as fault:
        return fault
    except KeyboardInterrupt:
        raise
    except BaseException as fault:
        return PluginBroken(name=name, why=f"{fault.__class__.__name__}: {fault}")


def _code(pm: pluggy.PluginManager, path: Path, origin: str) -> Found:
    """The plugin with its hooks registered; its data is read once all fragments are known."""
    name, code = (path.stem if path.is_file() else path.name), path / "plugin.py"
    hooks = _guard(name, lambda: _register(pm, _module(code, name), name)) if path.is_dir() and code.exists() else ()
    if isinstance(hooks, SiquanError):
        return Found(name, str(path), None, hooks, (), origin)
    return Found(name, str(path), None, None, hooks, origin)


def _data(found: Found, library: Mapping[str, Map]) -> Found:
    if found.error is not None or not found.path:
        return found
    spec = _guard(found.name, lambda: load_plugin(Path(found.path), library))
    return replace(found, error=spec) if isinstance(spec, SiquanError) else replace(found, spec=spec)


def _wheels(pm: pluggy.PluginManager) -> list[Found]:
    out = []
    for point in entry_points(group="siquan.plugins"):

        def load(point: EntryPoint = point) -> tuple[tuple[str, ...], Path | None]:
            module = point.load()
            hook = getattr(module, "siquan_plugin_path", None)
            return _register(pm, module, point.name), hook() if hook else None

        got = _guard(point.name, load)
        if isinstance(got, SiquanError):
            out.append(Found(point.name, "", None, got, (), "wheel"))
        else:
            out.append(Found(point.name, str(got[1] or ""), None, None, got[0], "wheel"))
    return out


def _fragments(pm: pluggy.PluginManager, folders: Iterable[Path], broken: list[Found]) -> dict[str, Map]:
    """Fragments of the folders and of the plugins' hooks; a folder with a broken one is reported in `broken`."""
    places = [(folder.name, folder) for folder in folders]
    for hook in pm.hook.siquan_fragment_paths.get_hookimpls():
        paths = _guard(hook.plugin_name, cast("Callable[[], Sequence[Path] | None]", hook.function))
        if isinstance(paths, SiquanError):
            broken.append(Found(hook.plugin_name, "", None, paths))
        elif paths is not None and (isinstance(paths, str) or not isinstance(paths, Iterable) or not all(isinstance(p, str | Path) for p in paths)):
            broken.append(Found(hook.plugin_name, "", None, PluginBroken(name=hook.plugin_name, why="siquan_fragment_paths 要返回一列文件夹")))
        else:
            places += [(hook.plugin_name, Path(p)) for p in paths or ()]
    library: dict[str, Map] = {}
    for name, folder in places:
        more = _guard(name, lambda folder=folder: load_fragments(folder))  # type: ignore[misc]
        if isinstance(more, SiquanError):
            broken.append(Found(name, str(folder), None, more))
        else:
            library.update(more)
    return library


def discover(dirs: Sequence[Path] = (), *, bundled: bool = True, only: Iterable[Path] = ()) -> Catalogue:
    """Everything that can be found, loaded and bound. Broken plugins stand in `found` with their error."""
    pm = manager()
    base = bundled_dirs() if bundled else []
    found = _wheels(pm) if bundled else []
    found += [_code(pm, p, "bundled") for folder in base[:1] for p in candidates(folder)]
    found += [_code(pm, p, "folder") for folder in dirs for p in candidates(folder)] + [_code(pm, p, "folder") for p in only]
    broken: list[Found] = []
    library = _fragments(pm, [f for folder in [*base, *dirs] for f in (folder, folder / "workflows")], broken)
    catalogue = Catalogue([_data(f, library) for f in found if f.path or f.error] + broken)
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
                raise DuplicateId(Where(found.path), kind="plugin", kind_zh="插件", id=found.name)
            book = ParameterBook(found.spec.parameters)
            definitions, rulesets = Binder(found.spec.processes, found.spec.rulesets, book.types()).bind()
        except SiquanError as fault:
            catalogue.found[n] = replace(found, spec=None, error=fault)
            continue
        seen[found.name] = found.path
        for ruleset in rulesets.values():
            ruleset.locales = found.spec.locales
        catalogue.books[found.name] = book
        catalogue.definitions.update(definitions)
        catalogue.rulesets.update(rulesets)
