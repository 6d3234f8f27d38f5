"""Accounts: entries in chains of their own, lots, holds, asked reversals, reconciliations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("scale", sa.Integer, nullable=False),
        sa.Column("floor", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Boolean, nullable=False),
        sa.Column("balance", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.Column("last_hash", sa.String(128), nullable=False),
        sa.Column("salt", sa.String(128), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "owner", name="uq_ledger_account"),
    )
    op.create_index("ix_ledger_account_owner", "ledger_account", ["owner"])
    op.create_index("ix_ledger_account_place", "ledger_account", ["kind", "place"])
    op.create_table(
        "ledger_entry",
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("on_date", sa.String(10), nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("case_id", sa.String(100), nullable=True),
        sa.Column("event_seq", sa.Integer, nullable=True),
        sa.Column("decision_id", sa.String(100), nullable=True),
        sa.Column("because", sa.String(200), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("second", sa.String(100), nullable=False),
        sa.Column("reverses", sa.Integer, nullable=True),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("note", sa.String(4000), nullable=True),
        sa.Column("note_salt", sa.String(128), nullable=True),
        sa.Column("prev_hash", sa.String(128), nullable=False),
        sa.Column("hash", sa.String(128), nullable=False),
        sa.Column("algo", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"]),
        sa.PrimaryKeyConstraint("account_id", "seq"),
        sa.UniqueConstraint("account_id", "reverses", name="uq_ledger_reverses"),
    )
    op.create_index("ix_ledger_entry_at", "ledger_entry", ["at"])
    op.create_index("ix_ledger_entry_case", "ledger_entry", ["case_id", "event_seq"])
    op.create_table(
        "ledger_posting",
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("line_no", sa.Integer, nullable=False),
        sa.Column("part", sa.String(20), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "seq", "line_no"),
    )
    op.create_table(
        "ledger_lot",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("got_on", sa.String(10), nullable=False),
        sa.Column("expires_on", sa.String(10), nullable=False),
        sa.Column("notice_on", sa.String(10), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("remain", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_ledger_lot", "ledger_lot", ["account_id", "remain"])
    op.create_index("ix_ledger_lot_end", "ledger_lot", ["expires_on"])
    op.create_index("ix_ledger_lot_notice", "ledger_lot", ["notice_on"])
    op.create_table(
        "ledger_hold",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("until_on", sa.String(10), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("closed_seq", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_ledger_hold", "ledger_hold", ["account_id", "status"])
    op.create_index("ix_ledger_hold_case", "ledger_hold", ["case_id", "name"])
    op.create_index("ix_ledger_hold_end", "ledger_hold", ["status", "until_on"])
    op.create_table(
        "ledger_reversal",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("account_id", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asked_by", sa.String(100), nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("decided_by", sa.String(100), nullable=True),
        sa.Column("decided_at", sa.String(32), nullable=True),
        sa.Column("entry_seq", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_ledger_reversal", "ledger_reversal", ["account_id", "seq"])
    op.create_index("ix_ledger_reversal_open", "ledger_reversal", ["status", "asked_at"])
    op.create_table(
        "ledger_check",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(200), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.Column("totals", sa.Text, nullable=False),
        sa.Column("differences", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_ledger_check", "ledger_check", ["kind", "period"])


def downgrade() -> None:
    op.drop_table("ledger_check")
    op.drop_table("ledger_reversal")
    op.drop_table("ledger_hold")
    op.drop_table("ledger_lot")
    op.drop_table("ledger_posting")
    op.drop_table("ledger_entry")
    op.drop_table("ledger_account")
