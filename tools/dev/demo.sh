#!/usr/bin/env bash
# demo.sh: the story that `./daler demo` tells, in a running environment whose `env` is exported. Everything is asked of the
# services through dalerctl, with ids and keys of this run: it can be told again and again, and a service that dies in the
# middle of it costs a moment, because every request is repeated with its own key.
set -euo pipefail

export DALER_TIMEOUT=${DALER_TIMEOUT:-60}
work=$(mktemp -d "${TMPDIR:-/tmp}/daler-demo.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
umask 077
steps=0 clearing='' wallet='' friend='' # new_account sets these

step() {
	steps=$((steps + 1))
	printf '\n%2d. %s\n' "$steps" "$*"
}

# tell STATUS COMMAND...: runs COMMAND, shows what it says, and keeps it in $work/said; it must exit with STATUS.
tell() {
	local expected=$1 status=0
	shift
	"$@" >"$work/said" 2>"$work/errors" || status=$?
	sed 's/^/    /' "$work/said"
	if [ "$status" != "$expected" ]; then
		sed 's/^/    /' "$work/errors"
		printf '\nThis should have ended with status %s, not %s: %s\n' "$expected" "$status" "$*" >&2
		exit 1
	fi
}

# said TEXT: what was shown last must hold it.
said() {
	grep -qF -- "$1" "$work/said" && return
	printf '\nThe story went wrong: the answer above should say "%s".\n' "$1" >&2
	exit 1
}

# field NAME: prints its value in the record shown last.
field() {
	sed -n "s/^ *$1  *//p" "$work/said"
}

# gateway ARG...: dalerctl with the certificate of the company's own backend, which acts for players.
gateway() {
	dalerctl --cert "$DALER_CERT_DIR/gateway/tls.crt" --cert-key "$DALER_CERT_DIR/gateway/tls.key" "$@"
}

# as_player ARG...: what the player asks of that backend.
as_player() {
	DALER_TOKEN=$player_token gateway "$@"
}

new_account() { # VARIABLE FLAG...
	local -n account=$1
	shift
	account=$(dalerctl id new)
	tell 0 dalerctl account create --ledger "$ledger" --account-id "$account" --currency EUR "$@"
}

pay() { # STATUS KEY KIND AMOUNT FLAG...
	local status=$1 key=$2 kind=$3 amount=$4
	shift 4
	tell "$status" as_player payment create "$kind" --key "$key-$run" --ledger "$ledger" --account "$wallet" \
		--amount "$amount" --currency EUR "$@"
}

open_the_books() {
	step "The operator creates a ledger, and an account that mirrors the company's money at the payment provider."
	ledger=$(dalerctl id new)
	tell 0 dalerctl ledger create --ledger-id "$ledger" --name "Demonstration ${run:0:8}"
	new_account clearing --owner provider --normal-side debit --label clearing
	tell 0 dalerctl connector register-clearing --ledger "$ledger" --connector simulator --currency EUR --account "$clearing"
}

register_player() {
	step "A player registers through the company's backend, and logs in."
	player=$(dalerctl id new)
	printf '%s' "$(openssl rand -hex 16)" >"$work/password"
	DALER_TOKEN='' tell 0 gateway user create --user-id "$player" --username "anna-${player##*-}" --role player \
		--password-file "$work/password"
	player_token=$(DALER_TOKEN='' gateway login --username "anna-${player##*-}" --password-file "$work/password" --print-token)
	printf '    logged in: a token of %d characters, signed by auth, which every service verifies by itself\n' "${#player_token}"
}

open_wallets() {
	step "Two wallets are opened, the player's and a friend's. Neither may fall below zero."
	new_account wallet --owner "$player" --normal-side credit --label "Anna's wallet" --lower-limit 0
	new_account friend --owner "$(dalerctl id new)" --normal-side credit --label "a friend's wallet" --lower-limit 0
}

move_money() {
	local first
	step "The player deposits 50.00 EUR. The provider is charged, then the wallet is credited."
	pay 0 deposit deposit 50.00
	first=$(field payment)
	step "The player's phone lost the answer, and asks again with the same key: the first outcome, and no second charge."
	pay 0 deposit deposit 50.00
	said replayed
	[ "$(field payment)" = "$first" ] || said "$first"
	step "12.50 EUR go to the friend: one debit and one credit, in one database transaction."
	pay 0 transfer transfer 12.50 --to-account "$friend"
	step "20.00 EUR are withdrawn: held, paid out by the provider, captured."
	pay 0 withdrawal withdrawal 20.00
}

be_declined() {
	step "The provider declines a withdrawal: the hold is released, and nothing has moved."
	pay 1 declined withdrawal 5.00 --instrument sim:decline
	said DECLINED
	step "A withdrawal of more than there is: declined before anybody is asked. A decline is an outcome, not an error."
	pay 1 too-much withdrawal 1000.00
	said INSUFFICIENT_FUNDS
}

be_left_in_the_dark() {
	local silent
	step "The provider takes 10.00 EUR and never answers. Nobody guesses: unknown, until the provider was asked by our reference."
	pay 0 silent deposit 10.00 --instrument sim:no-answer
	silent=$(field payment)
	step "Its timeline for the operator: each state with its reason, and each call to the provider with what came of it."
	tell 0 dalerctl payment get --payment-id "$silent"
	said UNKNOWN
	said CONNECTOR_ # _TIMEOUT; or _UNAVAILABLE, where it dies just then
}

show_the_books() {
	step "The player's statement: every entry, with the balance after it."
	tell 0 dalerctl account statement --ledger "$ledger" --account "$wallet"
	step "The ledger's accounts."
	tell 0 dalerctl account list --ledger "$ledger"
	said "27.50"
	step "The provider's own books tell the same."
	tell 0 dalerctl connector operations --page-size 1000
	step "The trial balance: all debits and all credits of the ledger, and their difference."
	tell 0 dalerctl ledger trial-balance --ledger "$ledger"
	said "balanced: debits equal credits"
}

look_around() {
	local daler=./daler service
	[ "$PWD" = "$DALER_ROOT" ] || daler=$DALER_ROOT/daler
	cat <<EOF

Everything is still running. To look around:

  eval "\$($daler env)"

EOF
	for service in auth accounts payments connector; do
		grpcurl_line "$service" list
	done
	cat <<EOF

EOF
	grpcurl_line accounts daler.accounts.v1.AccountsService/GetTrialBalance "{\"ledger_id\":\"$ledger\"}"
	grpcurl_line accounts daler.accounts.v1.AccountsService/GetStatement \
		"{\"ledger_id\":\"$ledger\",\"account_id\":\"$wallet\"}"
	grpcurl_line payments daler.payments.v1.PaymentsService/ListPayments "{\"ledger_id\":\"$ledger\"}"
	cat <<EOF

  dalerctl payment list --ledger $ledger
  psql "\$DALER_PAYMENTS_DB"
  $daler status
  $daler logs payments -f
  $daler down
EOF
}

grpcurl_line() { # SERVICE WHAT [DATA]
	# shellcheck disable=SC2016 # the reader's shell is to expand them
	printf '  grpcurl -cacert "$DALER_CA" -cert "$DALER_CERT" -key "$DALER_KEY"'
	# shellcheck disable=SC2016
	printf " -expand-headers -H 'authorization: Bearer \${DALER_TOKEN}'"
	[ $# -lt 3 ] || printf " -d '%s'" "$3"
	# shellcheck disable=SC2016
	printf ' "$DALER_%s_ADDR" %s\n' "${1^^}" "$2"
}

run=$(dalerctl id new)
open_the_books
register_player
open_wallets
move_money
be_declined
be_left_in_the_dark
show_the_books
look_around
