# shellcheck shell=bash
# The three services and the PSP simulator: their settings, their schema, their readiness.

services=(auth accounts payments simulator)

# service_names NAME: sets program, prefix (of its settings), identity and listen (the name of its port).
service_names() {
	program=$build/bin/daler-$1 prefix=DALER_${1^^} identity=$1 listen=$1
	[ "$1" = simulator ] || return 0
	program=$build/bin/daler-psp-simulator prefix=DALER_PSP_SIMULATOR identity=connector listen=connector
}

# service_settings NAME: sets settings to what `env` takes, and program.
service_settings() {
	local name=$1 prefix identity listen setting
	service_names "$name"
	settings=(
		"LISTEN=127.0.0.1:${port[$listen]}"
		"ADMIN_LISTEN=127.0.0.1:${port[${listen}_admin]}"
		"TLS_CERT=$home/pki/$identity/tls.crt"
		"TLS_KEY=$home/pki/$identity/tls.key"
		"TLS_CA=$home/pki/$identity/ca.crt"
		"TRUST_DOMAIN=$trust_domain"
	)
	"service_settings_$name"
	for setting in "${!settings[@]}"; do settings[setting]=${prefix}_${settings[setting]}; done
}

service_settings_auth() {
	service_settings_database auth
	settings+=("SIGNING_KEY_FILE=$home/secrets/auth-signing.key")
}

service_settings_accounts() {
	service_settings_database accounts
	settings+=(
		"REDIS=redis://127.0.0.1:${port[redis]}/0"
		"REDIS_PASSWORD_FILE=$home/secrets/redis.password"
		"AUTH_ADDR=127.0.0.1:${port[auth]}"
	)
}

service_settings_payments() {
	service_settings_database payments
	settings+=(
		"AUTH_ADDR=127.0.0.1:${port[auth]}"
		"ACCOUNTS_ADDR=127.0.0.1:${port[accounts]}"
		"CONNECTOR_ADDR=127.0.0.1:${port[connector]}"
		"NOTIFICATION_KEY_FILE=$home/secrets/notification.key"
	)
}

service_settings_simulator() {
	mkdir -p "$home/simulator"
	settings+=(
		"STATE_DIR=$home/simulator"
		"PAYMENTS_ADDR=127.0.0.1:${port[payments]}"
		"NOTIFICATION_KEY_FILE=$home/secrets/notification.key"
	)
}

service_settings_database() { # SERVICE
	settings+=(
		"DATABASE=$(service_conninfo "$1" "$1_service")"
		"DATABASE_PASSWORD_FILE=$home/secrets/$1_service.password"
		"DATABASE_RUNTIME_ROLE=$1_service"
	)
}

service_conninfo() { # SERVICE ROLE
	printf 'host=127.0.0.1 port=%s dbname=daler_%s user=%s' "${port[postgres]}" "$1" "$2"
}

# service_run NAME ARG...: runs the service's program with its settings, for a command that ends by itself.
service_run() {
	local settings program name=$1
	shift
	service_settings "$name"
	env "${settings[@]}" "$program" "$@"
}

# services_migrate: brings each schema up to date, as its owner.
services_migrate() {
	local name jobs=()
	for name in auth accounts payments; do
		retry service_migrate "$name" >>"$home/log/migrate-$name.log" 2>&1 &
		jobs+=("$!:$name")
	done
	for name in "${jobs[@]}"; do
		wait "${name%%:*}" || fail "the migrations of ${name#*:} failed" "$home/log/migrate-${name#*:}.log"
	done
}

service_migrate() { # SERVICE
	local settings program
	service_settings "$1"
	env "${settings[@]}" "DALER_${1^^}_DATABASE_OWNER=$(service_conninfo "$1" "$1_owner")" \
		"DALER_${1^^}_DATABASE_OWNER_PASSWORD_FILE=$home/secrets/$1_owner.password" "$program" migrate
}

services_operator() {
	local log=$home/log/create-operator.log
	retry service_run auth create-operator --username operator --user-password-file "$home/secrets/operator.password" \
		>>"$log" 2>&1 || fail "the operator could not be created" "$log"
}

services_ensure() {
	local name settings program
	for name in "${services[@]}"; do
		service_settings "$name"
		[ -x "$program" ] || die "$program is missing: build it first"
	done
	services_migrate
	for name in "${services[@]}"; do
		service_settings "$name"
		process_start "$name" TERM env "${settings[@]}" "$program"
	done
	services_operator
}

# service_readiness NAME: what its /readyz answers.
service_readiness() (
	trap '' PIPE # it may die while we ask
	service_names "$1"
	process_of "$home/run/$1.pid" || return 1
	{ exec {link}<>"/dev/tcp/127.0.0.1/${port[${listen}_admin]}"; } 2>/dev/null || return 1
	printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&"$link" 2>/dev/null
	timeout 2 cat <&"$link" 2>/dev/null
)

service_ready() { # NAME
	[[ $(service_readiness "$1") == HTTP/1.?\ 200* ]]
}

# service_whole NAME: whether it also has what it could do without, such as the keys of tokens.
service_whole() {
	local answer
	answer=$(service_readiness "$1")
	[[ $answer == HTTP/1.?\ 200* && $answer != *'"ok":false'* ]]
}

services_down() {
	local name jobs=()
	process_stop payments TERM # first, while those that it calls are still there
	for name in auth accounts simulator; do
		process_stop "$name" TERM &
		jobs+=($!)
	done
	wait "${jobs[@]}"
}
