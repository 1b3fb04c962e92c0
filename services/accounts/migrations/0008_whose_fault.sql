-- Which of a transfer's accounts a decline is about: 1 the debited, 2 the credited one. Null when it is about neither, and for
-- what was declined before this column: that is told as it was told then, without its account.
CREATE DOMAIN transfer_side AS smallint CHECK (VALUE IN (1, 2));
ALTER TABLE declines ADD COLUMN cause_side transfer_side;
