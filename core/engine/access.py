"""Who may act: a post at the place or above it, a leader, a group, a named person, whoever stands in for nobody, and
substitutes. Everything is found when somebody acts, never when a task begins: people come and go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from siquan.core.spec.model import ProcessSpec, RoleSpec, StateSpec, TransitionSpec

#: the post that leads a unit, and the prefix of posts that are the membership of a group
LEADER, GROUP = "leader", "group:"
RANK = ("building", "compound", "grid", "community", "street", "district")


@dataclass(frozen=True)
class Post:
    """A person holds a role at a unit; `of` is whose post it is, when the person holds it as a substitute. Who is named by
    a fact, or started the case, has no unit."""

    person: str
    role: str
    unit: str
    of: str = ""

    @property
    def mark(self) -> str:
        """As an event names it."""
        return f"{self.role}@{self.unit}" if self.unit else self.role


@dataclass(frozen=True)
class Standing:
    """`substitute` stands in for `person`; no roles or no processes means all of them."""

    person: str
    substitute: str
    roles: frozenset[str] = frozenset()
    processes: frozenset[str] = frozenset()

    def covers(self, role: str, process: str) -> bool:
        return (not self.roles or role in self.roles) and (not self.processes or process in self.processes)


@dataclass(frozen=True)
class Chain:
    """The place of a case and the units above it, nearest first: (id, kind) each."""

    units: tuple[tuple[str, str], ...]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(u for u, _ in self.units)

    def kind(self, unit: str) -> str:
        return dict(self.units).get(unit, "")


@dataclass(frozen=True)
class Cast:
    """The people around a case. `named` maps roles that are a fact to the person in it, "" when he can act no more; the
    opener likewise. `posts` hold what substitutes were lent. Nobody acts through the `barred`, and where only they hold a
    role it counts as held by nobody."""

    opener: str
    posts: Sequence[Post]
    chain: Chain
    named: Mapping[str, str]
    standings: Sequence[Standing] = ()
    barred: Collection[str] = ()


def lend(posts: Iterable[Post], standings: Sequence[Standing], process: str) -> tuple[Post, ...]:
    """The posts, and those that substitutes hold meanwhile. What was lent is not lent on."""
    own = tuple(posts)
    lent = (
        Post(s.substitute, p.role, p.unit, p.person)
        for s in standings for p in own if not p.of and p.person == s.person and s.covers(p.role, process)
    )  # fmt: skip
    return (*own, *lent)


def kernel_post(role: RoleSpec) -> str:
    """The post by which a role is held."""
    if role.kind in ("leader", "leaders"):
        return LEADER
    return GROUP + role.scope if role.kind == "group" else role.name


def post_names(spec: ProcessSpec) -> set[str]:
    """Posts that have a part in the process at all."""
    return {kernel_post(r) for r in spec.roles.values()}


def fits(role: RoleSpec, post: Post, chain: Chain) -> bool:
    """A holder acts where his unit is the place or above it; `@level` asks for a unit of that kind. A role of one named
    unit is held there and nowhere else, wherever the case is."""
    if post.role != kernel_post(role):
        return False
    if role.kind == "unit":
        return post.unit == role.scope
    if post.unit not in chain.ids:
        return False
    if role.kind == "leaders":
        kind = chain.kind(post.unit)
        return kind in RANK and RANK.index(kind) <= RANK.index(role.scope)
    return not role.level or chain.kind(post.unit) == role.level


def holding(role: RoleSpec, posts: Iterable[Post], chain: Chain) -> list[Post]:
    """The posts by which somebody holds the role at the place. The leader is the nearest there is."""
    found = [p for p in posts if fits(role, p, chain)]
    if role.kind == "leader" and found:
        nearest = min(chain.ids.index(p.unit) for p in found)
        found = [p for p in found if p.unit == chain.ids[nearest]]
    return found


def acting_roles(spec: ProcessSpec, state: StateSpec | None, transition: TransitionSpec) -> tuple[str, ...]:
    """Role names that may fire; () means the person who opened the case, in the initial state."""
    if transition.by:
        return transition.by
    if state is not None and state.by:
        return state.by
    if state is not None and state.name == spec.initial.name and not spec.child_of:
        return ()
    return tuple(spec.roles)


def is_post(spec: ProcessSpec, role: str) -> bool:
    """Whether somebody is given the role, rather than found by what the case says."""
    found = spec.roles.get(role)
    return found is not None and not found.fact and found.kind != "starter"


def nobody_policy(spec: ProcessSpec, state: StateSpec | None, role: str) -> str:
    """`up`, `block` or another role's name."""
    if state is not None and state.if_nobody:
        return state.if_nobody
    return spec.if_nobody.get(role, "up")


def ways(spec: ProcessSpec, state: StateSpec | None, transition: TransitionSpec, cast: Cast) -> list[Post]:
    """Every post by which anybody may fire the transition, a person's own before those he was lent. Where a role has no
    holder its policy says who stands in; nothing ever passes by itself."""
    roles = acting_roles(spec, state, transition)
    if not roles:
        return _personal("starter", cast.opener, spec, cast)
    found: dict[Post, None] = {}
    for name in roles:
        role = spec.role(name)
        if role.fact or role.kind == "starter":
            who = cast.named.get(name) if role.fact else cast.opener
            if who is None:  # nobody was chosen yet, and nobody stands in for a choice
                continue
            own = _personal(name, who, spec, cast)
        else:
            own = holding(role, cast.posts, cast.chain)
        if not any(_free(p, cast) for p in own):
            own += _stand_in(spec, nobody_policy(spec, state, name), role, cast)
        found |= dict.fromkeys(own)
    return sorted(found, key=lambda p: bool(p.of))


def _free(post: Post, cast: Cast) -> bool:
    return post.person not in cast.barred and post.of not in cast.barred


def able(found: Iterable[Post], cast: Cast) -> set[str]:
    """Who of them is free to act."""
    return {p.person for p in found if _free(p, cast)}


def _personal(role: str, person: str, spec: ProcessSpec, cast: Cast) -> list[Post]:
    return list(lend([Post(person, role, "")], cast.standings, spec.id)) if person else []


def _stand_in(spec: ProcessSpec, policy: str, role: RoleSpec, cast: Cast) -> list[Post]:
    if policy == "block":
        return []
    if policy != "up":
        other = spec.roles.get(policy)
        return holding(other, cast.posts, cast.chain) if other is not None else []
    # one level up: whoever holds any role of this process at the unit above the one the role belongs to
    units = cast.chain.units
    level = next((i for i, (_, kind) in enumerate(units) if kind == (role.scope if role.kind == "leaders" else role.level)), 0)
    above = units[level + 1 :] if role.kind in ("leader", "leaders") else units[level + 1 : level + 2]
    names = {LEADER} if role.kind in ("leader", "leaders") else post_names(spec)
    for unit, _ in above:
        free = [p for p in cast.posts if p.unit == unit and p.role in names and _free(p, cast)]
        if free:
            return free
    return []
