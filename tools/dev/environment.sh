# shellcheck shell=bash
# The private environment as a whole: made, started, shown, stopped, removed. The order of start and stop stands here.

processes=(postgres redis "${services[@]}") # in the order in which they start
patience_s=${DALER_PATIENCE_S:-60}          # for a slow machine

# environment_up [--no-services]: whatever is not there is made, whatever does not run is started.
environment_up() {
	local wanted=("${processes[@]}") mask lock
	[ "${1:-}" != --no-services ] || wanted=(postgres redis)
	mask=$(umask)
	umask 077
	until environment_prepare && environment_lock; do :; done
	environment_sweep
	install -d -m 0700 "$home"/{pki,secrets,run,log}
	environment_secrets
	ports_settle
	pki_ensure
	pg_ensure
	redis_ensure
	environment_wait postgres redis
	if [ ${#wanted[@]} -gt 2 ]; then
		services_ensure
		environment_wait "${services[@]}"
	fi
	exec {lock}>&-
	umask "$mask"
}

environment_prepare() {
	environment_ours
	# Looked at in this order, for another `up` may be making it, and a removal may end, at this moment.
	[ -z "$(ls -A -- "$home" 2>/dev/null)" ] || environment_made || [ ! -d "$home" ] ||
		die "$home holds something else; DALER_HOME must be a new folder, or one made by this script"
	install -d -m 0711 "$home" || die "$home can't be made" # the user postgres passes through
	printf 'made by %s\n' "$root/daler" 2>/dev/null >"$home/environment" || [ ! -d "$home" ] || die "$home can't be written"
}

environment_ours() {
	if [ -e "$home" ] && [ ! -O "$home" ]; then die "$home belongs to another user, who can use or clean it"; fi
}

environment_made() {
	[ -d "$home" ] && { [ "$home" = "$root/.daler" ] || [ -e "$home/environment" ]; }
}

# environment_lock: one command at a time changes what runs, until lock is closed. Fails where there is no home (any more).
environment_lock() {
	while { exec {lock}>"$home/lock"; } 2>/dev/null; do
		flock "$lock"
		[ ! "/proc/self/fd/$lock" -ef "$home/lock" ] || return 0
		exec {lock}>&- # it was removed while we waited, and there may be a new one
	done
	[ ! -d "$home" ] || die "$home can't be locked"
	return 1
}

environment_secrets() {
	local name key=$home/secrets/auth-signing.key
	secret_make "$home/secrets/notification.key"
	for name in postgres "${pg_roles[@]}" redis operator; do
		secret_make "$home/secrets/$name.password"
	done
	[ -s "$key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null | write_file "$key"
}

environment_wait() { # NAME...
	local name
	for name in "$@"; do
		wait_until "$patience_s" process_whole "$name" ||
			fail "$name is not ready after $patience_s s" "$home/log/$name.log"
	done
}

process_ready() { # NAME
	case $1 in
	postgres) pg_ready ;;
	redis) redis_ready ;;
	*) service_ready "$1" ;;
	esac
}

process_whole() { # NAME
	case $1 in
	postgres | redis) process_ready "$1" ;;
	*) service_whole "$1" ;;
	esac
}

# environment_down [COMMAND]: ends what runs, and runs COMMAND before anybody else may start something.
environment_down() {
	local lock
	environment_ours
	if ! environment_made || ! environment_lock; then
		environment_sweep # in case that somebody removed the home of what runs
		return
	fi
	services_down
	redis_down
	pg_down
	environment_sweep
	say "stopped"
	"$@"
	exec {lock}>&-
}

# environment_sweep: ends what was started here and is in no record, as after somebody removed the records, or stopped an
# `up` that had just started it.
environment_sweep() {
	local stray
	for stray in $(process_strays); do kill -KILL "$stray" 2>/dev/null || true; done
	wait_until 5 environment_swept || fail "these processes can't be ended: $(process_strays)"
}

environment_swept() {
	[ -z "$(process_strays)" ]
}

environment_status() {
	local name pid ready restarts status=0
	if ! ports_load; then
		say "nothing has been started in $home"
		return 1
	fi
	printf '%-10s  %-7s  %-16s  %-16s  %-8s  %s\n' NAME PID ADDRESS ADMIN STARTS STATE
	for name in "${processes[@]}"; do
		ready=stopped pid=- restarts=-
		if process_of "$home/run/$name.pid"; then
			ready='not ready'
			! process_ready "$name" || ready=ready
			{ read -r restarts <"$home/run/$name.restarts"; } 2>/dev/null && restarts=$((restarts + 1))
		fi
		[ "$ready" = ready ] || status=1
		process_of "$home/run/$name.pid" || pid=-
		environment_status_line
	done
	return $status
}

environment_status_line() {
	local listen=${name/#simulator/connector} admin=-
	[ -z "${port[${listen}_admin]:-}" ] || admin=127.0.0.1:${port[${listen}_admin]}
	printf '%-10s  %-7s  %-16s  %-16s  %-8s  %s\n' "$name" "$pid" "127.0.0.1:${port[$listen]}" "$admin" "$restarts" "$ready"
}

environment_logs() { # SERVICE TAIL_ARG...
	local name=${1:-}
	[ -n "$name" ] || die "which log? one of: ${processes[*]}"
	shift
	[ -f "$home/log/$name.log" ] || die "there is no log of '$name'; the names are: ${processes[*]}"
	[ $# != 0 ] || set -- -n 100
	exec tail "$@" -- "$home/log/$name.log"
}

environment_clean() {
	environment_remove
	rm -rf -- "$root/build"
}

environment_remove() {
	[ ! -d "$home" ] || environment_made || die "$home was not made by this script, and stays"
	environment_down environment_erase
}

environment_erase() {
	ports_forget
	pg_remove
	remove_folder "$home"
}
