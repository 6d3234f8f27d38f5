"""Who looks after the system: the kernel role `admin`, at the top or at a unit."""

from __future__ import annotations

from siquan.core.errors import NoAccess
from siquan.core.service.app import APPROVER, AUTHOR, App
from siquan.core.store.transaction import Tx

ADMIN = "admin"


def administers(app: App, tx: Tx, person: str, unit: str = "") -> bool:
    """Whether a person holds the role at the top of the tree, or at the unit or above it."""
    found = tx.people.find(person)
    if found is None or not found.active:
        return False
    at = {g.unit_id for g in tx.people.grants(person, app.today()) if g.role == ADMIN}
    if not at:
        return False
    above = tx.people.above(unit) if unit and tx.people.find_unit(unit) else []
    return not at.isdisjoint(u.id for u in above) or any(u.parent_id is None for i in at if (u := tx.people.find_unit(i)) is not None)


def must_administer(app: App, tx: Tx, person: str, unit: str = "") -> None:
    """Raises NoAccess unless the person administers the unit, or the whole without one."""
    if not administers(app, tx, person, unit):
        raise NoAccess(why="这要管理员的岗位" if not unit else "这要这个地方或上级的管理员岗位")


def may_change(app: App, tx: Tx, person: str, *, confirm: bool = False) -> bool:
    """Whether a person may plan (or, as the second one, confirm) what happens to the cases of a process: the posts that
    draft and approve rules, and the administrator."""
    found = tx.people.find(person)
    if found is None or not found.active:
        return False
    held = {g.role for g in tx.people.grants(person, app.today())}
    return APPROVER in held or (AUTHOR in held and not confirm) or administers(app, tx, person)


def must_change(app: App, tx: Tx, person: str, *, confirm: bool = False) -> None:
    """Raises NoAccess."""
    if not may_change(app, tx, person, confirm=confirm):
        raise NoAccess(why="这要“政策批准”或管理员的岗位" if confirm else "这要“政策起草”“政策批准”或管理员的岗位")
