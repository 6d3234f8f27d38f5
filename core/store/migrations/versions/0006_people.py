"""Substitutions, persons named by facts, the last day of a leaver."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("leaving_on", sa.String(10), nullable=True))
    op.create_table(
        "substitution",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("person_id", sa.String(100), nullable=False),
        sa.Column("substitute_id", sa.String(100), nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("set_by", sa.String(100), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("cancelled_at", sa.String(32), nullable=True),
        sa.Column("cancelled_by", sa.String(100), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["substitute_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_substitution_person", "substitution", ["person_id", "until"])
    op.create_index("ix_substitution_taker", "substitution", ["substitute_id", "until"])
    op.create_index("ix_substitution_until", "substitution", ["until"])
    op.create_table(
        "case_person",
        sa.Column("case_id", sa.String(100), sa.ForeignKey("case_file.id"), nullable=False),
        sa.Column("path", sa.String(200), nullable=False),
        sa.Column("person_id", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "path"),
    )
    op.create_index("ix_case_person", "case_person", ["person_id", "case_id"])


def downgrade() -> None:
    op.drop_table("case_person")
    op.drop_table("substitution")
    op.drop_column("person", "leaving_on")
