"""What deciding again needs of each decision, and the runs of a draft over them. Decisions recorded before have no row
yet: an impact run cuts it out of their records first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decision_input",
        sa.Column("n", sa.Integer, nullable=False, autoincrement=True),
        sa.Column("decision_id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=True),
        sa.Column("event_seq", sa.Integer, nullable=True),
        sa.Column("refused", sa.Boolean, nullable=False),
        sa.Column("ruleset", sa.String(200), nullable=False),
        sa.Column("on_date", sa.String(10), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("layout", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(200), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("results", sa.Text, nullable=False),
        sa.Column("inputs", sa.Text, nullable=True),
        sa.Column("lists", sa.Text, nullable=True),
        sa.Column("ages", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("n"),
    )
    op.create_index("ix_input_decision", "decision_input", ["decision_id"], unique=True)
    op.create_index("ix_input_ruleset", "decision_input", ["ruleset", "n"])
    op.create_index("ix_input_case", "decision_input", ["case_id"])
    op.create_table(
        "impact_run",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("content_hash", sa.String(128), nullable=False),
        sa.Column("ruleset", sa.String(200), nullable=False),
        sa.Column("started_by", sa.String(100), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("upto_n", sa.Integer, nullable=False),
        sa.Column("last_n", sa.Integer, nullable=False),
        sa.Column("upto_case", sa.String(100), nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_impact_version", "impact_run", ["version", "started_at"])
    op.create_table(
        "impact_flip",
        sa.Column("run_id", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("decision_id", sa.String(100), nullable=True),
        sa.Column("case_id", sa.String(100), nullable=True),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("on_date", sa.String(10), nullable=True),
        sa.Column("before_label", sa.String(200), nullable=False),
        sa.Column("after_label", sa.String(200), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq"),
    )
    op.create_index("ix_impact_flow", "impact_flip", ["run_id", "before_label", "after_label"])
    op.create_index("ix_impact_place", "impact_flip", ["run_id", "place"])
    op.create_index("ix_impact_case", "impact_flip", ["case_id"])


def downgrade() -> None:
    op.drop_table("impact_flip")
    op.drop_table("impact_run")
    op.drop_table("decision_input")
