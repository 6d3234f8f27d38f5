"""Reminders, supervision and history of a deadline; periods of obligations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deadline", sa.Column("next_on", sa.String(10), nullable=True))
    op.add_column("deadline", sa.Column("history", sa.Text, nullable=True))
    op.create_index("ix_deadline_alarm", "deadline", ["status", "next_on"])
    op.create_index("ix_deadline_calendar", "deadline", ["status", "calendar_version"])
    op.create_table(
        "obligation",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("start_date", sa.String(10), nullable=False),
        sa.Column("end_date", sa.String(10), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("changed_on", sa.String(10), nullable=False),
        sa.Column("warn_on", sa.String(10), nullable=True),
        sa.Column("last_on", sa.String(10), nullable=False),
        sa.Column("late_on", sa.String(10), nullable=True),
        sa.Column("next_on", sa.String(10), nullable=True),
        sa.Column("met_case", sa.String(100), nullable=True),
        sa.Column("met_seq", sa.Integer, nullable=True),
        sa.Column("definition_hash", sa.String(128), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
        sa.UniqueConstraint("case_id", "name", "start_date", name="uq_obligation_period"),
    )
    op.create_index("ix_obligation_sweep", "obligation", ["status", "next_on"])
    op.create_index("ix_obligation_end", "obligation", ["status", "end_date"])


def downgrade() -> None:
    op.drop_table("obligation")
    op.drop_index("ix_deadline_calendar", "deadline")
    op.drop_index("ix_deadline_alarm", "deadline")
    op.drop_column("deadline", "history")
    op.drop_column("deadline", "next_on")
