-- Which of a transfer's accounts a decline is about: 1 the debited, 2 the credited one. Null when it is about neither, and for
-- what was declined before this column: that is told as it was told then, without its account.
CREATE DOMAIN transfer_side AS smallint CHECK (VALUE IN (1, 2));
ALTER TABLE declines ADD COLUMN cause_side transfer_side;

-- What is said of an account is said of its changes, too.
ALTER TABLE account_changes
	ALTER COLUMN old_label TYPE short_text,
	ALTER COLUMN new_label TYPE short_text,
	ALTER COLUMN old_credit_line_minor TYPE money_total,
	ALTER COLUMN new_credit_line_minor TYPE money_total,
	ADD CONSTRAINT account_changes_limits CHECK (new_lower_limit_minor <= new_upper_limit_minor);
