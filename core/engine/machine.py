"""The state machine of a definition: the only importer of `transitions`.

Flat, no automatic transitions, one machine per definition. It says what may happen by the graph alone; rules, roles and
time are asked elsewhere. A private throw-away model keeps the library from writing methods onto anything of ours.
"""

from __future__ import annotations

from typing import Any

from transitions import Machine as _Machine
from transitions import MachineError

from siquan.core.errors import SiquanError
from siquan.core.spec.model import ProcessSpec, TransitionSpec


class NoSuchStep(SiquanError):
    """the case stands in `{state}`, where there is no step `{transition}`"""

    code = "SQ411"
    zh = "事项现在是“{state_title}”，没有 `{transition}` 这一步"
    help_en = "somebody may have taken the step meanwhile: look at the case again"
    help_zh = "可能已经有人办过了：回到事项页看现在能办什么"
    exit = 1
    http = 422


class _Model:
    state: str


def targets(transition: TransitionSpec, state: str) -> tuple[str, ...]:
    """Every state a transition may lead to; staying counts as the state itself."""
    if transition.branches:
        return tuple(dict.fromkeys(t or state for t in transition.branches.values()))
    return (transition.to or state,)


class Machine:
    """Which transitions a state has, and where firing one leads."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self._by_state: dict[str, dict[str, TransitionSpec]] = {}
        arrows: list[dict[str, Any]] = []
        for state in spec.states:
            own = {t.name: t for t in state.transitions}
            if not state.final:
                # a step that leads where the case already stands is not offered there
                own = {**{t.name: t for t in spec.anywhere if t.to != state.name and (not t.only or state.name in t.only)}, **own}
            self._by_state[state.name] = own
            for t in own.values():
                for target in targets(t, state.name):
                    arrows.append({"trigger": f"{t.name}>{target}", "source": state.name, "dest": target})
        self._machine = _Machine(
            model=None, states=[s.name for s in spec.states], initial=spec.initial.name, transitions=arrows,
            auto_transitions=False, send_event=True,
        )  # fmt: skip

    @property
    def initial(self) -> str:
        return self.spec.initial.name

    def steps(self, state: str) -> tuple[TransitionSpec, ...]:
        """The transitions of a state, its own first, then those possible anywhere."""
        found = self._by_state.get(state, {})
        own = self.spec.state(state)
        first = [t.name for t in own.transitions] if own else []
        return tuple(found[n] for n in [*first, *(n for n in found if n not in first)])

    def step(self, state: str, name: str) -> TransitionSpec:
        """Raises NoSuchStep."""
        found = self._by_state.get(state, {}).get(name)
        if found is None:
            at = self.spec.state(state)
            raise NoSuchStep(transition=name, state=state, state_title=at.title if at else state)
        return found

    def fire(self, state: str, transition: TransitionSpec, target: str) -> str:
        """The state after firing; raises NoSuchStep when the graph has no such arrow."""
        model = _Model()
        self._machine.add_model(model, initial=state)
        try:
            model.trigger(f"{transition.name}>{target or state}")  # type: ignore[attr-defined]
            return str(model.state)
        except (MachineError, AttributeError):
            at = self.spec.state(state)
            raise NoSuchStep(transition=transition.name, state=state, state_title=at.title if at else state) from None
        finally:
            self._machine.remove_model(model)
