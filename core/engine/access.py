"""Who may act: a post at the place or above it, a named person, or whoever stands in for nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from siquan.core.spec.model import ProcessSpec, RoleSpec, StateSpec, TransitionSpec
from siquan.core.spec.verbs import STARTER


@dataclass(frozen=True)
class Post:
    """A person holds a role at a unit."""

    person: str
    role: str
    unit: str


@dataclass(frozen=True)
class Chain:
    """The place of a case and the units above it, nearest first: (id, kind) each."""

    units: tuple[tuple[str, str], ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(u for u, _ in self.units)

    def kind(self, unit: str) -> str:
        return dict(self.units).get(unit, "")


def fits(role: RoleSpec, post: Post, chain: Chain) -> bool:
    """A holder acts where his unit is the place or above it; `@level` asks for a unit of that kind."""
    return post.role == role.name and post.unit in chain.ids and (not role.level or chain.kind(post.unit) == role.level)


def holders(role: RoleSpec, posts: Iterable[Post], chain: Chain) -> set[str]:
    return {p.person for p in posts if fits(role, p, chain)}


def acting_roles(spec: ProcessSpec, state: StateSpec | None, transition: TransitionSpec) -> tuple[str, ...]:
    """Role names that may fire; () means the person who opened the case, in the initial state."""
    if transition.by:
        return transition.by
    if state is not None and state.by:
        return state.by
    if state is not None and state.name == spec.initial.name and not spec.child_of:
        return ()
    return tuple(spec.roles)


def nobody_policy(spec: ProcessSpec, state: StateSpec | None, role: str) -> str:
    """`up`, `block` or another role's name."""
    if state is not None and state.if_nobody:
        return state.if_nobody
    return spec.if_nobody.get(role, "up")


def may_act(
    spec: ProcessSpec, state: StateSpec | None, transition: TransitionSpec, person: str, opener: str, posts: Sequence[Post],
    chain: Chain, named: Mapping[str, str],
) -> tuple[bool, set[str]]:  # fmt: skip
    """(may this person act, everyone who may). `named` maps roles that are a fact to the person in it. Where a role
    has no holder its policy says who stands in; nothing ever passes by itself."""
    roles = acting_roles(spec, state, transition)
    if not roles:
        return person == opener, {opener}
    found: set[str] = set()
    for name in roles:
        if name == STARTER:
            found.add(opener)
            continue
        role = spec.roles[name]
        if role.fact:
            if named.get(name):
                found.add(named[name])
            continue
        own = holders(role, posts, chain)
        if not own:
            own = _stand_in(spec, nobody_policy(spec, state, name), role, posts, chain)
        found |= own
    return person in found, found


def _stand_in(spec: ProcessSpec, policy: str, role: RoleSpec, posts: Sequence[Post], chain: Chain) -> set[str]:
    if policy == "block":
        return set()
    if policy != "up":
        other = spec.roles.get(policy)
        return holders(other, posts, chain) if other is not None else set()
    # one level up: whoever holds any role of this process at the unit above the one the role belongs to
    level = next((i for i, (_, kind) in enumerate(chain.units) if kind == role.level), 0) if role.level else 0
    for unit, _ in chain.units[level + 1 : level + 2]:
        return {p.person for p in posts if p.unit == unit and p.role in spec.roles}
    return set()
