"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "access_log audit_root book_line book_version case_file counter definition holiday_year idempotency "
    "job job_worker org_unit setting collection_batch collection_row deadline decision event fact_value "
    "incident person task role_grant"
).split()


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("what", sa.String(50), nullable=False),
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=True),
        sa.Column("origin", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_access_at", "access_log", ["at"])
    op.create_index("ix_access_case", "access_log", ["case_id", "at"])
    op.create_table(
        "audit_root",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("root", sa.String(128), nullable=False),
        sa.Column("prev_root", sa.String(128), nullable=False),
        sa.Column("cases", sa.Integer, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "book_line",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("basis", sa.String(20), nullable=False),
        sa.Column("cite", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("origin", sa.String(20), nullable=False),
        sa.Column("added_in", sa.Integer, nullable=False),
        sa.Column("removed_in", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_book_line_name", "book_line", ["name", "place", "since"])
    op.create_table(
        "book_version",
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("published_by", sa.String(100), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("hash", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "case_file",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("number", sa.String(100), nullable=True),
        sa.Column("process", sa.String(200), nullable=False),
        sa.Column("definition_hash", sa.String(128), nullable=False),
        sa.Column("parent_id", sa.String(100), nullable=True),
        sa.Column("parent_name", sa.String(200), nullable=True),
        sa.Column("ordinal", sa.Integer, nullable=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("outcome", sa.String(200), nullable=True),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("children_revision", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("opened_by", sa.String(100), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.Column("closed_at", sa.String(32), nullable=True),
        sa.Column("due_on", sa.String(10), nullable=False),
        sa.Column("book_version", sa.Integer, nullable=False),
        sa.Column("origin", sa.String(200), nullable=False),
        sa.Column("last_seq", sa.Integer, nullable=False),
        sa.Column("last_hash", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["parent_id"], ["case_file.id"]),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("parent_id", "parent_name", "ordinal", name="uq_case_ordinal"),
    )
    op.create_index("ix_case_due", "case_file", ["is_open", "due_on", "id", "process", "state", "place"])
    op.create_index("ix_case_opener", "case_file", ["opened_by", "opened_at"])
    op.create_index("ix_case_place", "case_file", ["is_open", "place", "due_on", "id", "process", "state"])
    op.create_index("ix_case_process", "case_file", ["process", "is_open", "state"])
    op.create_table(
        "counter",
        sa.Column("scope", sa.String(100), nullable=False),
        sa.Column("value", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "definition",
        sa.Column("hash", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_definition_name", "definition", ["kind", "name", "at"])
    op.create_table(
        "holiday_year",
        sa.Column("version", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("holidays", sa.Text, nullable=False),
        sa.Column("workdays", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("published_by", sa.String(100), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_index("ix_holiday_year", "holiday_year", ["year", "version"])
    op.create_table(
        "idempotency",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("request_hash", sa.String(128), nullable=False),
        sa.Column("response", sa.Text, nullable=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])
    op.create_table(
        "job",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("queue", sa.String(30), nullable=True),
        sa.Column("payload", sa.JSON, nullable=True),
        sa.Column("parent", sa.String(200), nullable=True),
        sa.Column("state", sa.String(10), server_default="queued", nullable=True),
        sa.Column("attempt", sa.Integer, server_default="1", nullable=True),
        sa.Column("fence", sa.Integer, server_default="0", nullable=True),
        sa.Column("starts", sa.Integer, server_default="0", nullable=True),
        sa.Column("owner", sa.String(60), nullable=True),
        sa.Column("done", sa.Integer, server_default="0", nullable=True),
        sa.Column("total", sa.Integer, nullable=True),
        sa.Column("note", sa.Text, nullable=True),
        sa.Column("cancel", sa.Boolean, server_default=sa.false(), nullable=True),
        sa.Column("seen", sa.Float, nullable=True),
        sa.Column("created_at", sa.Float, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_job_parent", "job", ["parent"])
    op.create_index("ix_job_state", "job", ["state"])
    op.create_table(
        "job_worker",
        sa.Column("id", sa.String(60), nullable=False),
        sa.Column("seen", sa.Float, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "org_unit",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("parent_id", sa.String(100), nullable=True),
        sa.Column("path", sa.String(700), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["parent_id"], ["org_unit.id"]),
    )
    op.create_index("ix_org_unit_parent", "org_unit", ["parent_id"])
    op.create_index("ix_org_unit_path", "org_unit", ["path"])
    op.create_table(
        "setting",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.Column("updated_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "collection_batch",
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("collection", sa.String(200), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("row_count", sa.Integer, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("salt", sa.String(128), nullable=False),
        sa.Column("commitment", sa.String(128), nullable=False),
        sa.Column("file_name", sa.String(300), nullable=False),
        sa.Column("file_hash", sa.String(128), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "collection", "seq"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
    )
    op.create_table(
        "collection_row",
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("collection", sa.String(200), nullable=False),
        sa.Column("batch", sa.Integer, nullable=False),
        sa.Column("row_no", sa.Integer, nullable=False),
        sa.Column("row_key", sa.String(300), nullable=False),
        sa.Column("data", sa.Text, nullable=True),
        sa.Column("salt", sa.String(32), nullable=True),
        sa.Column("leaf", sa.String(64), nullable=True),
        sa.Column("is_current", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "collection", "batch", "row_no"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
    )
    op.create_index("ix_row_key", "collection_row", ["case_id", "collection", "is_current", "row_key"])
    op.create_table(
        "deadline",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("start_date", sa.String(10), nullable=False),
        sa.Column("end_date", sa.String(10), nullable=False),
        sa.Column("provisional", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("on_expiry", sa.String(200), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("calendar_version", sa.Integer, nullable=False),
        sa.Column("fired_at", sa.String(32), nullable=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
    )
    op.create_index("ix_deadline_case", "deadline", ["case_id", "status"])
    op.create_index("ix_deadline_sweep", "deadline", ["status", "end_date"])
    op.create_table(
        "decision",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=True),
        sa.Column("event_seq", sa.Integer, nullable=True),
        sa.Column("transition", sa.String(200), nullable=False),
        sa.Column("ruleset", sa.String(200), nullable=False),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("hash", sa.String(128), nullable=False),
        sa.Column("on_date", sa.String(10), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("outcome", sa.String(200), nullable=False),
        sa.Column("refused", sa.Boolean, nullable=False),
        sa.Column("record", sa.Text, nullable=True),
        sa.Column("salt", sa.String(128), nullable=True),
        sa.Column("commitment", sa.String(128), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("children_revision", sa.Integer, nullable=False),
        sa.Column("erased_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
    )
    op.create_index("ix_decision_at", "decision", ["at"])
    op.create_index("ix_decision_case", "decision", ["case_id", "event_seq"])
    op.create_index("ix_decision_ruleset", "decision", ["ruleset", "at"])
    op.create_table(
        "event",
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(100), nullable=False),
        sa.Column("on_behalf", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.String(128), nullable=False),
        sa.Column("hash", sa.String(128), nullable=False),
        sa.Column("algo", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "seq"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
    )
    op.create_index("ix_event_actor", "event", ["actor", "at"])
    op.create_index("ix_event_at", "event", ["at"])
    op.create_table(
        "fact_value",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("path", sa.String(300), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("value", sa.Text, nullable=True),
        sa.Column("as_of", sa.String(10), nullable=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("stated_by", sa.String(100), nullable=False),
        sa.Column("complete", sa.Boolean, nullable=True),
        sa.Column("salt", sa.String(128), nullable=True),
        sa.Column("commitment", sa.String(128), nullable=False),
        sa.Column("erased_at", sa.String(32), nullable=True),
        sa.Column("is_current", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
        sa.UniqueConstraint("case_id", "path", "seq", name="uq_fact_value"),
    )
    op.create_index("ix_fact_current", "fact_value", ["case_id", "is_current", "path"])
    op.create_table(
        "incident",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("closed_at", sa.String(32), nullable=True),
        sa.Column("closed_by", sa.String(100), nullable=True),
        sa.Column("note", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
    )
    op.create_index("ix_incident_case", "incident", ["case_id"])
    op.create_index("ix_incident_status", "incident", ["status", "at"])
    op.create_table(
        "person",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("unit_id", sa.String(100), nullable=True),
        sa.Column("login", sa.String(200), nullable=True),
        sa.Column("password_hash", sa.String(300), nullable=False),
        sa.Column("lang", sa.String(10), nullable=False),
        sa.Column("theme", sa.String(20), nullable=False),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("failed_count", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.String(32), nullable=True),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"]),
        sa.UniqueConstraint("login"),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("case_id", sa.String(100), nullable=False),
        sa.Column("state", sa.String(200), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("closed_at", sa.String(32), nullable=True),
        sa.Column("claimed_by", sa.String(100), nullable=True),
        sa.Column("claimed_at", sa.String(32), nullable=True),
        sa.Column("closed_by", sa.String(100), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"]),
    )
    op.create_index("ix_task_case", "task", ["case_id", "closed_at"])
    op.create_index("ix_task_claim", "task", ["claimed_by", "closed_at"])
    op.create_index("ix_task_closer", "task", ["closed_by", "closed_at"])
    op.create_table(
        "role_grant",
        sa.Column("id", sa.String(100), nullable=False),
        sa.Column("person_id", sa.String(100), nullable=False),
        sa.Column("role", sa.String(200), nullable=False),
        sa.Column("unit_id", sa.String(100), nullable=False),
        sa.Column("since", sa.String(10), nullable=False),
        sa.Column("until", sa.String(10), nullable=True),
        sa.Column("granted_by", sa.String(100), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"]),
    )
    op.create_index("ix_role_grant_person", "role_grant", ["person_id"])
    op.create_index("ix_role_grant_unit", "role_grant", ["unit_id", "role"])


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
