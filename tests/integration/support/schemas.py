"""The services' schemas as data: of each table a row that is good, what breaks each of its constraints, and what the service
may do with it. Values are SQL."""

INT64_MAX = str((1 << 63) - 1)
NOW = "'2026-01-01'"
LATER = "'2027-01-01'"


def an_id(number):
    return f"'00000000-0000-7000-8000-{number:012d}'"


def text(length):
    return f"repeat('x', {length})"


def octets(count):
    return f"decode(repeat('00', {count}), 'hex')"


# Who else there is.
LEDGER, OTHER_LEDGER = an_id(1), an_id(2)
ONE, TWO, THREE = an_id(11), an_id(12), an_id(13)
ANNA, OTHER = an_id(21), an_id(22)


class Table:
    """breaks: {constraint: [change, ...]}, each change of the good row breaking it and nothing that is asked before it. Its
    primary key needs none: it is broken by the good row itself, once more."""

    def __init__(self, good, breaks=None, after=(), may_update=(), may_delete=False):
        self.good, self.breaks, self.after = good, breaks or {}, after
        self.may_update, self.may_delete = set(may_update), may_delete


# Values that a column's own type refuses, by the type's constraint.
DOMAIN_BREAKS = {
    "money_total_check": ["-1"], "entry_number_check": ["-1"], "normal_side_check": ["0", "3"],
    "account_status_check": ["0", "5"], "transfer_kind_check": ["0", "8"], "group_size_check": ["0", "101"],
    "group_position_check": ["-1"], "row_version_check": ["0"], "content_hash_check": [octets(15), octets(17)],
    "currency_code_check": ["''", "'EU'", "'eur'", "'1UR'", "'ABCDEFGHIJKLM'"], "owner_name_check": ["''", text(129)],
    "short_text_check": [text(129)], "transfer_side_check": ["0", "3"],
}
# Of types that no column has: statements that use them.
STATEMENT_BREAKS = {"accounts_none_missed": "SELECT false::none_missed"}

MIGRATIONS = Table(
    {"number": "9999", "name": "'x'", "checksum": octets(32), "applied_at": NOW, "applied_by": "'x'"},
    {"schema_migrations_checksum_check": [{"checksum": octets(31)}]})

_SIDES = [f"{side}_{name}" for side in ("debit", "credit") for name in (
    "debits_posted_minor", "credits_posted_minor", "debits_pending_minor", "credits_pending_minor")]

