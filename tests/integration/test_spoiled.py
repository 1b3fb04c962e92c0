"""VerifyLedger and every column that there is: by which reason it shows that the column was changed behind the service's back,
or why nobody can see that. A column without a row here fails the test."""

import unittest

from support import environment
from support.cases import Case
from support.contracts import accounts as a
from support.world import Ledger, new_id

# Changed to something else of its type; what is not named here has a row with a value of its own.
ANOTHER = {"uuid": "gen_random_uuid()", "bigint": "{} + 100", "smallint": "{} + 1", "text": "{} || 'X'", "boolean": "NOT {}",
           "timestamp with time zone": "{} + interval '1 day'", "bytea": "decode(md5({}::text), 'hex')"}
SIDES = [f"{side}_{total}_minor" for side in ("debit", "credit")
         for total in ("debits_posted", "credits_posted", "debits_pending", "credits_pending")]
WHAT_IS_SET = ("status", "lower_limit_minor", "upper_limit_minor", "credit_line_minor", "label")

# table -> reason -> columns, with the row that is spoiled when it isn't the table's own, or the value that is set.
SEEN = {
    "transfers": {
        "SEQUENCE_GAP": ["ledger_id", "debit_account_id", "debit_sequence", "credit_sequence"],
        "ACCOUNT_UNKNOWN": ["credit_account_id"],
        "BALANCE_AFTER_DIFFERS": ["moved_minor", *SIDES],
        "CURRENCY_DIFFERS": ["currency"],
        "TIME_DIFFERS": ["created"],
        "GROUP_DIFFERS": ["transfer_id", "group_id", "amount_minor", "group_position", "group_size", "group_hash", "reference",
                          ("kind", "direct", "5"), ("expires", "hold", "now() + interval '1 day'"), ("target_id", "capture"),
                          ("keep_open", "capture")],
    },
    "accounts": {
        "ACCOUNT_UNKNOWN": ["ledger_id", "account_id"],
        "TOTALS_DIFFER": ["debits_posted_minor", "credits_posted_minor", "debits_pending_minor", "credits_pending_minor"],
        "SEQUENCE_GAP": ["sequence"],
        "TIME_DIFFERS": ["last_entry"],
        "METADATA_DIFFERS": ["version", "owner", "label", "status", "credit_line_minor", "currency", "creation_hash",
                             ("normal_side", "wallet", "1"), ("lower_limit_minor", "wallet", "-1"),
                             ("upper_limit_minor", "wallet", "1000000")],
    },
    "holds": {"HOLD_DIFFERS": ["ledger_id", "hold_id", "debit_account_id", "credit_account_id", "amount_minor", "captured_minor",
                               "state", ("expires", "hold", "now() + interval '1 day'")]},
    "reversed": {"REVERSED_DIFFERS": ["ledger_id", "original_id", "amount_minor", "reversed_minor"]},
    "declines": {"DECLINE_DIFFERS": ["ledger_id", "transfer_id", "group_id", "cause_id", "created", "group_hash",
                                     ("reason", "cause", "'LIMIT_EXCEEDED'"), ("cause_side", "cause", "2")]},
    "account_changes": {"METADATA_DIFFERS": ["ledger_id", "account_id", "version", "sequence",
                                             *(f"{when}_{what}" for when in ("old", "new") for what in WHAT_IS_SET
                                               if "limit" not in what),
                                             *((f"{when}_{side}_limit_minor", "changes", value) for when in ("old", "new")
                                               for side, value in (("lower", "-77"), ("upper", "7777777")))]},
}
UNSEEN = {
    "ledgers": {"ledger_id": "another id is another ledger, and this one is NOT_FOUND", "name": "a label", "version": "is always 1",
                "created": "nothing follows from it"},
    "accounts": {"created": "nothing follows from it"},
    "assets": dict.fromkeys(("ledger_id", "code", "exponent", "created"), "tells people where the decimal point is"),
    "account_changes": {"created": "changes may take their time in another order than they are made", "user_id": "is not hashed",
                        "identity": "is not hashed", "change_hash": "of a request that is not kept"},
}


