# shellcheck shell=bash
# What a shell, a test or a client of one's own needs to know of a running environment.

# env_print: prints lines for a shell to evaluate, or says on standard error why there are none.
env_print() {
	env_running "${processes[@]}" || fail "the services are not up; ./daler up starts them"
	env_load
	env_lines "${env_names[@]}"
}

# env_load: sets and exports everything, with a fresh token.
env_load() {
	local token
	env_export
	token=$(env_token) || fail "the operator can't log in" "$home/log/auth.log"
	env_set DALER_TOKEN "$token"
}

env_running() { # NAME...
	local name pid
	ports_load || return 1
	for name in "$@"; do
		process_of "$home/run/$name.supervisor" || process_of "$home/run/$name.pid" || return 1
	done
	wait_until 10 env_all_run "$@" # one that was killed is about to come back
}

env_all_run() {
	local name pid
	for name in "$@"; do process_of "$home/run/$name.pid" || return 1; done
}

# env_export: sets and exports everything but the token; env_names are the names.
env_export() {
	local names=$home/pki/operator pid name pids=()
	env_names=()
	env_set DALER_ROOT "$root"
	env_set DALER_HOME "$home"
	env_set DALER_BUILD_DIR "$build"
	case ":$PATH:" in
	*":$build/bin:"*) env_set PATH "$PATH" ;;
	*) env_set PATH "$build/bin:$PATH" ;;
	esac
	for name in auth accounts payments connector; do
		env_set "DALER_${name^^}_ADDR" "127.0.0.1:${port[$name]}"
		env_set "DALER_${name^^}_ADMIN_ADDR" "127.0.0.1:${port[${name}_admin]}"
	done
	env_set DALER_CA "$names/ca.crt"
	env_set DALER_CERT "$names/tls.crt"
	env_set DALER_KEY "$names/tls.key"
	env_set DALER_CERT_DIR "$home/pki"
	for name in auth accounts payments; do
		env_set "DALER_${name^^}_DB" "$(env_conninfo "daler_$name" "${name}_owner")"
	done
	env_set DALER_SUPERUSER_DB "$(env_conninfo postgres postgres)"
	env_set DALER_REDIS "redis://default:$(<"$home/secrets/redis.password")@127.0.0.1:${port[redis]}/0"
	for name in auth accounts payments simulator postgres redis; do
		process_of "$home/run/$name.pid" || continue
		env_set "DALER_${name^^}_PID" "$pid"
		pids+=("$pid")
	done
	env_set DALER_PIDS "${pids[*]}"
}

env_set() { # NAME VALUE
	export "$1=$2"
	env_names+=("$1")
}

env_conninfo() { # DATABASE ROLE
	printf 'host=127.0.0.1 port=%s dbname=%s user=%s password=%s' \
		"${port[postgres]}" "$1" "$2" "$(<"$home/secrets/$2.password")"
}

env_token() {
	dalerctl login --username operator --password-file "$home/secrets/operator.password" --print-token
}

env_lines() { # NAME...
	local name value quote="'\\''"
	for name in "$@"; do
		value=${!name}
		printf "export %s='%s'\n" "$name" "${value//\'/$quote}"
	done
}