ACCOUNTS = {
    "schema_migrations": MIGRATIONS,
    "ledgers": Table(
        {"ledger_id": LEDGER, "name": "'x'", "created": NOW},
        {"ledgers_name": [{"name": "''"}, {"name": text(129)}], "ledgers_version": [{"version": "2"}]},
        may_update=["version"]),
    "accounts": Table(
        {"ledger_id": LEDGER, "account_id": ONE, "created": NOW, "normal_side": "2", "currency": "'EUR'", "owner": "'anna'",
         "label": "''", "creation_hash": octets(16)},
        {"accounts_ledger_exists": [{"ledger_id": OTHER_LEDGER}],
         "accounts_limits": [{"lower_limit_minor": "-1", "upper_limit_minor": "-2"}],
         "accounts_lower_limit": [
             {"lower_limit_minor": "1"}, {"lower_limit_minor": "0", "debits_posted_minor": "1"},
             {"lower_limit_minor": "0", "debits_pending_minor": "1"},
             {"lower_limit_minor": "0", "credit_line_minor": "5", "debits_pending_minor": "6"},
             {"normal_side": "1", "lower_limit_minor": "0", "credits_pending_minor": "1"}],
         "accounts_upper_limit": [
             {"upper_limit_minor": "-1"}, {"upper_limit_minor": "0", "credits_posted_minor": "1"},
             {"upper_limit_minor": "0", "credits_pending_minor": "1"},
             {"normal_side": "1", "upper_limit_minor": "0", "debits_pending_minor": "1"}],
         "accounts_totals": [
             {"normal_side": "1", "debits_posted_minor": INT64_MAX, "debits_pending_minor": "1"},
             {"credits_posted_minor": INT64_MAX, "credits_pending_minor": "1"}],
         "accounts_closed": [
             {"status": "4", "credits_posted_minor": "1"},
             {"status": "4", "debits_pending_minor": "1", "credits_pending_minor": "1"}]},
        after=["ledgers"],
        may_update=["debits_posted_minor", "credits_posted_minor", "debits_pending_minor", "credits_pending_minor",
                    "sequence", "label", "status", "lower_limit_minor", "upper_limit_minor", "credit_line_minor", "version",
                    "last_entry"]),
    "transfers": Table(
        {"ledger_id": LEDGER, "transfer_id": ONE, "group_id": ONE, "debit_account_id": ANNA, "credit_account_id": OTHER,
         "amount_minor": "5", "moved_minor": "5", "created": NOW, "debit_sequence": "1", "credit_sequence": "1",
         **{name: "0" for name in _SIDES}, "group_position": "0", "group_size": "1", "kind": "1", "group_hash": ONE,
         "currency": "'EUR'", "reference": "''"},
        {"transfers_accounts": [{"credit_account_id": ANNA}],
         "transfers_amount": [{"moved_minor": "4"}, {"kind": "5", "moved_minor": "6"},
                              {"kind": "4", "target_id": TWO, "amount_minor": "6"}],
         "transfers_debit_sequence": [{"transfer_id": TWO, "group_id": TWO, "credit_account_id": THREE}],
         "transfers_credit_sequence": [{"transfer_id": TWO, "group_id": TWO, "debit_account_id": THREE}],
         "transfers_expires": [{"expires": LATER}, {"kind": "3", "target_id": TWO, "expires": LATER}],
         "transfers_group": [{"group_position": "1"}, {"group_id": TWO}, {"group_size": "2", "group_position": "1"}],
         "transfers_sides": [*({name: "-1"} for name in _SIDES), {"debit_sequence": "0"}, {"credit_sequence": "0"},
                             {"amount_minor": "0", "moved_minor": "0"}, {"amount_minor": "-5", "moved_minor": "-5"}],
         "transfers_target": [{"target_id": TWO}, *({"kind": kind} for kind in ("3", "6"))]}),
    "holds": Table(
        {"ledger_id": LEDGER, "hold_id": ONE, "debit_account_id": ANNA, "credit_account_id": OTHER, "amount_minor": "5",
         "captured_minor": "0", "state": "1"},
        {"holds_accounts": [{"credit_account_id": ANNA}],
         "holds_amount": [{"amount_minor": "0"}, {"amount_minor": "-1"}],
         "holds_captured": [{"captured_minor": "6"}, {"captured_minor": "-1"}],
         "holds_state": [{"state": "0"}, {"state": "5"}, {"state": "2"},
                         *({"state": state, "captured_minor": "5"} for state in ("1", "3", "4"))],
         "holds_expires": [{"state": "2", "captured_minor": "5", "expires": LATER}]},
        may_update=["captured_minor", "state", "expires"]),
    "declines": Table(
        {"ledger_id": LEDGER, "transfer_id": ONE, "group_id": ONE, "cause_id": ONE, "created": NOW,
         "reason": "'ACCOUNT_NOT_FOUND'", "group_hash": octets(16)},
        {"declines_reason": [{"reason": "'BECAUSE'"}], "declines_group_hash": [{"group_hash": octets(15)}]}),
    "assets": Table(
        {"ledger_id": LEDGER, "code": "'GOLD'", "exponent": "2", "created": NOW},
        {"assets_ledger_exists": [{"ledger_id": OTHER_LEDGER}], "assets_exponent": [{"exponent": "-1"}, {"exponent": "19"}]},
        after=["ledgers"]),
    "reversed": Table(
        {"ledger_id": LEDGER, "original_id": ONE, "amount_minor": "5", "reversed_minor": "5"},
        {"reversed_minor": [{"reversed_minor": "0"}, {"reversed_minor": "6"}, {"reversed_minor": "-1"}],
         "reversed_original_exists": [{"original_id": TWO}, {"ledger_id": OTHER_LEDGER}]},
        after=["transfers"], may_update=["reversed_minor"]),
    "account_changes": Table(
        {"ledger_id": LEDGER, "account_id": ONE, "version": "2", "sequence": "0", "created": NOW, "identity": "'operator'",
         "change_hash": octets(16), "old_status": "1", "new_status": "1", "old_credit_line_minor": "0",
         "new_credit_line_minor": "0", "old_label": "''", "new_label": "''"},
        {"account_changes_account_exists": [{"account_id": TWO}, {"ledger_id": OTHER_LEDGER}],
         "account_changes_version": [{"version": "1"}], "account_changes_sequence": [{"sequence": "-1"}],
         "account_changes_limits": [{"new_lower_limit_minor": "2", "new_upper_limit_minor": "1"}],
         "account_changes_hash": [{"change_hash": octets(15)}],
         "account_changes_status": [{"old_status": "4"}, {"old_status": "0"}, {"new_status": "0"}, {"new_status": "5"}]},
        after=["ledgers", "accounts"]),
}

