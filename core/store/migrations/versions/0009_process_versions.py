"""Migrations of open cases to another version of their process, and repairs of stuck cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "migration",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("process", sa.String(200), nullable=False),
        sa.Column("to_hash", sa.String(128), nullable=False),
        sa.Column("mapping", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("planned_by", sa.String(100), nullable=False),
        sa.Column("planned_at", sa.String(32), nullable=False),
        sa.Column("confirmed_by", sa.String(100), nullable=True),
        sa.Column("confirmed_at", sa.String(32), nullable=True),
        sa.Column("ended_at", sa.String(32), nullable=True),
        sa.Column("undone_by", sa.String(100), nullable=True),
        sa.Column("undone_at", sa.String(32), nullable=True),
        sa.Column("undo_reason", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_migration_process", "migration", ["process", "planned_at"])
    op.create_table(
        "migration_case",
        sa.Column("migration_id", sa.String(100), sa.ForeignKey("migration.id"), nullable=False),
        sa.Column("case_id", sa.String(100), sa.ForeignKey("case_file.id"), nullable=False),
        sa.Column("head_id", sa.String(100), nullable=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("from_hash", sa.String(128), nullable=False),
        sa.Column("from_state", sa.String(200), nullable=False),
        sa.Column("to_state", sa.String(200), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("earlier", sa.Text, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("migration_id", "case_id"),
    )
    op.create_index("ix_migration_case_case", "migration_case", ["case_id"])
    op.create_index("ix_migration_case_status", "migration_case", ["migration_id", "status"])
    op.create_table(
        "repair",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), sa.ForeignKey("case_file.id"), nullable=False),
        sa.Column("from_state", sa.String(200), nullable=False),
        sa.Column("to_state", sa.String(200), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("reopen", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("proposed_by", sa.String(100), nullable=False),
        sa.Column("proposed_at", sa.String(32), nullable=False),
        sa.Column("confirmed_by", sa.String(100), nullable=True),
        sa.Column("confirmed_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_repair_case", "repair", ["case_id", "status"])
    op.create_index("ix_repair_status", "repair", ["status", "proposed_at"])


def downgrade() -> None:
    for table in ("repair", "migration_case", "migration"):
        op.drop_table(table)