class Spoiled(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.types = {}
        for table, column, kind in environment.sql("accounts", """
                SELECT table_name, column_name, data_type
                FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
                WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name <> 'schema_migrations'"""):
            cls.types.setdefault(table, {})[column] = kind
        environment.sql("accounts", """
            DO $$ DECLARE one record; BEGIN
                FOR one IN SELECT conrelid::regclass AS place, conname FROM pg_constraint
                    WHERE connamespace = current_schema()::regnamespace AND contype IN ('c', 'f') AND conrelid <> 0 LOOP
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', one.place, one.conname);
                END LOOP;
            END $$""")
        cls.elsewhere = Ledger().id

    def setUp(self):
        """Something of everything, of which nothing is wrong."""
        ledger = self.ledger = Ledger()
        self.wallet, self.other = ledger.wallet("anna", 1000), ledger.wallet("bert", 10)
        direct = ledger.transfer(self.wallet, self.other, 100)
        hold = ledger.transfer(self.wallet, self.other, 300, kind="hold")
        capture = ledger.transfer(self.wallet, self.other, 100, kind="capture", hold_id=hold.transfer_id)
        capture.capture.keep_open = True
        back = ledger.transfer(self.other, self.wallet, 30, kind="reversal")
        back.reversal.original_id = direct.transfer_id
        pair = [ledger.transfer(self.wallet, self.other, amount_minor) for amount_minor in (1, 2)]
        for group in ((direct,), (hold,), (capture,), (back,), pair):
            self.assertEqual(ledger.post_group(*group).WhichOneof("result"), "posted")
        declined = [ledger.transfer(self.wallet, self.other, amount_minor) for amount_minor in (1, 5000)]
        self.assertEqual(ledger.post_group(*declined).WhichOneof("result"), "decline")
        for version, label in ((1, "first"), (2, "second")):
            ledger.accounts.UpdateAccount(ledger_id=ledger.id, account_id=self.wallet, expected_version=version,
                                          update_mask={"paths": ["label"]}, label=label)
        # The values are lent to SQL, and are ids of ours.
        self.rows = {
            "direct": f"transfer_id = '{direct.transfer_id}'", "capture": f"transfer_id = '{capture.transfer_id}'",
            "second": f"transfer_id = '{pair[1].transfer_id}'", "cause": f"transfer_id = '{declined[1].transfer_id}'",
            "first": f"transfer_id = '{pair[0].transfer_id}'",
            "wallet": f"account_id = '{self.wallet}'", "changes": f"account_id = '{self.wallet}' AND version = 2",
            "reversed": f"original_id = '{direct.transfer_id}'",
        }
        self.holds = {"transfers": f"transfer_id = '{hold.transfer_id}'", "holds": f"hold_id = '{hold.transfer_id}'"}

    def found(self):
        replies = self.ledger.accounts.stream("VerifyLedger", a.VerifyLedgerRequest(ledger_id=self.ledger.id))
        return {found.reason for reply in replies for found in reply.discrepancies}

    OWN = {"transfers": "direct", "accounts": "wallet", "holds": "hold", "reversed": "reversed", "declines": "cause",
           "account_changes": "changes"}

    def spoil(self, table, column, row=None, value=None):
        row = row or self.OWN[table]
        if value is None:
            value = f"'{self.elsewhere}'" if column == "ledger_id" else ANOTHER[self.types[table][column]].format(column)
        where = self.holds[table] if row == "hold" else self.rows[row]
        environment.sql("accounts", f"UPDATE {table} SET {column} = {value} WHERE ledger_id = '{self.ledger.id}' AND {where}")

    def test_every_column_has_a_row(self):
        told = {table: {one if isinstance(one, str) else one[0] for columns in reasons.values() for one in columns}
                for table, reasons in SEEN.items()}
        for table, columns in UNSEEN.items():
            self.assertFalse(told.setdefault(table, set()) & set(columns))
            told[table] |= set(columns)
        self.assertEqual(set(told), set(self.types))
        for table, columns in self.types.items():
            self.assertEqual(told[table], set(columns), table)

    def test_what_is_spoiled_is_found(self):
        self.assertEqual(self.found(), set())
        for table, reasons in SEEN.items():
            for reason, columns in reasons.items():
                for one in columns:
                    one = (one,) if isinstance(one, str) else one
                    with self.subTest(table=table, column=one[0]):
                        self.setUp()
                        self.spoil(table, *one)
                        self.assertIn(reason, self.found())

    def test_what_can_not_be_seen(self):
        """As it is said: should it ever be seen, the pages that say so are to be changed."""
        self.spoil("accounts", "created")
        for column in ("created", "identity", "change_hash", "user_id"):
            self.spoil("account_changes", column)
        self.assertEqual(self.found(), set())

    def test_groups_of_several(self):
        for number, (row, change) in enumerate((
                ("second", "SET reference = 'x'"), ("second", "SET group_hash = gen_random_uuid()"),
                ("second", "SET group_size = 3"), ("second", "SET group_position = 5"), ("second", "SET group_id = gen_random_uuid()"),
                ("second", "SET created = created + interval '1 us'"), ("first", "SET group_size = 1"),
                ("first", "SET group_size = 3"), ("first", "SET transfer_id = gen_random_uuid()"), ("second", None), ("first", None))):
            with self.subTest(number=number, row=row, change=change):
                self.setUp()
                environment.sql("accounts", f"UPDATE transfers {change} WHERE {self.rows[row]}" if change
                                else f"DELETE FROM transfers WHERE {self.rows[row]}")
                self.assertIn("GROUP_DIFFERS", self.found())

    def test_an_id_that_is_posted_and_declined(self):
        self.ledger.post(self.wallet, self.other, 5000)  # one that is declined alone
        self.assertEqual(self.found(), set())
        environment.sql("accounts", f"""
            INSERT INTO declines (ledger_id, transfer_id, group_id, cause_id, created, reason, group_hash)
            SELECT ledger_id, transfer_id, transfer_id, transfer_id, created, 'LIMIT_EXCEEDED', decode(md5('x'), 'hex')
            FROM transfers WHERE {self.rows['direct']}""")
        self.assertEqual(self.found(), {"DECLINE_DIFFERS"})

    def test_accounts_that_are_gone(self):
        """Both, with all that they had with each other: no sum tells of them."""
        one, two = self.ledger.open(), self.ledger.open()
        self.ledger.post(one, two, 7)
        self.ledger.post(two, one, 7)
        self.assertEqual(self.found(), set())
        environment.sql("accounts", f"DELETE FROM accounts WHERE account_id IN ('{one}', '{two}')")
        self.assertEqual(self.found(), {"ACCOUNT_UNKNOWN"})


if __name__ == "__main__":
    unittest.main()
