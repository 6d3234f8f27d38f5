"""The tables. Plain SQL only: text, integers, booleans; no JSON operators, partial indexes, arrays or
RETURNING.

Texts that are only shown are `Text`; what is compared, keyed or indexed is a bounded `String`. Names are
lower case, at most 30 characters and no reserved words (the case table is `case_file`). A change here needs a
migration."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from siquan.core.store.columns import Day, DayOrNever, Instant, Json

metadata = sa.MetaData()

#: DBOS keeps these in the same SQLite file; neither our tables nor a migration may touch them.
FOREIGN_TABLES = frozenset(
    "workflow_status workflow_input workflow_output workflow_events workflow_events_history "
    "operation_outputs notifications streams queues workflow_schedules application_versions "
    "dbos_migrations".split()
)


def _id(name: str = "id") -> sa.Column[str]:
    return sa.Column(name, sa.String(100), primary_key=True)


def _str(name: str, length: int = 100, **more: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, **more)


def _opt(name: str, length: int = 100, *args: Any, **more: Any) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), *args, nullable=True, **more)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _int(name: str, **more: Any) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, **more)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _bool(name: str, null: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=null)


def _json(name: str, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Json, nullable=null)


def _at(name: str = "at", null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Instant, nullable=null)


def _day(name: str, null: bool = False, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, Day, nullable=null, **more)


def _case(null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column("case_id", sa.String(100), sa.ForeignKey("case_file.id"), nullable=null, primary_key=key)


# -- organisation --------------------------------------------------------------------------------------------
org_unit = sa.Table(
    "org_unit", metadata,
    _id(), _str("kind", 20), _text("name"), _opt("parent_id", 100, sa.ForeignKey("org_unit.id")),
    _str("path", 700), _bool("active"),
    sa.Index("ix_org_unit_parent", "parent_id"), sa.Index("ix_org_unit_path", "path"),
)
person = sa.Table(
    "person", metadata,
    _id(), _text("name"), _opt("unit_id", 100, sa.ForeignKey("org_unit.id")), _opt("login", 200, unique=True),
    _str("password_hash", 300), _str("lang", 10), _str("theme", 20), _bool("must_change"),
    _int("failed_count"),
    _at("locked_until", null=True), _bool("active"), _at("created_at"), _day("leaving_on", null=True),
)  # fmt: skip
role_grant = sa.Table(
    "role_grant", metadata,
    _id(), _str("person_id", 100), _str("role", 200), _str("unit_id", 100), _day("since"),
    _day("until", null=True),
    _str("granted_by", 100), _at(),
    sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
    sa.ForeignKeyConstraint(["unit_id"], ["org_unit.id"]),
    sa.Index("ix_role_grant_person", "person_id"), sa.Index("ix_role_grant_unit", "unit_id", "role"),
)  # fmt: skip
#: who stands in for whom; rows stay as history
substitution = sa.Table(
    "substitution", metadata,
    _id(), _str("person_id", 100), _str("substitute_id", 100), _day("since"), _day("until"), _json("scope"), _text("reason"),
    _str("set_by", 100), _at(), _at("cancelled_at", null=True), _opt("cancelled_by", 100),
    sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
    sa.ForeignKeyConstraint(["substitute_id"], ["person.id"]),
    sa.Index("ix_substitution_person", "person_id", "until"), sa.Index("ix_substitution_taker", "substitute_id", "until"),
    sa.Index("ix_substitution_until", "until"),
)  # fmt: skip

# -- cases ---------------------------------------------------------------------------------------------------
case_file = sa.Table(
    "case_file", metadata,
    _id(), _opt("number", 100, unique=True), _str("process", 200), _str("definition_hash", 128),
    _opt("parent_id", 100, sa.ForeignKey("case_file.id")), _opt("parent_name", 200),
    sa.Column("ordinal", sa.Integer), _text("title"), _str("place", 200), _str("state", 200),
    _opt("outcome", 200),
    _bool("is_open"), _int("revision"), _int("children_revision"), _at("opened_at"), _str("opened_by", 100),
    _at("updated_at"), _at("closed_at", null=True), sa.Column("due_on", DayOrNever, nullable=False),
    _int("book_version"), _str("origin", 200), _int("last_seq"), _str("last_hash", 128),
    # whom the work is with; empty: whoever may. What is with somebody, or with signers, is on no other desk
    _str("holder", 100),
    # the inbox walks the first one (few places) or the second (all places) without touching the rows
    sa.Index("ix_case_place", "is_open", "place", "due_on", "id", "process", "state", "holder"),
    sa.Index("ix_case_due", "is_open", "due_on", "id", "process", "state", "place", "holder"),
    sa.Index("ix_case_process", "process", "is_open", "state"),
    sa.Index("ix_case_opener", "opened_by", "opened_at"),
    sa.UniqueConstraint("parent_id", "parent_name", "ordinal", name="uq_case_ordinal"),
)  # fmt: skip
event = sa.Table(
    "event", metadata,
    _case(key=True), _int("seq", primary_key=True), _at(), _str("actor", 100), _str("on_behalf", 100),
    _str("kind", 30), _json("data"), _str("prev_hash", 128), _str("hash", 128), _str("algo", 20),
    sa.Index("ix_event_at", "at"), sa.Index("ix_event_actor", "actor", "at"),
)  # fmt: skip
fact_value = sa.Table(
    "fact_value", metadata,
    _id(), _case(), _str("path", 300), _int("seq"), _json("value", null=True), _day("as_of", null=True),
    _text("source"), _text("ref"), _str("stated_by", 100), _bool("complete", null=True), _opt("salt", 128),
    _str("commitment", 128), _at("erased_at", null=True), _bool("is_current"),
    sa.UniqueConstraint("case_id", "path", "seq", name="uq_fact_value"),
    sa.Index("ix_fact_current", "case_id", "is_current", "path"),
)  # fmt: skip
decision = sa.Table(
    "decision", metadata,
    _id(), _case(null=True), sa.Column("event_seq", sa.Integer), _str("transition", 200),
    _str("ruleset", 200),
    _str("version", 100), _str("hash", 128), _day("on_date"), _str("place", 200), _str("outcome", 200),
    _bool("refused"), _json("record", null=True), _opt("salt", 128), _str("commitment", 128),
    _str("actor", 100),
    _at(), _int("children_revision"), _at("erased_at", null=True),
    sa.Index("ix_decision_case", "case_id", "event_seq"), sa.Index("ix_decision_ruleset", "ruleset", "at"),
    sa.Index("ix_decision_at", "at"),
)  # fmt: skip
#: What deciding again needs of a decision, cut out of its record: a record is some 16 KB, a row here half of one. A row
#: stays when its decision is erased, without the values.
decision_input = sa.Table(
    "decision_input", metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=True), _str("decision_id", 100), _opt("case_id", 100),
    sa.Column("event_seq", sa.Integer), _bool("refused"), _str("ruleset", 200), _day("on_date"), _str("place", 200),
    _str("layout", 64), _str("outcome", 200), _text("value"), _text("results"),
    sa.Column("inputs", sa.Text), sa.Column("lists", sa.Text), sa.Column("ages", sa.Text),
    sa.Index("ix_input_decision", "decision_id", unique=True), sa.Index("ix_input_ruleset", "ruleset", "n"),
    sa.Index("ix_input_case", "case_id"),
)  # fmt: skip
deadline = sa.Table(
    "deadline", metadata,
    _id(), _case(), _str("state", 200), _str("name", 200), _day("start_date", key="start"), _day("end_date"),
    _bool("provisional"), _str("status", 20), _str("on_expiry", 200, key="then"), _json("record"),
    _int("calendar_version"), _at("fired_at", null=True), _at("created_at"), _day("next_on", null=True),
    _json("history", null=True),
    sa.Index("ix_deadline_sweep", "status", "end_date"), sa.Index("ix_deadline_case", "case_id", "status"),
    sa.Index("ix_deadline_alarm", "status", "next_on"), sa.Index("ix_deadline_calendar", "status", "calendar_version"),
)  # fmt: skip
#: one row for each period of an obligation; it is never taken away
obligation = sa.Table(
    "obligation", metadata,
    _id(), _case(), _str("name", 200), _day("start_date", key="start"), _day("end_date", key="end"), _str("status", 20),
    _day("changed_on"), _day("warn_on", null=True), _day("last_on"), _day("late_on", null=True), _day("next_on", null=True),
    _opt("met_case", 100), sa.Column("met_seq", sa.Integer), _str("definition_hash", 128), _json("record"), _at("created_at"),
    sa.UniqueConstraint("case_id", "name", "start", name="uq_obligation_period"),
    sa.Index("ix_obligation_sweep", "status", "next_on"), sa.Index("ix_obligation_end", "status", "end"),
)  # fmt: skip
task = sa.Table(
    "task", metadata,
    _id(), _case(), _str("state", 200), _at("opened_at"), _at("closed_at", null=True),
    _opt("assignee", 100),
    _at("claimed_at", null=True), _opt("closed_by", 100), _str("task_key", 40), _str("kind", 20), _str("role", 100), _bool("turn"),
    sa.Index("ix_task_case", "case_id", "closed_at"), sa.Index("ix_task_assignee", "assignee", "closed_at", "case_id"),
    sa.Index("ix_task_role", "role", "closed_at", "case_id"),
    sa.Index("ix_task_closer", "closed_by", "closed_at"),
)  # fmt: skip
#: the persons whom facts of a case name, so that they find it; the facts themselves decide who may act
case_person = sa.Table(
    "case_person", metadata,
    _case(key=True), _str("path", 200, primary_key=True), _str("person_id", 100),
    sa.Index("ix_case_person", "person_id", "case_id"),
)  # fmt: skip

# -- what goes on beside the steps ---------------------------------------------------------------------------
#: `case_id` was merged into, split off to, derived to or related with `other_id`
case_link = sa.Table(
    "case_link", metadata,
    _id(), _str("kind", 20), _case(), _str("other_id", 100), _at(), _str("created_by", 100), _at("ended_at", null=True),
    sa.ForeignKeyConstraint(["other_id"], ["case_file.id"]),
    sa.Index("ix_case_link_case", "case_id", "kind"), sa.Index("ix_case_link_other", "other_id", "kind"),
)  # fmt: skip
notice = sa.Table(
    "notice", metadata,
    _id(), _str("person_id", 100), _case(), _int("seq"), _str("kind", 30), _at(), _at("read_at", null=True),
    sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
    sa.Index("ix_notice_person", "person_id", "read_at", "at"), sa.Index("ix_notice_case", "case_id", "at"),
)  # fmt: skip
follower = sa.Table(
    "follower", metadata,
    _case(key=True), sa.Column("person_id", sa.String(100), sa.ForeignKey("person.id"), primary_key=True), _at(),
    sa.Index("ix_follower_person", "person_id"),
)  # fmt: skip

# -- collections ---------------------------------------------------------------------------------------------
collection_batch = sa.Table(
    "collection_batch", metadata,
    _case(key=True), _str("collection", 200, primary_key=True), _int("seq", primary_key=True),
    sa.Column("row_count", sa.Integer, nullable=False, key="rows"), _bool("complete"), _str("salt", 128),
    _str("commitment", 128), _str("file_name", 300), _str("file_hash", 128), _at(),
)  # fmt: skip
collection_row = sa.Table(
    "collection_row", metadata,
    _case(key=True), _str("collection", 200, primary_key=True), _int("batch", primary_key=True),
    _int("row_no", primary_key=True), _str("row_key", 300), _json("data", null=True), _opt("salt", 32),
    _opt("leaf", 64), _bool("is_current"),
    sa.Index("ix_row_key", "case_id", "collection", "is_current", "row_key"),
)  # fmt: skip

# -- books ---------------------------------------------------------------------------------------------------
definition = sa.Table(
    "definition", metadata,
    _id("hash"), _str("kind", 30), _str("name", 200), _str("version", 100), _text("document"), _at(),
    sa.Index("ix_definition_name", "kind", "name", "at"),
)
book_version = sa.Table(
    "book_version", metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False), _at(), _str("published_by", 100),
    _text("note"), _str("hash", 128),
)  # fmt: skip
book_line = sa.Table(
    "book_line", metadata,
    _id(), _str("name", 200), _day("since"), _str("place", 200), _json("value"), _str("basis", 20),
    _text("cite"),
    _text("ref"), _str("origin", 20), _int("added_in"), sa.Column("removed_in", sa.Integer),
    sa.Index("ix_book_line_name", "name", "place", "since"),
)  # fmt: skip
holiday_year = sa.Table(
    "holiday_year", metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False), _int("year"), _json("holidays"),
    _json("workdays"), _text("source"), _str("published_by", 100), _at(),
    sa.Index("ix_holiday_year", "year", "version"),
)  # fmt: skip

# -- rules in the hands of the policy team ---------------------------------------------------------------------
rule_version = sa.Table(
    "rule_version", metadata,
    _id(), _str("ruleset", 200), _str("plugin", 200), _int("number"), _str("status", 20), _opt("base_id", 100),
    _str("base_hash", 128), _str("baseline", 128), _str("origin", 20), _text("content"), _str("hash", 128),
    _str("author", 100), _at("created_at"), _at("updated_at"), _int("revision"), _day("effective", null=True),
    _at("published_at", null=True), _day("withdrawn_on", null=True), _at("withdrawn_at", null=True),
    _text("reason"), _opt("impact", 100),
    sa.Index("ix_rule_version_set", "ruleset", "number"), sa.Index("ix_rule_version_status", "status", "ruleset"),
)  # fmt: skip
rule_event = sa.Table(
    "rule_event", metadata,
    _str("ruleset", 200, primary_key=True), _int("seq", primary_key=True), _str("version_id", 100), _at(),
    _str("actor", 100), _str("kind", 30), _json("data"), _str("prev_hash", 128), _str("hash", 128), _str("algo", 20),
    sa.Index("ix_rule_event_version", "version_id", "seq"), sa.Index("ix_rule_event_at", "at"),
)  # fmt: skip

impact_run = sa.Table(
    "impact_run", metadata,
    _id(), _str("version", 200), _str("content_hash", 128), _str("ruleset", 200), _str("started_by", 100),
    _str("status", 20), _int("upto_n"), _int("last_n"), _str("upto_case", 100), _json("counts"),
    _at("started_at"), _at("updated_at"), _at("ended_at", null=True),
    sa.Index("ix_impact_version", "version", "started_at"),
)  # fmt: skip
impact_flip = sa.Table(
    "impact_flip", metadata,
    _str("run_id", 100, primary_key=True), _int("seq", primary_key=True), _str("kind", 20), _opt("decision_id", 100),
    _opt("case_id", 100), _str("place", 200), _day("on_date", null=True), _str("before_label", 200),
    _str("after_label", 200), _json("why"),
    sa.Index("ix_impact_flow", "run_id", "before_label", "after_label"), sa.Index("ix_impact_place", "run_id", "place"),
    sa.Index("ix_impact_case", "case_id"),
)  # fmt: skip

# -- accounts ------------------------------------------------------------------------------------------------
#: an account of an owner (`person/<id>`); balance and held are a cache that the audit proves. Amounts are whole numbers
#: of the smallest unit.
ledger_account = sa.Table(
    "ledger_account", metadata,
    _id(), _str("kind", 200), _str("owner", 200), _text("title"), _str("place", 200), _int("scale"), _big("floor"),
    _bool("score"), _big("balance"), _big("held"), _int("last_seq"), _str("last_hash", 128), _str("salt", 128), _at("opened_at"),
    sa.UniqueConstraint("kind", "owner", name="uq_ledger_account"), sa.Index("ix_ledger_account_owner", "owner"),
    sa.Index("ix_ledger_account_place", "kind", "place"),
)  # fmt: skip
#: entries of one account, a hash chain of its own; `data` holds the lines and what they did to the lots
ledger_entry = sa.Table(
    "ledger_entry", metadata,
    _str("account_id", 100, primary_key=True), _int("seq", primary_key=True), _at(), _day("on_date"), _str("what", 20),
    _big("amount"), _opt("case_id", 100), sa.Column("event_seq", sa.Integer), _opt("decision_id", 100), _str("because", 200),
    _str("actor", 100), _str("second", 100), sa.Column("reverses", sa.Integer), _json("data"), _opt("note", 4000),
    _opt("note_salt", 128), _str("prev_hash", 128), _str("hash", 128), _str("algo", 20),
    sa.ForeignKeyConstraint(["account_id"], ["ledger_account.id"]),
    sa.UniqueConstraint("account_id", "reverses", name="uq_ledger_reverses"), sa.Index("ix_ledger_entry_case", "case_id", "event_seq"),
    sa.Index("ix_ledger_entry_at", "at"),
)  # fmt: skip
#: the lines of an entry: `part` is free or held of the account itself, or a counter account
ledger_posting = sa.Table(
    "ledger_posting", metadata,
    _str("account_id", 100, primary_key=True), _int("seq", primary_key=True), _int("line_no", primary_key=True), _str("part", 20),
    _big("amount"),
)  # fmt: skip
ledger_lot = sa.Table(
    "ledger_lot", metadata,
    _id(), _str("account_id", 100), _int("seq"), _day("got_on"), sa.Column("expires_on", DayOrNever, nullable=False),
    sa.Column("notice_on", DayOrNever, nullable=False), _big("amount"), _big("remain"),
    sa.Index("ix_ledger_lot", "account_id", "remain"), sa.Index("ix_ledger_lot_end", "expires_on"),
    sa.Index("ix_ledger_lot_notice", "notice_on"),
)  # fmt: skip
ledger_hold = sa.Table(
    "ledger_hold", metadata,
    _id(), _str("account_id", 100), _opt("case_id", 100), _str("name", 100), _big("amount"), _str("status", 20),
    sa.Column("until_on", DayOrNever, nullable=False), _int("seq"), sa.Column("closed_seq", sa.Integer),
    sa.Index("ix_ledger_hold", "account_id", "status"), sa.Index("ix_ledger_hold_case", "case_id", "name"),
    sa.Index("ix_ledger_hold_end", "status", "until_on"),
)  # fmt: skip
#: somebody asks for a counter-entry; somebody else makes it
ledger_reversal = sa.Table(
    "ledger_reversal", metadata,
    _id(), _str("account_id", 100), _int("seq"), _text("reason"), _str("asked_by", 100), _at("asked_at"), _str("status", 20),
    _opt("decided_by", 100), _at("decided_at", null=True), sa.Column("entry_seq", sa.Integer),
    sa.Index("ix_ledger_reversal", "account_id", "seq"), sa.Index("ix_ledger_reversal_open", "status", "asked_at"),
)  # fmt: skip
#: a reconciliation of one kind of account, with the differences it found
ledger_check = sa.Table(
    "ledger_check", metadata,
    _id(), _str("kind", 200), _str("period", 10), _at(), _str("made_by", 100), _json("totals"), _json("differences"),
    sa.Index("ix_ledger_check", "kind", "period"),
)  # fmt: skip

# -- the rest ------------------------------------------------------------------------------------------------
idempotency = sa.Table(
    "idempotency", metadata, _id("key"), _str("request_hash", 128), _json("response", null=True), _at(),
    sa.Index("ix_idempotency_at", "at"),
)  # fmt: skip
counter = sa.Table("counter", metadata, _id("scope"), _int("value"))
incident = sa.Table(
    "incident", metadata,
    _id(), _at(), _str("kind", 50), _case(null=True), _text("message"), _json("data"), _str("status", 20),
    _at("closed_at", null=True), _opt("closed_by", 100), _text("note"),
    sa.Index("ix_incident_status", "status", "at"), sa.Index("ix_incident_case", "case_id"),
)  # fmt: skip
access_log = sa.Table(
    "access_log", metadata,
    _id(), _at(), _str("actor", 100), _str("what", 50), _str("target", 200), _opt("case_id", 100),
    _str("origin", 100),
    sa.Index("ix_access_at", "at"), sa.Index("ix_access_case", "case_id", "at"),
)  # fmt: skip
setting = sa.Table("setting", metadata, _id("name"), _json("value"), _at("updated_at"),
    _str("updated_by", 100))
audit_root = sa.Table(
    "audit_root", metadata,
    sa.Column("day", Day, primary_key=True), _str("root", 128), _str("prev_root", 128), _int("cases"), _at(),
)  # fmt: skip

# -- change of a process, repair of a case -----------------------------------------------------------------------
#: open cases of one process taken to another version of it: what was planned, who confirmed, how it went
migration = sa.Table(
    "migration", metadata,
    _id(), _str("process", 200), _str("to_hash", 128), _json("mapping"), _str("status", 20), _text("reason"),
    _str("planned_by", 100), _at("planned_at"), _opt("confirmed_by", 100), _at("confirmed_at", null=True),
    _at("ended_at", null=True), _opt("undone_by", 100), _at("undone_at", null=True), _text("undo_reason"), _json("counts"),
    sa.Index("ix_migration_process", "process", "planned_at"),
)  # fmt: skip
#: one case of it; `earlier` is what an undo puts back
migration_case = sa.Table(
    "migration_case", metadata,
    sa.Column("migration_id", sa.String(100), sa.ForeignKey("migration.id"), primary_key=True), _case(key=True),
    _opt("head_id", 100), _str("status", 20), _text("why"), _str("from_hash", 128), _str("from_state", 200),
    _str("to_state", 200), _int("seq"), _json("earlier"), _at(),
    sa.Index("ix_migration_case_case", "case_id"), sa.Index("ix_migration_case_status", "migration_id", "status"),
)  # fmt: skip
repair = sa.Table(
    "repair", metadata,
    _id(), _case(), _str("from_state", 200), _str("to_state", 200), _int("revision"), _bool("reopen"), _text("reason"),
    _str("status", 20), _str("proposed_by", 100), _at("proposed_at"), _opt("confirmed_by", 100),
    _at("confirmed_at", null=True),
    sa.Index("ix_repair_case", "case_id", "status"), sa.Index("ix_repair_status", "status", "proposed_at"),
)  # fmt: skip

# -- background work: columns belong to core/jobs.py, which speaks to them through its own table objects -----
job = sa.Table(
    "job", metadata,
    sa.Column("id", sa.String(200), primary_key=True), _str("name", 60), _opt("queue", 30),
    sa.Column("payload", sa.JSON), _opt("parent", 200, index=True),
    _opt("state", 10, index=True, server_default="queued"),
    sa.Column("attempt", sa.Integer, server_default="1"), sa.Column("fence", sa.Integer, server_default="0"),
    sa.Column("starts", sa.Integer, server_default="0"), _opt("owner", 60),
    sa.Column("done", sa.Integer, server_default="0"), sa.Column("total", sa.Integer),
    sa.Column("note", sa.Text),
    sa.Column("cancel", sa.Boolean, server_default=sa.false()), sa.Column("seen", sa.Float),
    sa.Column("created_at", sa.Float),
)  # fmt: skip
job_worker = sa.Table("job_worker", metadata, sa.Column("id", sa.String(60), primary_key=True),
    sa.Column("seen", sa.Float))