AUTH = {
    "schema_migrations": MIGRATIONS,
    "users": Table(
        {"user_id": ONE, "username": "'anna'", "role": "'player'", "password_hash": "'$argon2id$v=19$m=1,t=1,p=1$'",
         "created_at": NOW},
        {"users_username_unique": [{"user_id": TWO}],
         "users_username_form": [{"username": "'an'"}, {"username": text(65)}, {"username": "'Anna'"}],
         "users_role_known": [{"role": "'root'"}],
         "users_password_hash_form": [{"password_hash": "'secret'"}, {"password_hash": "'$argon2i$v=19$m=1,t=1,p=1$'"}]}),
    "audit_events": Table(
        {"event_id": ONE, "created_at": NOW, "action": "'log_in'", "outcome": "'ok'", "reason": "''",
         "actor_identity": "'gateway'"},
        {"audit_events_action_known": [{"action": "'look'"}], "audit_events_outcome_known": [{"outcome": "'maybe'"}],
         "audit_events_trace_form": [{"trace_id": octets(15)}]}),
    "login_buckets": Table(
        {"bucket": octets(32), "full_at": NOW}, {"login_buckets_bucket_form": [{"bucket": octets(31)}]},
        may_update=["bucket", "full_at"], may_delete=True),
}

_PERSON = {"ledger_id": LEDGER, "person_id": "'anna'"}
_PERSON_EXISTS = [{"person_id": "'bert'"}, {"ledger_id": OTHER_LEDGER}]

