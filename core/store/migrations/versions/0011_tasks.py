"""Whom a task is with, what it asks, and on the case whom its work is with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PLACE = ["is_open", "place", "due_on", "id", "process", "state"]
DUE = ["is_open", "due_on", "id", "process", "state", "place"]


def upgrade() -> None:
    op.drop_index("ix_task_claim", "task")
    op.execute("ALTER TABLE task RENAME COLUMN claimed_by TO assignee")
    op.add_column("task", sa.Column("task_key", sa.String(40), nullable=False, server_default=""))
    op.add_column("task", sa.Column("kind", sa.String(20), nullable=False, server_default="work"))
    op.add_column("task", sa.Column("role", sa.String(100), nullable=False, server_default=""))
    op.add_column("task", sa.Column("turn", sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_index("ix_task_assignee", "task", ["assignee", "closed_at", "case_id"])
    op.create_index("ix_task_role", "task", ["role", "closed_at", "case_id"])
    op.add_column("case_file", sa.Column("holder", sa.String(100), nullable=False, server_default=""))
    for name, columns in (("ix_case_place", PLACE), ("ix_case_due", DUE)):
        op.drop_index(name, "case_file")
        op.create_index(name, "case_file", [*columns, "holder"])


def downgrade() -> None:
    for name, columns in (("ix_case_place", PLACE), ("ix_case_due", DUE)):
        op.drop_index(name, "case_file")
        op.create_index(name, "case_file", columns)
    op.drop_column("case_file", "holder")
    op.drop_index("ix_task_role", "task")
    op.drop_index("ix_task_assignee", "task")
    for name in ("turn", "role", "kind", "task_key"):
        op.drop_column("task", name)
    op.execute("ALTER TABLE task RENAME COLUMN assignee TO claimed_by")
    op.create_index("ix_task_claim", "task", ["claimed_by", "closed_at"])
