"""Who may act: every kind of role, nobody's stand-in, substitutes; and over random trees nobody acts without access."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siquan.core.engine.access import LEADER, Cast, Chain, Post, Standing, able, lend, ways
from siquan.core.errors import SiquanError
from siquan.core.spec.model import ProcessSpec, RoleSpec, StateSpec, TransitionSpec
from siquan.core.spec.process import read_roles
from siquan.core.spec.source import parse_yaml

CHAIN = Chain((("hu", "compound"), ("li", "community"), ("gui", "street"), ("yun", "district")))
FAR = Chain((("bei", "community"), ("yuan", "street"), ("yun", "district")))


def process(role: RoleSpec, *others: RoleSpec, if_nobody: dict[str, str] | None = None) -> tuple[ProcessSpec, StateSpec, TransitionSpec]:
    step = TransitionSpec(name="go", title="办", by=(role.name,))
    state = StateSpec(name="s", title="S", transitions=(step,))
    roles = {r.name: r for r in (role, *others)}
    return ProcessSpec(id="p.p", plugin="p", title="P", roles=roles, states=(state,), if_nobody=if_nobody or {}), state, step


def who(role: RoleSpec, posts: list[Post], *others: RoleSpec, policy: str = "block", **cast: Any) -> set[str]:
    spec, state, step = process(role, *others, if_nobody={role.name: policy})
    around = Cast(**{"opener": "opener", "posts": lend(posts, cast.get("standings", ()), "p.p"), "chain": CHAIN, "named": {}, **cast})
    return able(ways(spec, state, step, around), around)


LEADERS = [Post("a", LEADER, "li"), Post("b", LEADER, "gui"), Post("c", LEADER, "yun"), Post("x", LEADER, "bei")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{title: T, who: leader}", {"a"}),
        ("{title: T, who: leader, at: street}", {"b"}),
        ("{title: T, who: leader, at: compound}", set()),
        ("{title: T, who: leaders up to street}", {"a", "b"}),
        ("{title: T, who: leaders up to compound}", set()),
        ("{title: T, who: leaders up to district}", {"a", "b", "c"}),
        ("{title: T, who: starter}", {"opener"}),
        ("{title: T, who: group g}", {"g1"}),
        ("{title: T, who: unit bureau}", {"u1"}),
        ("T@community", {"r1"}),
        ("T", {"r1", "r2"}),
    ],
)
def test_every_kind_of_role(text: str, expected: set[str]) -> None:
    role = read_roles(parse_yaml(f"r: {text}", "roles.yaml"))["r"]
    posts = [
        *LEADERS, Post("g1", "group:g", "yun"), Post("g2", "group:h", "yun"), Post("g3", "group:g", "bei"), Post("u1", "r", "bureau"),
        Post("u2", "other", "bureau"), Post("r1", "r", "li"), Post("r2", "r", "yun"), Post("r3", "r", "bei"),
    ]  # fmt: skip
    posts = [p for p in posts if role.kind == "unit" or p.unit != "bureau"]
    assert who(role, posts) == expected


@pytest.mark.parametrize("text", ["somebody", "leaders", "leaders up to heaven", "group", "unit", "fact", "fact a b", "leader street"])
def test_another_word_for_who_is_refused(text: str) -> None:
    with pytest.raises(SiquanError) as found:
        read_roles(parse_yaml(f"r: {{title: T, who: {text}}}", "roles.yaml"))
    assert found.value.where is not None and found.value.where.line == 1 and "who" in found.value.text("zh")


def test_a_role_may_not_bear_the_name_of_a_post_of_the_kernel() -> None:
    with pytest.raises(SiquanError):
        read_roles(parse_yaml("admin: 管理员", "roles.yaml"))


def test_a_role_that_is_a_post_has_the_hash_it_always_had() -> None:
    assert set(RoleSpec(name="a", title="A").model_dump()) == {"name", "title", "level", "fact"}
    led = RoleSpec(name="a", title="A", kind="leader")
    assert led.model_dump()["kind"] == "leader" and RoleSpec.model_validate_json(led.model_dump_json()) == led


# nobody


def test_nobody_means_the_leader_above_another_role_or_a_stop() -> None:
    role = RoleSpec(name="r", title="T", kind="leader", level="community")
    posts = [p for p in LEADERS if p.person != "a"]
    assert who(role, posts, policy="up") == {"b"} and who(role, posts, policy="block") == set()
    assert who(role, [*posts, Post("o", "other", "gui")], RoleSpec(name="other", title="O"), policy="other") == {"o"}
    assert who(role, [Post("c", LEADER, "yun")], policy="up") == {"c"}  # and on, while nobody leads a unit


def test_a_recused_holder_counts_as_nobody_and_is_still_told_why() -> None:
    role = RoleSpec(name="r", title="T", level="community")
    posts = [Post("a", "r", "li"), Post("b", "r", "gui")]
    assert who(role, posts, policy="up", barred={"a"}) == {"b"}
    assert who(role, [*posts, Post("a2", "r", "li")], policy="up", barred={"a"}) == {"a2"}


def test_nobody_stands_in_for_a_choice_that_was_not_made() -> None:
    role = RoleSpec(name="r", title="T", fact="handler")
    posts = [Post("b", "r", "gui"), Post("c", "o", "li")]
    assert who(role, posts, RoleSpec(name="o", title="O"), policy="o") == set()
    assert who(role, posts, named={"r": "z"}) == {"z"}
    assert who(role, posts, RoleSpec(name="o", title="O"), policy="o", named={"r": ""}) == {"c"}  # chosen, and left


# substitutes


def test_a_substitute_holds_the_posts_in_scope_and_lends_nothing_on() -> None:
    role = RoleSpec(name="r", title="T", level="community")
    posts = [Post("a", "r", "li")]
    for standing, expected in [
        (Standing("a", "b"), {"a", "b"}),
        (Standing("a", "b", roles=frozenset({"r"})), {"a", "b"}),
        (Standing("a", "b", roles=frozenset({"q"})), {"a"}),
        (Standing("a", "b", processes=frozenset({"p.p"})), {"a", "b"}),
        (Standing("a", "b", processes=frozenset({"p.q"})), {"a"}),
    ]:
        assert who(role, posts, standings=(standing, Standing("b", "c"))) == expected
        assert who(role, posts, standings=(standing,), barred={"a"}) == set()  # nobody acts through a recused person
    assert who(RoleSpec(name="s", title="S", kind="starter"), [], standings=(Standing("opener", "b"),)) == {"opener", "b"}


# random trees

PERSONS = [f"p{n}" for n in range(6)]
UNITS = [*CHAIN.ids, "bei", "yuan", "bureau"]
ROLES = ["r", "q", LEADER, "group:g", "admin"]
posts_of = st.lists(st.builds(Post, st.sampled_from(PERSONS), st.sampled_from(ROLES), st.sampled_from(UNITS)), max_size=12)
levels = st.sampled_from(["", "community", "street", "district"])
any_role = st.one_of(
    levels.map(lambda at: RoleSpec(name="r", title="R", level=at)),
    levels.map(lambda at: RoleSpec(name="r", title="R", kind="leader", level=at)),
    levels.filter(bool).map(lambda at: RoleSpec(name="r", title="R", kind="leaders", scope=at)),
    st.just(RoleSpec(name="r", title="R", kind="group", scope="g")),
    st.just(RoleSpec(name="r", title="R", kind="unit", scope="bureau")),
    st.just(RoleSpec(name="r", title="R", kind="starter")),
    st.just(RoleSpec(name="r", title="R", fact="f")),
)  # fmt: skip
standings_of = st.lists(
    st.builds(
        Standing, st.sampled_from(PERSONS), st.sampled_from(PERSONS),
        st.sampled_from([frozenset(), frozenset({"r"}), frozenset({LEADER})]), st.sampled_from([frozenset(), frozenset({"p.p"}), frozenset({"p.q"})]),
    ),
    max_size=4,
)  # fmt: skip


def seen_here(post: Post, chain: Chain) -> bool:
    """What the service hands over: posts at the place or above, and a role of one named unit."""
    return post.unit in chain.ids or (post.unit, post.role) == ("bureau", "r")


@settings(max_examples=300, deadline=None)
@given(
    role=any_role, posts=posts_of, standings=standings_of, policy=st.sampled_from(["up", "block", "q"]), chain=st.sampled_from([CHAIN, FAR]),
    opener=st.sampled_from(["", *PERSONS]), named=st.sampled_from([None, "", *PERSONS]), barred=st.sets(st.sampled_from(PERSONS), max_size=3),
)  # fmt: skip
def test_nobody_acts_without_access(
    role: RoleSpec, posts: list[Post], standings: list[Standing], policy: str, chain: Chain, opener: str, named: str | None, barred: set[str]
) -> None:
    spec, state, step = process(role, RoleSpec(name="q", title="Q"), if_nobody={"r": policy})
    own = [p for p in posts if seen_here(p, chain)]
    names = {} if named is None else {"r": named}
    cast = Cast(opener, lend(own, standings, "p.p"), chain, names, standings, barred)
    found = ways(spec, state, step, cast)
    free = able(found, cast)
    for way in found:
        holder = way.of or way.person
        # every way leads back to a post of somebody's own, or to the person named or the starter
        if way.unit:
            assert Post(holder, way.role, way.unit) in own
            assert way.role != "admin"
        else:
            assert holder == (names.get("r") if role.fact else opener)
        if way.of:
            assert any((s.person, s.substitute) == (way.of, way.person) and s.covers(way.role, "p.p") for s in standings)
            assert Post(way.of, way.role, way.unit) in found  # never where the person himself is not
    assert not free & barred
    for person in free:
        assert any(w.person == person and w.of not in barred for w in found)
    if policy == "block":
        # without substitutes the same people may act, but for those who were lent something
        alone = replace(cast, posts=tuple(own), standings=())
        assert {w for w in found if not w.of} == set(ways(spec, state, step, alone))
    # a substitute of whoever may not act may not either
    for s in standings:
        mine = [w for w in found if w.person == s.substitute and w.of == s.person]
        assert not mine or s.person in {w.person for w in found}