PAYMENTS = {
    "schema_migrations": MIGRATIONS,
    "payments": Table(
        {"ledger_id": LEDGER, "payment_id": ONE, "caller": "'gateway'", "idempotency_key": "'key'", "body_hash": octets(32),
         "kind": "3", "account_id": ANNA, "counter_id": OTHER, "amount_minor": "5", "currency": "'EUR'", "connector": "''",
         "instrument": "''", "reference": "''", "state": "1", "open": "true", "reason": "''", "version": "1",
         "lease_owner": ONE, "fence": "1", "create_time": NOW, "update_time": NOW},
        {"payments_key": [{"payment_id": TWO}],
         "payments_caller_check": [{"caller": "''"}, {"caller": text(65)}],
         "payments_idempotency_key_check": [{"idempotency_key": "''"}, {"idempotency_key": text(65)}],
         "payments_body_hash_check": [{"body_hash": octets(31)}],
         "payments_kind": [{"kind": "0"}, {"kind": "10"}],
         "payments_amount_minor_check": [{"amount_minor": "0"}, {"amount_minor": "-1"}],
         "payments_currency_check": [{"currency": "'eur'"}, {"currency": "''"}],
         "payments_connector_check": [{"connector": text(33)}],
         "payments_connector_kind": [{"connector": "'psp'"}, {"kind": "1"}, {"kind": "2"}],
         "payments_instrument_check": [{"instrument": text(257)}],
         "payments_reference_check": [{"reference": text(129)}],
         "payments_state": [{"state": "0", "open": "false"}, {"state": "15", "open": "false"}],
         "payments_open_state": [{"open": "false"}, {"state": "6"}],
         "payments_reason_check": [{"reason": text(65)}],
         "payments_version_check": [{"version": "0"}], "payments_fence_check": [{"fence": "0"}],
         "payments_two_accounts": [{"counter_id": ANNA}],
         "payments_remote": [
             {"kind": "4"}, {"remote_ledger_id": OTHER_LEDGER}, {"remote_account_id": ONE}, {"remote_counter_id": ONE},
             {"kind": "4", "remote_ledger_id": LEDGER, "remote_account_id": ONE, "remote_counter_id": TWO},
             {"kind": "4", "remote_ledger_id": OTHER_LEDGER, "remote_account_id": ONE, "remote_counter_id": ONE}],
         "payments_parent": [{"parent_id": TWO}, {"kind": "5", "connector": "'psp'"},
                             {"kind": "5", "connector": "'psp'", "parent_id": ONE}],
         "payments_round": [{"round_id": "'r'"}, {"kind": "6"}], "payments_round_id_check": [{"kind": "6", "round_id": text(65)}],
         "payments_fee_minor_check": [{"fee_minor": "-1"}],
         "payments_fee": [{"fee_minor": "1"}, {"fee_account_id": OTHER}, {"fee_minor": "1", "fee_account_id": ANNA}],
         "payments_claims": [
             {"claimed_minor": "1"}, {"kind": "1", "connector": "'psp'", "refunded_minor": "1"},
             {"kind": "1", "connector": "'psp'", "claimed_minor": "6"},
             {"kind": "1", "connector": "'psp'", "refunded_minor": "-1", "claimed_minor": "1"}],
         "payments_action_url_check": [{"action_url": text(2049)}], "payments_action_data_check": [{"action_data": text(4097)}],
         "payments_cancel": [{"cancel_caller": "'x'"}, {"cancel_time": NOW}],
         "payments_cancel_caller_check": [{"cancel_caller": text(65), "cancel_time": NOW}]},
        may_update=["state", "open", "reason", "version", "update_time", "lease_owner", "fence", "refunded_minor",
                    "claimed_minor", "review_since", "action_url", "action_data", "cancel_caller", "cancel_time"]),
    "payment_events": Table(
        {"ledger_id": LEDGER, "payment_id": ONE, "version": "2", "from_state": "1", "state": "2", "reason": "''",
         "create_time": NOW},
        {"payment_events_version_check": [{"version": "0"}], "payment_events_reason_check": [{"reason": text(65)}],
         "payment_events_first": [{"version": "1"}, {"from_state": "0", "state": "1"}],
         "payment_events_edge": [{"state": "4"}, {"from_state": "6", "state": "1"}],
         "payment_events_operator_check": [{"operator": text(129)}],
         "payment_events_evidence_check": [{"evidence": text(513)}]}),
    "clearing_accounts": Table(
        {"ledger_id": LEDGER, "connector": "'psp'", "currency": "'EUR'", "account_id": ONE, "create_time": NOW},
        {"clearing_accounts_connector_check": [{"connector": "''"}, {"connector": "'PSP'"}, {"connector": text(33)}],
         "clearing_accounts_currency_check": [{"currency": "'eur'"}]}),
    "transit_accounts": Table(
        {"ledger_id": LEDGER, "currency": "'EUR'", "account_id": ONE, "create_time": NOW},
        {"transit_accounts_currency_check": [{"currency": "'eur'"}]}),
    "saga_workers": Table(
        {"worker_id": ONE, "lease_until": NOW}, {"saga_workers_host_check": [{"host": text(321)}]}, may_update=["lease_until"]),
    "notifications": Table(
        {"notification_id": "'n'", "reference": "''", "status": "1", "create_time": NOW},
        {"notifications_notification_id_check": [{"notification_id": "''"}, {"notification_id": text(65)}],
         "notifications_reference_check": [{"reference": text(65)}],
         "notifications_body_hash_check": [{"body_hash": octets(31)}]}),
    "limit_markets": Table(
        {"ledger_id": LEDGER, "time_zone": "'UTC'", "week_start": "1", "cooling_off_s": "0", "update_time": NOW},
        {"limit_markets_time_zone_check": [{"time_zone": "''"}, {"time_zone": text(65)}],
         "limit_markets_week_start_check": [{"week_start": "0"}, {"week_start": "8"}],
         "limit_markets_cooling_off_s_check": [{"cooling_off_s": "-1"}, {"cooling_off_s": "31536001"}]},
        may_update=["time_zone", "week_start", "cooling_off_s", "update_time"]),
    "limit_persons": Table(
        {**_PERSON, "create_time": NOW},
        {"limit_persons_ledger_id_fkey": [{"ledger_id": OTHER_LEDGER}],
         "limit_persons_person_id_check": [{"person_id": "''"}, {"person_id": text(65)}]},
        after=["limit_markets"], may_update=["excluded_until", "timed_out_until"]),
    "person_limits": Table(
        {**_PERSON, "currency": "'EUR'", "measure": "1", "period": "1", "limit_minor": "5"},
        {"person_limits_ledger_id_person_id_fkey": _PERSON_EXISTS,
         "person_limits_currency_check": [{"currency": "'eur'"}],
         "person_limits_measure_check": [{"measure": "0"}, {"measure": "3"}],
         "person_limits_period_check": [{"period": "0"}, {"period": "4"}],
         "person_limits_limit_minor_check": [{"limit_minor": "-1"}],
         "person_limits_pending_minor_check": [{"limit_minor": "NULL", "pending_minor": "-1", "pending_time": NOW}],
         "person_limits_pending": [{"pending_minor": "6"}],
         "person_limits_raise": [{"pending_minor": "5", "pending_time": NOW}]},
        after=["limit_markets", "limit_persons"], may_update=["limit_minor", "pending_minor", "pending_time"]),
    "limit_usage": Table(
        {**_PERSON, "currency": "'EUR'", "measure": "1", "period": "1", "period_start": NOW, "used_minor": "0"},
        {"limit_usage_ledger_id_person_id_fkey": _PERSON_EXISTS,
         "limit_usage_measure_check": [{"measure": "0"}, {"measure": "3"}],
         "limit_usage_period_check": [{"period": "0"}, {"period": "4"}],
         "limit_usage_deposits": [{"used_minor": "-1"}],
         "limit_usage_within": [{"used_minor": "6", "allowed_minor": "5"}]},
        after=["limit_markets", "limit_persons"], may_update=["used_minor", "allowed_minor"]),
    "limit_claims": Table(
        {**_PERSON, "payment_id": ONE, "currency": "'EUR'", "measure": "1", "day_start": NOW, "week_start": NOW,
         "month_start": NOW, "amount_minor": "5", "state": "1"},
        {"limit_claims_ledger_id_person_id_fkey": _PERSON_EXISTS,
         "limit_claims_measure_check": [{"measure": "0"}, {"measure": "3"}],
         "limit_claims_amount_minor_check": [{"amount_minor": "0"}],
         "limit_claims_state_check": [{"state": "0"}, {"state": "4"}]},
        after=["limit_markets", "limit_persons"], may_update=["state"]),
    "limit_refusals": Table(
        {"ledger_id": LEDGER, "payment_id": ONE, "measure": "1", "period": "1", "limit_minor": "5", "left_minor": "0",
         "until": NOW},
        {"limit_refusals_left_minor_check": [{"left_minor": "-1"}],
         "limit_refusals_whole": [{"measure": "NULL"}, {"left_minor": "NULL"}]}),
    "limit_changes": Table(
        {**_PERSON, "change_id": ONE, "action": "1", "currency": "'EUR'", "measure": "1", "period": "1",
         "effective_time": NOW, "market": "''", "identity": "'operator'", "reason": "''", "create_time": NOW},
        {"limit_changes_person_id_check": [{"person_id": text(65)}],
         "limit_changes_action_check": [{"action": "0"}, {"action": "6"}],
         "limit_changes_identity_check": [{"identity": "''"}, {"identity": text(33)}],
         "limit_changes_reason_check": [{"reason": text(257)}]}),
    "payment_calls": Table(
        {"ledger_id": LEDGER, "payment_id": ONE, "call_id": ONE, "attempt": "1", "step": "'x'", "action": "1",
         "reference": "'x'", "result": "'x'", "reason": "''", "provider_reference": "''", "worker_id": ONE,
         "start_time": NOW, "end_time": NOW},
        {"payment_calls_attempt_check": [{"attempt": "0"}], "payment_calls_step_check": [{"step": text(33)}],
         "payment_calls_action_check": [{"action": "0"}, {"action": "16"}],
         "payment_calls_reference_check": [{"reference": text(65)}], "payment_calls_result_check": [{"result": text(33)}],
         "payment_calls_reason_check": [{"reason": text(65)}],
         "payment_calls_provider_reference_check": [{"provider_reference": text(129)}]}),
    "payment_tries": Table(
        {"ledger_id": LEDGER, "payment_id": ONE, "attempts": "1", "reason": "''", "try_time": NOW, "next_time": NOW},
        {"payment_tries_reason_check": [{"reason": text(65)}]},
        may_update=["ledger_id", "payment_id", "attempts", "reason", "try_time", "next_time"]),
    "saga_wakes": Table(
        {"worker_id": ONE, "ledger_id": LEDGER, "payment_id": ONE}, may_update=["cancel"], may_delete=True),
    "operator_actions": Table(
        {"ledger_id": LEDGER, "action_id": ONE, "payment_id": ONE, "kind": "1", "operator": "'anna'", "outcome": "0",
         "reason": "''", "reference": "''", "from_state": "1", "version": "1", "create_time": NOW},
        {"operator_actions_kind_check": [{"kind": "0"}, {"kind": "3"}],
         "operator_actions_operator_check": [{"operator": "''"}, {"operator": text(129)}],
         "operator_actions_outcome_check": [{"outcome": "-1"}, {"outcome": "3"}],
         "operator_actions_reason_check": [{"reason": text(257)}],
         "operator_actions_reference_check": [{"reference": text(129)}],
         "operator_actions_evidence": [
             {"kind": "2", "reason": "'r'", "reference": "'r'"}, {"kind": "2", "outcome": "1", "reference": "'r'"},
             {"kind": "2", "outcome": "1", "reason": "'r'"}]}),
}

SCHEMAS = {"accounts": ACCOUNTS, "auth": AUTH, "payments": PAYMENTS}
