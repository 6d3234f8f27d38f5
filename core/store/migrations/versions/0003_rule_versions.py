"""Versions of rule sets, and the chain of what happened to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_version",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("ruleset", sa.String(200), nullable=False),
        sa.Column("plugin", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("base_id", sa.String(100), nullable=True),
        sa.Column("base_hash", sa.String(128), nullable=False),
        sa.Column("baseline", sa.String(128), nullable=False),
        sa.Column("origin", sa.String(20), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("hash", sa.String(128), nullable=False),
        sa.Column("author", sa.String(100), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("effective", sa.String(10), nullable=True),
        sa.Column("published_at", sa.String(32), nullable=True),
        sa.Column("withdrawn_on", sa.String(10), nullable=True),
        sa.Column("withdrawn_at", sa.String(32), nullable=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("impact", sa.String(100), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rule_version_set", "rule_version", ["ruleset", "number"])
    op.create_index("ix_rule_version_status", "rule_version", ["status", "ruleset"])
    op.create_table(
        "rule_event",
        sa.Column("ruleset", sa.String(200), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("version_id", sa.String(100), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.String(128), nullable=False),
        sa.Column("hash", sa.String(128), nullable=False),
        sa.Column("algo", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("ruleset", "seq"),
    )
    op.create_index("ix_rule_event_version", "rule_event", ["version_id", "seq"])
    op.create_index("ix_rule_event_at", "rule_event", ["at"])


def downgrade() -> None:
    op.drop_table("rule_event")
    op.drop_table("rule_version")
